package proposals

import (
	"context"
	"fmt"
	"sync"

	"almenara/cluster/internode"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// upgrades is which commands may be made, while a district is upgraded node by node.
type upgrades struct {
	self    string
	peers   *peers.Peers
	rpc     *internode.RPC
	applied func() (uint64, error) // highest version in the state; nil is none
}

// understood is Cluster.Understands.
func (u *upgrades) understood(ctx context.Context, version uint64) error {
	old := u.peers.OlderThan(version)
	if len(old) == 0 {
		return nil
	}
	var asked sync.WaitGroup
	for _, id := range old {
		if id != u.self {
			asked.Go(func() { u.askVersion(ctx, id) })
		}
	}
	asked.Wait()
	if old = u.peers.OlderThan(version); len(old) > 0 {
		return &outcome.NotUpgradedError{Version: version, Nodes: old}
	}
	return nil
}

// askVersion pings a member; the client notes the version. A member that has just been
// started anew breaks what was connected to the one before, so it is asked twice.
func (u *upgrades) askVersion(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, peers.AskTimeout)
	defer cancel()
	for range 2 {
		if _, err := u.rpc.Call(ctx, id, "/cluster/ping", nil); err == nil {
			return
		}
	}
}

// tooOld refuses a new node that would not understand what this one has applied.
func (u *upgrades) tooOld(version uint64) error {
	if u.applied == nil {
		return nil
	}
	applied, err := u.applied()
	if err != nil {
		return fmt.Errorf("reading the version of the state: %w", err)
	}
	if version < applied {
		return fmt.Errorf("%w: this district uses commands of version %d, and the software of the new node understands version %d; upgrade it, then join again with the same token",
			outcome.ErrRefused, applied, version)
	}
	return nil
}
