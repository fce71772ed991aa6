package membership

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
	"almenara/node/admission"
	"almenara/node/records"
	"almenara/storage"
	"almenara/storage/noderecord"
)

const (
	inviteMinutes = 60          // without a wish
	inviteMost    = 7 * 24 * 60 // minutes
)

// Invited commits an invitation's hash, for cluster.Invite.
func (m *Membership) Invited(ctx context.Context, hash string, expires time.Time) error {
	raw, err := hex.DecodeString(hash)
	if err != nil {
		return fmt.Errorf("reading the token's hash: %w", err)
	}
	_, err = m.proposer.Propose(ctx, m.name, &command.PutJoinToken{Hash: raw, Expires: expires.UnixMilli()})
	return err
}

// Admit uses the token up, and puts the new node and its key on record before
// it becomes a member: a node whose key is in no ring could not warn anybody. What a
// repeat must be, node/admission says; requests are judged one at a time.
func (m *Membership) Admit(ctx context.Context, req joining.Request) error {
	select {
	case <-m.joined: // the port is open before this node is whole
	case <-ctx.Done():
		return outcome.ErrBusy
	}
	hash, err := hex.DecodeString(req.TokenHash)
	if err != nil {
		return fmt.Errorf("%w: unreadable token", outcome.ErrRefused)
	}
	m.admitting.Lock()
	defer m.admitting.Unlock()
	if err := m.cluster.Linearizable(ctx); err != nil { // what an earlier leader admitted counts
		return err
	}
	asked := admission.Request{TokenHash: hash, Node: req.NodeID, Key: req.SigningKey, Proven: req.Proven}
	if err := admission.Judge(m.store, asked, m.clock()); err != nil {
		return fmt.Errorf("%w: %w", outcome.ErrRefused, err)
	}
	_, err = m.proposer.Propose(ctx, m.name, &command.UseJoinToken{Hash: hash, NodeID: req.NodeID})
	switch {
	case errors.Is(err, command.ErrNotFound):
		return fmt.Errorf("%w: the token is not one of this district", outcome.ErrRefused)
	case errors.Is(err, command.ErrConflict), errors.Is(err, command.ErrExpired):
		return fmt.Errorf("%w: the token is used or has expired; ask for a new one", outcome.ErrRefused)
	case err != nil:
		return err
	}
	_, err = m.proposer.Propose(ctx, m.name, &command.PutNode{Node: noderecord.Node{
		ID: req.NodeID, Name: req.NodeID[:8], Internode: req.Addrs[0], KeyID: req.KeyID, PublicKey: req.SigningKey,
		Version: m.admittedVersion(ctx, req.Version),
	}})
	if err != nil {
		return err
	}
	return m.ring.Keep(ctx)
}

// AddressOf names the internode address that a node announced last.
func (m *Membership) AddressOf(id string) (string, bool) {
	var node noderecord.Node
	var known bool
	err := m.store.View(func(t *storage.Txn) (err error) {
		node, known, err = noderecord.Nodes.Get(t, id)
		return err
	})
	return node.Internode, err == nil && known && node.Internode != ""
}

// RecordedVersion is what a node said it understands when it was admitted; 0 where that
// is not on record.
func (m *Membership) RecordedVersion(id string) (version uint64) {
	if err := m.store.View(func(t *storage.Txn) error {
		node, _, err := noderecord.Nodes.Get(t, id)
		version = node.Version
		return err
	}); err != nil {
		m.log.Error("reading the nodes", "error", err)
	}
	return version
}

// admittedVersion is what is put on record of a new node: nothing as long as it, or a
// node that has to read the record, understands less than the record needs.
func (m *Membership) admittedVersion(ctx context.Context, version uint64) uint64 {
	if version < records.NodeVersionSince || m.cluster.Understands(ctx, records.NodeVersionSince) != nil {
		return 0
	}
	return version
}
