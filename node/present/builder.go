package present

import (
	"cmp"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

const (
	// placeDepth is the level of the place tree whose places have manifests of their own:
	// district/estate/block.
	placeDepth = 3
	// maxPlaces bounds the manifests that a change can cost. A district with more places
	// at one level is divided one level above.
	maxPlaces = 1024
	// maxResolved and maxTime bound what one call works out; at least one alert is.
	maxResolved = 64
	maxTime     = 20 * time.Millisecond
)

// Audience is lookup.Index.
type Audience interface {
	comparable
	Resolve(audience.Target) (lookup.Resolution, error)
	Groups(depth int) []*roaring.Bitmap
	Generation() uint64
}

// Messages knows every message of the alerts.
type Messages interface {
	// MessagesOf lists the messages that belong or belonged to the alert; complete says that
	// none is missing that may have addressed somebody.
	MessagesOf(id alert.ID) (messages []alerts.Addressing, complete bool)
	// MessageCount changes whenever MessagesOf answers differently.
	MessageCount(id alert.ID) int
}

// BuilderOptions is what a Builder may touch. All fields but Reminded and Called are required.
type BuilderOptions[A Audience] struct {
	Audience func() A // may be another one after the state was replaced
	Messages Messages
	// Reminded is when devices were last to present what is in force again, and when they are the next time
	// by themselves, zero: they are not; nil is never.
	Reminded func(l alerts.Live) (last, next time.Time)
	// Called is how many of the further groups of the message of a fact were called; nil is none.
	Called func(fact string) int
	// Told is whom the record says that the message of the alert was for, or has reached:
	// the members of today may be others.
	Told   func(id alert.ID, m alerts.Addressing) (*roaring.Bitmap, error)
	Logger *slog.Logger
}

// Builder makes what the dispatcher is given: what is in force, for whom, and whom its messages ever
// addressed; what has ended, and who must hear of that; and the places whose members share a
// manifest. One goroutine at a time may use it.
//
// Working out whom a message addresses costs up to some milliseconds, and every change
// asks it of everything that is in force. So the answers are kept until the message or
// the audience changes, and a call works out a bounded number of them: emergencies that
// are new first, then ends, then what else is new, then what the audience has changed.
// Whoever builds again at once as long as there is more has told everybody everything
// after some calls, and an emergency never waits behind a burst of notices.
type Builder[A Audience] struct {
	BuilderOptions[A]

	audience   A
	generation uint64
	round      uint64 // counts the audiences
	places     *channels.Places
	items      map[alert.ID]*item
	ends       map[alert.ID]*end
	reaches    map[string]*reach // by fact
	kept       int               // of reaches, when last some were dropped
	failed     map[string]bool   // facts whose targets cannot be resolved
}

// item is what is known of an alert in force.
type item struct {
	live   alerts.Live
	rank   int
	round  uint64 // of the audience; 0: nothing has been worked out
	called int    // groups that were called when that was worked out
	parts  []channels.Part
	concern
}

// end is what is known of an alert that has ended.
type end struct {
	round uint64
	known bool
	concern
}

// concern is whom the messages of an alert ever addressed.
type concern struct {
	count int             // MessageCount when it was worked out
	to    *roaring.Bitmap // all that were ever found; nil: nothing yet
	all   bool            // some message is missing: it may concern anybody
}

// whom is the concern as the dispatcher takes it.
func (c *concern) whom() *roaring.Bitmap {
	if c.all {
		return nil
	}
	return c.to
}

// NewBuilder makes a builder that knows nothing yet.
func NewBuilder[A Audience](o BuilderOptions[A]) *Builder[A] {
	return &Builder[A]{
		BuilderOptions: o, items: map[alert.ID]*item{}, ends: map[alert.ID]*end{}, reaches: map[string]*reach{}, failed: map[string]bool{},
	}
}

// Todo is how much a Build left to be worked out by the next ones.
type Todo struct {
	Missing int // alerts that are not in the situation yet, and ends: build again at once
	Stale   int // alerts that are in it for the audience of before: build again soon

	Remind time.Time // when devices are next to present something again; zero: never
}

// Build makes the situation of what is in force and what has ended. What Todo says is
// missing is not in it.
func (b *Builder[A]) Build(inForce []alerts.Live, ended []board.End) (channels.Situation, Todo) {
	b.look()
	jobs := append(b.itemJobs(inForce), b.endJobs(ended)...)
	slices.SortStableFunc(jobs, func(x, y job) int { return cmp.Compare(x.order, y.order) })
	begun, resolved := time.Now(), 0
	var todo Todo
	for i, j := range jobs {
		if i > 0 && (resolved >= maxResolved || time.Since(begun) > maxTime) {
			for _, left := range jobs[i:] {
				if left.order >= orderStale {
					todo.Stale++
				} else {
					todo.Missing++
				}
			}
			break
		}
		resolved += j.work()
	}
	s := channels.Situation{Places: b.places}
	for _, l := range inForce {
		if it := b.items[l.ID]; it.round > 0 && it.parts != nil {
			last, next := b.reminded(l)
			if !next.IsZero() && (todo.Remind.IsZero() || next.Before(todo.Remind)) {
				todo.Remind = next
			}
			s.InForce = append(s.InForce, channels.Item{
				Alert: l.ID, Revision: l.Revision, Digest: l.Digest, Expires: l.Expires, Status: l.Status,
				Message: l.Message.Alert, Parts: it.parts, Concerns: it.whom(), Reminded: last,
			})
		}
	}
	for _, e := range ended {
		if known := b.ends[e.ID]; known.round > 0 {
			s.Ended = append(s.Ended, channels.End{Ended: Ended(e), To: known.whom(), Known: known.known})
		}
	}
	b.forget(inForce, ended)
	return s, todo
}

// reminded is when devices were last to present what is in force again, and when the next time is.
func (b *Builder[A]) reminded(l alerts.Live) (last, next time.Time) {
	if b.Reminded == nil {
		return last, next
	}
	return b.Reminded(l)
}

// The order of jobs: emergencies that are new, ends, what else is new by rank, and what was
// worked out for the audience of before.
const (
	orderEnd   = 1
	orderNew   = 2
	orderStale = 10
)

// job is something to work out; work says how many targets it resolved.
type job struct {
	order int
	work  func() int
}

// itemJobs lists what is to be worked out of what is in force.
func (b *Builder[A]) itemJobs(inForce []alerts.Live) (jobs []job) {
	for _, l := range inForce {
		it := b.items[l.ID]
		if it == nil {
			it = &item{}
			b.items[l.ID] = it
			if e := b.ends[l.ID]; e != nil { // it had ended under this id, and goes on
				it.concern = e.concern
			}
		}
		if !sameMessages(it.live, l) {
			it.parts = nil // they are of other words
			it.rank = Rank(l.Status, l.Message.Alert)
		}
		it.live = l
		fresh := it.parts == nil || it.called != b.calledOf(l) // who is called now is warned now
		switch {
		case fresh && it.rank == 0:
			jobs = append(jobs, job{0, func() int { return b.address(it) }})
		case fresh:
			jobs = append(jobs, job{orderNew + it.rank, func() int { return b.address(it) }})
		case it.round != b.round || it.count != b.Messages.MessageCount(l.ID):
			jobs = append(jobs, job{orderStale + it.rank, func() int { return b.address(it) }})
		}
	}
	return jobs
}

// sameMessages reports whether an alert says what it said before; nothing was said by the zero one.
func sameMessages(a, b alerts.Live) bool {
	return a.Message != nil && a.Message.Fact == b.Message.Fact && a.Status == b.Status && a.Message.Alert == b.Message.Alert &&
		slices.EqualFunc(a.Also, b.Also, func(x, y *alerts.Message) bool { return x.Fact == y.Fact })
}

// endJobs lists what is to be worked out of what has ended.
func (b *Builder[A]) endJobs(ended []board.End) (jobs []job) {
	for _, e := range ended {
		known := b.ends[e.ID]
		if known == nil {
			known = &end{}
			b.ends[e.ID] = known
			if it := b.items[e.ID]; it != nil {
				known.concern = it.concern
			}
		}
		switch count := b.Messages.MessageCount(e.ID); {
		case known.round == 0 || known.count != count:
			jobs = append(jobs, job{orderEnd, func() int { return b.conclude(e.ID, known) }})
		case known.round != b.round && !known.all:
			jobs = append(jobs, job{orderStale + len(tiers), func() int { return b.conclude(e.ID, known) }})
		}
	}
	return jobs
}

// conclude works out whom an end concerns.
func (b *Builder[A]) conclude(id alert.ID, e *end) int {
	messages, resolved := b.widen(id, &e.concern)
	e.known, e.round = messages > 0, b.round
	return resolved
}

var tiers = []string{alert.TierEmergency, alert.TierAdvisory, alert.TierDrill, alert.TierTest}

// Rank is 0 for what is shown as an emergency, and higher for what is quieter.
func Rank(status alert.Status, a *alert.Alert) int {
	return slices.Index(tiers, alert.PresentationOf(status, a.Infos).Tier)
}

// look notes whether the audience has changed, and divides it into places.
func (b *Builder[A]) look() {
	now := b.BuilderOptions.Audience()
	generation := now.Generation()
	if b.round > 0 && now == b.audience && generation == b.generation {
		return
	}
	b.audience, b.generation = now, generation
	b.round++
	for depth := placeDepth; depth >= 0; depth-- {
		if groups := now.Groups(depth); len(groups) <= maxPlaces {
			if !b.places.Same(groups) {
				b.places = channels.NewPlaces(groups)
			}
			return
		}
	}
}

// forget drops what is neither in force nor has to be listed as ended.
func (b *Builder[A]) forget(inForce []alerts.Live, ended []board.End) {
	if len(b.items) > len(inForce) {
		live := make(map[alert.ID]bool, len(inForce))
		for _, l := range inForce {
			live[l.ID] = true
		}
		maps.DeleteFunc(b.items, func(id alert.ID, _ *item) bool { return !live[id] })
	}
	if len(b.ends) > len(ended) {
		over := make(map[alert.ID]bool, len(ended))
		for _, e := range ended {
			over[e.ID] = true
		}
		maps.DeleteFunc(b.ends, func(id alert.ID, _ *end) bool { return !over[id] })
	}
	b.forgetReaches()
}

// forgetReaches drops what was worked out for messages of other alerts, now and then.
func (b *Builder[A]) forgetReaches() {
	if len(b.reaches) < 2*b.kept+64 {
		return
	}
	needed := map[string]bool{}
	for _, ids := range []iter.Seq[alert.ID]{maps.Keys(b.items), maps.Keys(b.ends)} {
		for id := range ids {
			messages, _ := b.Messages.MessagesOf(id)
			for _, m := range messages {
				needed[m.Fact] = true
			}
		}
	}
	maps.DeleteFunc(b.reaches, func(fact string, _ *reach) bool { return !needed[fact] })
	maps.DeleteFunc(b.failed, func(fact string, _ bool) bool { return !needed[fact] })
	b.kept = len(b.reaches)
}

// Ended is an end as devices are told it.
func Ended(e board.End) contract.Ended {
	why := string(e.Why)
	if e.Drill && e.Revision > 0 {
		why = contract.WhyDrillOver
	}
	return contract.Ended{ID: string(e.ID), Revision: uint64(e.Revision), At: e.At.UTC(), Why: why, Expires: e.Expires.UTC()}
}
