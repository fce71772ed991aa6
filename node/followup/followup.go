// Package followup is what people do about an alert after it was sent: they say that they told somebody
// in person, and have devices present it again that nobody has confirmed. Each is a fact of this node,
// so it works without a majority.
//
//	the console, the API ─> Rules.Check ─> Exchange.Create ─> Book ─> who reads, and what devices are given
//
// A member that a person told is told, and never presented: no count of receipts has it. It never
// imports api, channels, or another part of node but addressed, authority, reached, replication, stories
// and wire.
package followup

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/reached"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/member"
	"almenara/storage/receipt"
)

// remindsEvery is how soon after a reminder the next one may be asked for: a siren that begins again
// every few seconds is heard by nobody.
const remindsEvery = time.Minute

// Exchange makes facts; *exchange.Exchange is one.
type Exchange interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// Options say what FollowUps need. None may be nil.
type Options struct {
	Book      *Book
	Stories   *stories.Finder
	Addressed *addressed.Resolver
	Reached   *reached.Known
	Rules     *authority.Rules
	Exchange  Exchange
	Progress  *replication.Facts
	Store     *storage.Store
	Audience  func() *lookup.Index
	// Understood reports an error while a node of the district does not understand commands of
	// that version.
	Understood func(ctx context.Context, version uint64) error
	Alone      func() bool
	Clock      func() time.Time
}

// FollowUps answers service.FollowUps. Its methods may be called from any goroutine.
type FollowUps struct {
	o         Options
	reminding sync.Mutex // held by who asks for reminders: of two at once the second one is too soon
}

// New makes one.
func New(o Options) *FollowUps { return &FollowUps{o: o} }

// MarkTold implements service.FollowUps.
func (f *FollowUps) MarkTold(ctx context.Context, by authority.Caller, id string, in acts.MarkTold, wait wire.Wait) (acts.Told, error) {
	s, m, err := f.standing(id, "said to be told")
	if err != nil {
		return acts.Told{}, err
	}
	missing, everybody, err := f.below(s, m, receipt.Presented)
	if err != nil {
		return acts.Told{}, err
	}
	known, err := f.o.Book.Told(s.IDs, m.Entry.Revision)
	if err != nil {
		return acts.Told{}, err
	}
	marked := roaring.New()
	for o := range known {
		marked.Add(o)
	}
	among := roaring.AndNot(missing, marked) // who has presented it, or was told before, is not marked
	if in.TakeBack {
		among = marked
	}
	members, err := f.meant(in, among, everybody)
	if err != nil {
		return acts.Told{}, err
	}
	if _, err := f.o.Rules.Check(by, authority.FollowUp, authority.About{Members: members}); err != nil {
		return acts.Told{}, err
	}
	fresh := roaring.And(members, among)
	u := factbody.FollowUp{
		Alert: string(s.ID), Revision: uint64(m.Entry.Revision), What: factbody.Told, Members: fresh.ToArray(), By: by.Name,
		At: f.o.Book.above(s.IDs, m.Entry.Revision, fresh.ToArray(), f.o.Clock()), Note: in.Note,
	}
	out := acts.Told{Alert: string(s.ID), Marked: fresh.GetCardinality()}
	if in.TakeBack {
		u.What, out.Marked, out.TakenBack = factbody.TakeBack, 0, out.Marked
	}
	if fresh.IsEmpty() {
		return out, nil
	}
	progress, err := f.record(ctx, u)
	if err != nil {
		return acts.Told{}, err
	}
	replication.Await(ctx, progress, wait, f.o.Alone)
	return out, nil
}

// meant is whom a mark is about: members by their ids, or everybody in a place who is among those that it
// may be about.
func (f *FollowUps) meant(in acts.MarkTold, among, everybody *roaring.Bitmap) (*roaring.Bitmap, error) {
	out := roaring.New()
	switch {
	case (len(in.Members) == 0) == (in.Place == ""):
		return nil, wire.Problemf(wire.KindMalformed, "nothing was recorded: either members or a place are needed").Because(why.FormWrong)
	case len(in.Members) > factbody.MaxToldMembers:
		return nil, wire.Problemf(wire.KindTooLarge, "nothing was recorded: at most %d members are marked at a time", factbody.MaxToldMembers).Because(why.MarkedMany, factbody.MaxToldMembers)
	case len(in.Note) > factbody.MaxToldNote:
		return nil, wire.Problemf(wire.KindMalformed, "nothing was recorded: a note has at most %d bytes", factbody.MaxToldNote).Because(why.BytesLong, factbody.MaxToldNote)
	case in.Place != "":
		under, err := authority.Under(in.Place)
		if err != nil {
			return nil, err
		}
		inside, err := f.o.Audience().Select(under)
		if err != nil {
			return nil, fmt.Errorf("selecting a place: %w", err)
		}
		if !inside.Intersects(everybody) { // a path that is written otherwise: nobody would know that nobody counts as told
			return nil, wire.Problemf(wire.KindNotFound, "nothing was recorded: the alert is for nobody in %.200q; a place is its whole path, as alert receipts lists it", in.Place).Because(why.NotForPlace, in.Place)
		}
		out.Or(inside)
		out.And(among)
		if n := out.GetCardinality(); n > factbody.MaxToldMembers {
			return nil, wire.Problemf(wire.KindTooLarge, "nothing was recorded: %d members in %s are meant, and at most %d are marked at a time; name a smaller place", n, in.Place, factbody.MaxToldMembers).Because(why.MarkedMany, factbody.MaxToldMembers)
		}
		return out, nil
	}
	return out, f.o.Store.View(func(t *storage.Txn) error {
		for _, id := range in.Members {
			head, ok, err := member.Head(t, id)
			if err != nil {
				return err
			}
			if !ok || !everybody.Contains(head.Ordinal) {
				return wire.Problemf(wire.KindNotFound, "nothing was recorded: the alert is not for a member %.100q", id).Because(why.NotForMember, id)
			}
			out.Add(head.Ordinal)
		}
		return nil
	})
}

