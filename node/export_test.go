package node

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/raft"

	"almenara/cluster/command"
	"almenara/node/machine"
)

// ProposeRaw commits bytes that no version of this software may have written.
func (n *Node) ProposeRaw(ctx context.Context, entry []byte) ([]byte, error) {
	return n.cluster.Propose(ctx, entry)
}

// CheckWith makes the daily check run one part only. It is called before Start.
func (n *Node) CheckWith(run func(context.Context) error) {
	n.checks = func() []machine.Part { return []machine.Part{{Name: "test", Verify: run, Rotten: errors.New("fatal")}} }
}

// TakeKey does the first half of a removal: the node's key leaves the key ring, and the
// node is still a member.
func (n *Node) TakeKey(ctx context.Context, id string) error {
	if _, err := n.proposer.Change(ctx, "test", &command.RemoveNode{ID: id}); err != nil {
		return err
	}
	return n.ring.Keep(ctx)
}

// Settle puts one block of receipts on record.
func (n *Node) Settle(ctx context.Context, block []byte) (<-chan struct{}, error) {
	return settlerOf(n).Settle(ctx, block)
}

// VotersHeld is how many vote by what this node's state holds, which backups and recoveries
// go by. It follows what raft knows.
func (n *Node) VotersHeld() (voters int, err error) {
	applied, err := n.store.Applied()
	if err != nil || len(applied.Configuration) == 0 {
		return 0, err
	}
	for _, s := range raft.DecodeConfiguration(applied.Configuration).Servers {
		if s.Suffrage == raft.Voter {
			voters++
		}
	}
	return voters, nil
}

// TextsHeld is how many messages the node has in memory with all that they say.
func (n *Node) TextsHeld() (held int) {
	for _, id := range n.book.Open(n.options.Clock()) {
		card, _ := n.book.Card(id)
		for _, m := range n.book.Of(slices.Concat(card.Messages, card.Cancels, card.Lost)) {
			if m.Alert != nil {
				held++
			}
		}
	}
	return held
}
