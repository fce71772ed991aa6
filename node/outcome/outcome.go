// Package outcome answers who warns, corrects, ends or approves: what the message does now, to whom,
// how far it got, and how many of those can be reached.
//
//	message, book ─> standing ─> effect, state
//	              ─> addressed ─> counts ─> connected here, connected anywhere (asks the other nodes)
//	progress      ─> replication
//
// It decides nothing and records nothing. It never imports api, channels or another part of node
// but addressed, alerts, authority, inflight, members, replication, stories, texts and wire.
package outcome

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/exchange"
	"almenara/cluster/peers"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/members"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/texts"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
)

// Connected asks all nodes which members have a device connected; *whereabouts.Nodes is one.
type Connected interface {
	// Connected gives those members, and the nodes that did not answer. Nodes of whom reachable
	// says no are not asked, and none but this one where it is nil.
	Connected(ctx context.Context, members *roaring.Bitmap, reachable func(node string) bool) (connected *roaring.Bitmap, silent []string)
}

// Options say what Answers need. None may be nil.
type Options struct {
	Book      *alerts.Book
	Addressed *addressed.Resolver
	Members   *members.Members
	Progress  *replication.Facts
	Connected Connected
	Here      func(members *roaring.Bitmap) int // how many devices of members this node reaches
	Peers     func() []peers.Peer
	Alone     func() bool // there is no majority
	Clock     func() time.Time
}

// Answers makes the answers. Its methods may be called from any goroutine.
type Answers struct{ Options }

// New makes one.
func New(o Options) *Answers { return &Answers{o} }

// Recorded tells what became of a message that was just recorded, whose fact has that progress.
func (a *Answers) Recorded(ctx context.Context, m *alerts.Message, p *exchange.Progress, wait wire.Wait, warnings why.Sentences) wire.Outcome {
	return a.of(ctx, a.Book, m, replication.Now(p), wait, warnings)
}

// Known tells what became of a message that was known before.
func (a *Answers) Known(ctx context.Context, m *alerts.Message, wait wire.Wait, warnings why.Sentences) wire.Outcome {
	out := a.of(ctx, a.Book, m, a.Progress.Of(m.Fact), wait, warnings)
	out.Duplicate = true
	return out
}

// Expected tells what would become of a message that is on a copy of the book only.
func (a *Answers) Expected(ctx context.Context, d *alerts.Book, m *alerts.Message, wait wire.Wait, warnings why.Sentences) wire.Outcome {
	out := Asked(a.of(ctx, d, m, replication.Reach{}, wait, warnings))
	out.Texts = texts.Of(m.Alert)
	return out
}

// Difference counts whom one message addresses with the audience of this moment and another does not:
// those who are added where after takes the place of before, and those for whom it ends.
func (a *Answers) Difference(before, after *alerts.Message) (added, ended wire.Counts, err error) {
	was, err := a.Addressed.Now(before)
	if err != nil {
		return added, ended, err
	}
	is, err := a.Addressed.Now(after)
	if err != nil {
		return added, ended, err
	}
	return a.Members.Counts(roaring.AndNot(is.Members, was.Members)), a.Members.Counts(roaring.AndNot(was.Members, is.Members)), nil
}

// Asked is the outcome of what was not recorded.
func Asked(out wire.Outcome) wire.Outcome {
	out.DryRun, out.Replication, out.HeldBy, out.HeldOf = true, "", 0, 0
	return out
}

// of says what a message on a book does now, and to whom.
func (a *Answers) of(ctx context.Context, d *alerts.Book, m *alerts.Message, got replication.Reach, wait wire.Wait, warnings why.Sentences) wire.Outcome {
	standing, id := d.Standing(m, a.Clock())
	out := wire.Outcome{
		Alert: string(id), Revision: uint64(d.Revision(m)), Key: m.Entry.Key.String(),
		MsgType: string(m.Entry.MsgType), State: stories.StateOf(standing), Effect: stories.EffectOf(standing, m.Entry), Warnings: warnings,
		Licence: m.Issue.Licence,
	}
	if out.Effect != wire.EffectNone { // otherwise nobody can approve it
		out.Approvals = authority.ApprovalsOut(m.Issue, d.Approvers(m))
	}
	out.Replication, out.HeldBy, out.HeldOf = got.Wire()
	reach, err := a.Addressed.Now(m)
	if err != nil {
		return out
	}
	out.Addressed, out.Unlocated = a.Members.Counts(reach.Members), reach.Unlocated
	out.Connected = a.Here(reach.Members)
	if reach.Members.IsEmpty() && m.Entry.MsgType != alert.MsgTypeCancel {
		out.Warnings = append(out.Warnings, why.Sayf("the area holds no member of this district: nobody is addressed").Because(why.NobodyAddressed))
	}
	if slices.Contains([]wire.Effect{wire.EffectWarns, wire.EffectLater, wire.EffectWaits}, out.Effect) {
		out.ReachableFrom = wire.SourceDistrict
		if wait == wire.WaitLocal || a.Alone() {
			out.ReachableFrom = wire.SourceThisNode
		}
		out.Reachable, out.Unanswered = a.reachable(ctx, reach.Members, out.ReachableFrom)
	}
	return out
}

// reachable counts the members that can be reached in the district. Who does not wait for
// others is told what is known here, and a node that is alone asks nobody.
func (a *Answers) reachable(ctx context.Context, members *roaring.Bitmap, from wire.Source) (*uint64, []string) {
	var reachable func(string) bool
	if from == wire.SourceDistrict {
		all := a.Peers()
		reachable = func(id string) bool {
			return slices.ContainsFunc(all, func(p peers.Peer) bool { return p.ID == id && p.Reachable })
		}
	}
	inflight.Waits(ctx)
	connected, silent := a.Connected.Connected(ctx, members, reachable)
	count := connected.GetCardinality()
	return &count, silent
}