// Remind implements service.FollowUps.
func (f *FollowUps) Remind(ctx context.Context, by authority.Caller, id string, in acts.Remind, wait wire.Wait) (acts.Reminded, error) {
	if in.EveryMinutes < 0 || in.EveryMinutes > factbody.MaxRemindEvery {
		return acts.Reminded{}, wire.Problemf(wire.KindMalformed, "nobody was reminded: the minutes between reminders are from 1 to %d, and 0 is once", factbody.MaxRemindEvery).Because(why.RemindMinutes, factbody.MaxRemindEvery)
	}
	s, m, err := f.standing(id, "presented again")
	if err != nil {
		return acts.Reminded{}, err
	}
	unread, everybody, err := f.below(s, m, receipt.Acknowledged)
	if err != nil {
		return acts.Reminded{}, err
	}
	if _, err := f.o.Rules.Check(by, authority.FollowUp, authority.About{Members: everybody}); err != nil {
		return acts.Reminded{}, err
	}
	out := acts.Reminded{Alert: string(s.ID), Unread: unread.GetCardinality(), EveryMinutes: in.EveryMinutes}
	progress, err := f.recordReminder(ctx, by, s, m, in)
	if err != nil {
		return acts.Reminded{}, err
	}
	replication.Await(ctx, progress, wait, f.o.Alone)
	return out, nil
}

// recordReminder makes the fact of a reminder that does not come too soon after the one before.
func (f *FollowUps) recordReminder(ctx context.Context, by authority.Caller, s *stories.Story, m *alerts.Message, in acts.Remind) (*exchange.Progress, error) {
	f.reminding.Lock()
	defer f.reminding.Unlock()
	now := f.o.Clock()
	last, next, _ := f.o.Book.RemindersOf(s.IDs, m, func() []board.Approval { return f.o.Stories.Approved(s, m) }, now)
	ends := in.EveryMinutes == 0 && !next.IsZero()
	if passed := now.Sub(last); passed < remindsEvery && !ends { // another interval is a reminder now, too
		return nil, &wire.Problem{Kind: wire.KindOverBudget, RetryAfter: int((remindsEvery - passed).Seconds()) + 1,
			Sentence: fmt.Sprintf("the alert %s was presented again less than a minute ago; wait a little", s.ID), Why: why.Why{Reason: why.JustReminded}}
	}
	return f.record(ctx, factbody.FollowUp{
		Alert: string(s.ID), Revision: uint64(m.Entry.Revision), What: factbody.Remind, Every: uint32(in.EveryMinutes), By: by.Name,
		At: f.o.Book.next(s.IDs, m.Entry.Revision, now),
	})
}

// standing is the message of an alert that devices show now.
func (f *FollowUps) standing(id, done string) (*stories.Story, *alerts.Message, error) {
	s, err := f.o.Stories.Find(id)
	if err != nil {
		return nil, nil, err
	}
	m := s.Current()
	if state := f.o.Stories.State(s); m == nil || state != wire.StateInForce {
		return nil, nil, wire.Problemf(wire.KindRefused, "the alert %s is not %s: it is %s, and no device shows it", s.ID, done, state).Because(why.NotShown, why.Words{Of: "state.", Values: []string{string(state)}})
	}
	if !alert.Presentable(s.Status) {
		return nil, nil, wire.Problemf(wire.KindRefused, "the alert %s is not %s: no device shows it", s.ID, done).Because(why.AlertOver)
	}
	return s, m, nil
}

// below is who of everybody whom the message is for has not reached the rung.
func (f *FollowUps) below(s *stories.Story, m *alerts.Message, rung receipt.Rung) (missing, everybody *roaring.Bitmap, err error) {
	who, err := f.o.Addressed.Of(s, m)
	if err != nil {
		return nil, nil, err
	}
	view, err := f.o.Reached.Now()
	if err != nil {
		return nil, nil, err
	}
	there, err := view.Members(s.IDs, m.Entry.Revision, rung)
	if err != nil {
		return nil, nil, err
	}
	everybody = who.Entitled()
	return roaring.AndNot(everybody, there), everybody, nil
}

// Record makes a fact of what a node does by itself about an alert. It is durable here when it returns.
func (f *FollowUps) Record(ctx context.Context, u factbody.FollowUp) error {
	_, err := f.record(ctx, u)
	return err
}

// record makes the fact. It is durable here when it returns.
func (f *FollowUps) record(ctx context.Context, u factbody.FollowUp) (*exchange.Progress, error) {
	slices.Sort(u.Members)
	body, err := u.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding what was done about an alert: %w", err)
	}
	if err := f.o.Understood(ctx, factbody.FollowUpVersion(body)); err != nil {
		return nil, err
	}
	progress, err := f.o.Exchange.Create(ctx, fact.KindFollowUp, fact.Alerts, body)
	if err != nil {
		return nil, replication.Unrecorded(err)
	}
	f.o.Progress.Put(progress)
	return progress, nil
}
