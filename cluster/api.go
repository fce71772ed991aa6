package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/cluster/proposals"
	"almenara/cluster/raftlog"
)

// Propose commits cmd and returns the state machine's answer: on return it is
// durable on a majority and applied on the leader. A follower forwards it. While
// there is no leader it waits; without a deadline in ctx, 10 s in all.
//
// A command of a version that some member is not known to understand is refused: it
// would stop that member. See Understands.
//
// Errors: ErrNotUpgraded, ErrNoLeader, ErrBusy, ErrDiskFull, ErrTooLarge and ErrStopped mean that nothing
// happened. ErrUnknownOutcome means that the command may be committed now or
// later: repeat it with its request id. *CommandError is the state machine's own
// error for a command that was committed.
func (c *Cluster) Propose(ctx context.Context, cmd []byte) ([]byte, error) {
	return c.proposals.Propose(ctx, cmd)
}

// Linearizable returns when a read of the local state machine will see every
// command that was answered anywhere before the call: the leader's commit index
// is taken, its leadership confirmed by a majority, and the index applied here
// (Raft dissertation §6.4). Without a deadline in ctx it takes at most 10 s.
// ErrNoLeader means that no such promise can be had now; the local state may still
// be read, with its age shown.
func (c *Cluster) Linearizable(ctx context.Context) error { return c.proposals.Linearizable(ctx) }

// Understands returns nil when every member of the latest configuration is known to
// apply commands of the version, else a *NotUpgradedError. A member that cannot be
// reached counts with what it said last, one that was never heard with what it said when it was admitted, or as old; who counts
// as old is asked once more, for a second at most.
func (c *Cluster) Understands(ctx context.Context, version uint64) error {
	return c.proposals.Understands(ctx, version)
}

// Remove takes the node out of the district for good. On return the new
// configuration is committed; the node itself learns it within seconds if it is
// alive. A leader that removes itself hands over first. ErrNotMember when there
// is no such node; ErrRefused, and nothing happened, when Removable says so.
func (c *Cluster) Remove(ctx context.Context, id string) error { return c.members.Remove(ctx, id) }

// Removable asks every voter that would remain where its log ends, and refuses
// (ErrRefused, with a sentence) when a majority of them is not at hand and up to date:
// the removal itself could not be committed, and a voter that does not know the members
// of today gives raft's leaders of today no vote, so nobody could lead when it is back.
// It also refuses to take the vote of a node that is there and leave fewer than three,
// while another has joined and does not vote yet: whoever replaces nodes waits for each.
// It takes a second at most. Any number of callers, on any node.
func (c *Cluster) Removable(ctx context.Context, id string) error {
	return c.members.Removable(ctx, id)
}

// Members are the server ids of the others in the raft configuration.
func (c *Cluster) Members() []string { return c.group.Members() }

// Changes yields the present leadership at once and then every change; a watcher
// that is slow misses what lies between, never the latest. Call cancel when done;
// the channel is not closed.
func (c *Cluster) Changes() (changes <-chan proposals.Leadership, cancel func()) {
	return c.proposals.Changes()
}

// Leadership is who leads now, as this node sees it.
func (c *Cluster) Leadership() proposals.Leadership {
	return c.proposals.Leadership()
}

// Invite makes a join token with the addresses of all members and commits its hash
// through Options.Invited. On return the token is good until ttl has passed.
func (c *Cluster) Invite(ctx context.Context, ttl time.Duration) (identity.Token, error) {
	if c.options.Invited == nil {
		return identity.Token{}, fmt.Errorf("inviting: %w: this node invites nobody", outcome.ErrRefused)
	}
	addrs := []string{c.options.Advertise}
	for _, id := range c.group.Members() {
		if addr, ok := c.peers.Resolve(id); ok && len(addrs) < 64 {
			addrs = append(addrs, addr)
		}
	}
	t := identity.NewToken(c.Identity().District, addrs)
	if err := c.options.Invited(ctx, t.Hash(), c.options.Clock().Add(ttl)); err != nil {
		return identity.Token{}, fmt.Errorf("inviting: %w", err)
	}
	return t, nil
}

// Quarantine is why this node takes no part in raft any more; nil while it does.
func (c *Cluster) Quarantine() *marks.Quarantine { return c.fence.Why() }

// Quarantined is closed when this node has met a newer incarnation of its district,
// now or before Start. Raft has stopped for good then: Propose and reads that need
// agreement return ErrQuarantined. Calls between nodes of the old incarnation go on.
func (c *Cluster) Quarantined() <-chan struct{} { return c.fence.Ended() }

// HandleHandover serves a path for nodes that take no part in the district any more;
// internode.PeerID gives the caller, which holds a certificate of the district and no more than
// that. Call it right after Start.
func (c *Cluster) HandleHandover(pattern string, h http.Handler) { c.handover.Handle(pattern, h) }

// QuarantineFor ends this node's part in raft for good, because something that it has
// on disk is not what it wrote: cause says what, reason the same in words for an operator. The mark is on
// this disk when it returns; raft ends soon after (Quarantined). Devices are warned on.
// Only the first call counts, also after a newer incarnation was met.
func (c *Cluster) QuarantineFor(cause marks.Cause, reason string) {
	c.fence.QuarantineFor(cause, reason)
}

// CheckLog reads the whole raft log and quarantines this node when it is damaged. It
// takes about a second per 100 MB and may be called at any time.
func (c *Cluster) CheckLog(ctx context.Context) error {
	err := raftlog.Check(ctx, c.store)
	if errors.Is(err, raftlog.ErrDamaged) {
		c.fence.QuarantineFor(marks.CauseLog, logReason(err))
	}
	return err
}
