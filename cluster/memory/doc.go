// Package memory is what the nodes of a district remember of each other's raft logs, so that
// one that lost its log, or whose disk was put back to an earlier moment, is not heard.
//
//	Begin: what this run began with ─▶ Claim ─▶ the certificate ─▶ Admits, at the peer
//	Tell ─▶ header: what we hold ────▶ Hear, at the peer ─▶ book ─▶ peers.held
//	Missing ◀── header: what the peer remembers of us ◀── Tell, at the peer
//
// It owns peers.held, the two headers and the claim in a certificate. DESIGN.md proves that
// a healthy node is never refused; whoever changes a line here reads that first. It imports
// identity, raft's types and nothing else of the cluster: it dials nobody and ends nothing.
package memory
