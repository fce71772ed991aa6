// Package internode is the one port on which the nodes of a district talk.
//
//	other nodes ═TLS 1.3═▶ Port ─▶ ALPN ─┬─ raft ─────▶ Stream ─▶ raft
//	                 │ arrivals, connlimit ├─ rpc ──────▶ RPC ─▶ handlers, by path
//	                 │                     ├─ handover ─▶ Handovers: facts of nodes that leave
//	                 │                     ├─ join ─────▶ Service(ProtoJoin): who has no certificate
//	                 │                     └─ fence ────▶ Met: another incarnation; then it hangs up
//	our calls ◀── RPC.Call, Handover.Call, Ask ◀── Dial, DialFirst ── Conn, with the peer's certificate
//
// It owns the listener, every connection, and the bounds of both. Who is a member, where a
// node is and what a call means is asked of whoever made it (Peers). It imports identity and
// connlimit, and never the cluster, the log, or anything that knows what is replicated.
package internode
