package cluster

import (
	"context"
	"fmt"
	"slices"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/peers"
)

// dialler finds the other nodes at whatever address is known of them.
type dialler struct {
	port  *internode.Port
	peers *peers.Peers
	begun func() bool // raft knows its servers
}

// forCalls connects to a member for calls, and forRaft for raft, which names an
// address of its own for a node that is in no configuration yet.
func (d *dialler) forCalls(ctx context.Context, id string) (*internode.Conn, error) {
	addrs := d.peers.Addresses(id)
	if len(addrs) == 0 {
		return nil, fmt.Errorf("no address known for %s", id)
	}
	return d.port.DialFirst(ctx, id, addrs, identity.ProtoRPC)
}

func (d *dialler) forRaft(ctx context.Context, id, addr string) (*internode.Conn, error) {
	var known []string
	if id != "" && d.begun() {
		known = d.peers.Addresses(id)
	}
	if addr != "" && !slices.Contains(known, addr) {
		known = append(known, addr)
	}
	return d.port.DialFirst(ctx, id, known, identity.ProtoRaft)
}
