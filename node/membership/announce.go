package membership

import (
	"context"
	"errors"
	"slices"

	"almenara/cluster/command"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/node/folder"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// Announce commits where this node is reached, when that has changed.
func (m *Membership) Announce(ctx context.Context) error {
	want := m.self()
	var have noderecord.Node
	var known bool
	err := m.store.View(func(t *storage.Txn) (err error) {
		have, known, err = noderecord.Nodes.Get(t, m.id)
		return err
	})
	if err != nil || known && sameNode(have, want) {
		return err
	}
	want.Version = have.Version // what it was admitted with
	if _, err = m.proposer.Propose(ctx, m.name, &command.PutNode{Node: want}); err != nil {
		return err
	}
	// A newcomer still reads what was agreed before it came; until it has read this, it would say
	// it again with every entry.
	return m.cluster.Linearizable(ctx)
}

func sameNode(a, b noderecord.Node) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Internode == b.Internode && a.API == b.API &&
		slices.Equal(a.MQTT, b.MQTT) && a.KeyID == b.KeyID && slices.Equal(a.PublicKey, b.PublicKey)
}

// Former are the ids of all nodes on record that were not removed; none for a drill, which
// speaks to nobody of the district.
func (m *Membership) Former() []string {
	if m.isolated() {
		return nil
	}
	nodes, _, err := m.ring.Read()
	if err != nil {
		m.log.Error("reading the nodes", "error", err)
	}
	var ids []string
	for _, node := range nodes {
		if !node.Removed {
			ids = append(ids, node.ID)
		}
	}
	return ids
}

// ReplaceFormer removes the ids that this box had before, once its present one has a
// vote: until then the old one counts, dead as it is, or the district would have one
// vote less to lose.
func (m *Membership) ReplaceFormer(ctx context.Context) error {
	if len(m.replaces) == 0 || !m.votes() {
		return nil
	}
	for _, id := range slices.Clone(m.replaces) {
		if err := m.removeFormer(ctx, id); err != nil {
			return err
		}
	}
	saved, err := folder.Load(m.dir)
	if err != nil {
		return err
	}
	saved.Replaces = nil
	if err := saved.Save(m.dir); err != nil {
		return err
	}
	m.replaces = nil
	return nil
}

func (m *Membership) removeFormer(ctx context.Context, id string) error {
	_, err := m.proposer.Propose(ctx, m.name, &command.RemoveNode{ID: id})
	if err != nil && !errors.Is(err, command.ErrNotFound) {
		return err
	}
	if err := m.cluster.Remove(ctx, id); err != nil && !errors.Is(err, outcome.ErrNotMember) {
		return err
	}
	m.log.Info("the id that this box had before is removed", "id", id)
	return nil
}

// votes reports whether this node has a vote in the present configuration.
func (m *Membership) votes() bool {
	return slices.ContainsFunc(m.cluster.Status().Peers, func(p peers.Peer) bool { return p.ID == m.id && p.Voter })
}
