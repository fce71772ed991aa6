// Package peers is what a node has seen and been told of the other nodes of its district.
//
//	requests, answers ─▶ Hear ─▶ contacts: who was heard, who answered, who is gone
//	                         ├─▶ versions: what each understands ──▶ peers.versions
//	                         └─▶ addresses: where each is reached ─▶ peers.addresses
//	Tell ─▶ the headers of our own requests and answers
//
// It owns both files and the headers Almenara-Command-Version, Almenara-Address and
// Almenara-Moved. It dials nobody, decides nothing about membership, and imports of the
// cluster nothing but internode's form of an address.
package peers
