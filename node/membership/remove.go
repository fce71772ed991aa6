package membership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/node/authority"
	"almenara/node/records"
	"almenara/node/wire"
)

// Invite implements service.Nodes.
func (m *Membership) Invite(ctx context.Context, by authority.Caller, in wire.Invite) (wire.Invited, error) {
	minutes := in.Minutes
	if minutes == 0 {
		minutes = inviteMinutes
	}
	if minutes < 0 || minutes > inviteMost {
		return wire.Invited{}, wire.Problemf(wire.KindMalformed, "an invitation is good for 1 to %d minutes", inviteMost)
	}
	ttl := time.Duration(minutes) * time.Minute
	token, err := m.cluster.Invite(ctx, ttl)
	if err != nil {
		return wire.Invited{}, m.proposer.Problem(err)
	}
	m.log.Info("a node was invited", "by", by.Name, "expires_in", ttl)
	return wire.Invited{Token: token.String(), Expires: m.clock().Add(ttl).UTC().Truncate(time.Second)}, nil
}

// RemoveNode implements service.Nodes. The key goes from the ring first, so that
// devices stop believing the node before its vote is gone.
func (m *Membership) RemoveNode(ctx context.Context, by authority.Caller, named string) error {
	if err := m.cluster.Linearizable(ctx); err != nil { // or a node that has just joined would say that there is no such node
		return m.proposer.Problem(fmt.Errorf("reading which nodes there are: %w", err))
	}
	id, err := records.NodeMeant(m.store, named)
	if err != nil {
		return err
	}
	if m.lastVoter(id) {
		return wire.Problemf(wire.KindRefused, "%s is the only node that votes, and the district would end with it; nothing was changed", named)
	}
	if err := m.cluster.Removable(ctx, id); err != nil {
		return records.WithNames(m.store, m.proposer.Problem(fmt.Errorf("removing %s: %w", id, err)))
	}
	if _, err := m.proposer.Change(ctx, by.Name, &command.RemoveNode{ID: id}); err != nil {
		return err
	}
	if err := m.ring.Keep(ctx); err != nil {
		return m.proposer.Problem(err)
	}
	err = m.cluster.Remove(ctx, id)
	switch {
	case errors.Is(err, outcome.ErrNotMember): // left out when the district was recovered
		return nil
	case errors.Is(err, outcome.ErrRefused): // who is at hand has changed since it was asked
		return wire.Problemf(wire.KindBusy, "%s is being removed and its devices go to the other nodes; it has a vote until enough of those that remain can be reached", named)
	case err != nil:
		return m.proposer.Problem(err)
	}
	return nil
}

// FinishRemovals takes nodes out of the raft group whose removal was agreed and could not
// be finished: who asked for it was cut off, or too few of the others were at hand.
func (m *Membership) FinishRemovals(ctx context.Context) error {
	nodes, _, err := m.ring.Read()
	if err != nil {
		return err
	}
	var errs []error
	servers := m.cluster.Status().Peers
	for _, node := range nodes {
		if !node.Removed || !slices.ContainsFunc(servers, func(p peers.Peer) bool { return p.ID == node.ID }) {
			continue
		}
		if err := m.cluster.Remove(ctx, node.ID); err != nil && !errors.Is(err, outcome.ErrNotMember) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// lastVoter reports whether no other node of the district has a vote.
func (m *Membership) lastVoter(id string) bool {
	servers := m.cluster.Status().Peers
	return slices.ContainsFunc(servers, func(p peers.Peer) bool { return p.ID == id }) &&
		!slices.ContainsFunc(servers, func(p peers.Peer) bool { return p.Voter && p.ID != id })
}
