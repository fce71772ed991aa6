package present

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// lawSeeds is how many districts the invariant is tried on: seeds 1 to lawSeeds.
const lawSeeds = 20

// lawDistrict is a node's book, audience, builder and dispatcher, and many senders who warn,
// correct and cancel at random, also what was never seen, with any reference and time.
type lawDistrict struct {
	random     *rand.Rand
	now        time.Time
	book       *alerts.Book
	index      *lookup.Index
	members    uint32
	situations *Builder[*lookup.Index]
	dispatcher *channels.Dispatcher
	given      *channels.Now
	sent       []*alerts.Message
	ever       map[string]*roaring.Bitmap // by fact: whom the message has addressed while it was in force
}

// Proves implements channels.Outlet.
func (*lawDistrict) Proves() []receipt.Rung { return nil }

func (d *lawDistrict) Set(now *channels.Now) { d.given = now }

func newLawDistrict(t *testing.T, seed uint64) *lawDistrict {
	d := &lawDistrict{
		random: rand.New(rand.NewPCG(seed, 3)), now: noon, book: alerts.NewBook(nil), index: lookup.New(),
		ever: map[string]*roaring.Bitmap{},
	}
	d.members = uint32(1 + d.random.IntN(80))
	for member := range d.members {
		d.move(member)
	}
	d.situations = NewBuilder(BuilderOptions[*lookup.Index]{
		Audience: func() *lookup.Index { return d.index }, Messages: d.book, Logger: quiet,
		Told: func(alert.ID, alerts.Addressing) (*roaring.Bitmap, error) { return roaring.New(), nil },
	})
	var err error
	d.dispatcher, err = channels.NewDispatcher(channels.Options{
		Signer: contract.Signer{KeyID: "k", Key: roamKeys[0]}, Node: "N", Clock: func() time.Time { return d.now },
		Outlets: []channels.Outlet{d}, Logger: quiet, MaxPage: []int{channels.MaxBody, 5_000}[d.random.IntN(2)],
	})
	require.NoError(t, err)
	return d
}

func (d *lawDistrict) place() audience.Path {
	return audience.Path(fmt.Sprintf("tm/e%d/b%d", d.random.IntN(3), d.random.IntN(4)))
}

// move puts a member into some block.
func (d *lawDistrict) move(member uint32) {
	d.index.Put(member, &audience.Member{ID: fmt.Sprint("d", member), Kind: audience.KindScreen, Place: d.place()})
}

// send makes a message of any sender to any place, at any time.
func (d *lawDistrict) send() {
	n := len(d.sent)
	a := &alert.Alert{
		Identifier: fmt.Sprint("m", n), Sender: fmt.Sprint("s", d.random.IntN(4)), Status: alert.StatusActual, Scope: alert.ScopePublic,
		Sent:    alert.NewDateTime(d.now.Add(time.Duration(d.random.IntN(600)-300) * time.Second).Truncate(time.Second)),
		MsgType: []alert.MsgType{alert.MsgTypeAlert, alert.MsgTypeAlert, alert.MsgTypeAlert, alert.MsgTypeUpdate, alert.MsgTypeCancel}[d.random.IntN(5)],
	}
	if d.random.IntN(12) == 0 {
		a.Status = alert.StatusExercise
	}
	if a.MsgType != alert.MsgTypeAlert {
		for range 1 + d.random.IntN(3) {
			a.References = append(a.References, d.reference())
		}
	}
	var targets []audience.Target
	if a.MsgType != alert.MsgTypeCancel {
		severity := []string{"Extreme", "Minor"}[d.random.IntN(2)]
		a.Infos = []alert.Info{{
			Event: "Fire", Urgency: "Immediate", Severity: severity, Certainty: "Observed", Headline: "h",
			Expires: alert.NewDateTime(d.now.Add(time.Duration(10+d.random.IntN(3000)) * time.Second).Truncate(time.Second)),
		}}
		targets = []audience.Target{{Select: []string{"all", `place under "` + string(d.place()) + `"`}[min(1, d.random.IntN(5))]}}
	}
	fact := fmt.Sprint("f", n)
	m := &alerts.Message{Fact: fact, Issue: factbody.Issue{Targets: targets}, Alert: a, Entry: board.EntryOf(a, a.Digest().String(), d.now, fact)}
	d.sent = append(d.sent, m)
	d.book.Add(m)
}

// reference is a message that was sent, or one that nobody ever saw.
func (d *lawDistrict) reference() alert.Key {
	if len(d.sent) > 0 && d.random.IntN(4) > 0 {
		return d.sent[d.random.IntN(len(d.sent))].Entry.Key
	}
	return alert.Key{Sender: "s0", Identifier: fmt.Sprint("unseen", d.random.IntN(1000)), Sent: alert.NewDateTime(d.now.Truncate(time.Second))}
}

// present does what the presenter does, until nothing is left to be worked out.
func (d *lawDistrict) present(t *testing.T) alerts.Picture {
	for {
		p := d.book.At(d.now)
		s, todo := d.situations.Build(p.InForce, p.Ended)
		require.NoError(t, d.dispatcher.Set(s))
		if todo == (Todo{}) {
			return p
		}
	}
}

// note remembers whom every message that is in force addresses now.
func (d *lawDistrict) note(p alerts.Picture) {
	for _, l := range p.InForce {
		to := d.resolve(l.Message)
		if old := d.ever[l.Fact]; old != nil {
			to.Or(old)
		}
		d.ever[l.Fact] = to
	}
}

func (d *lawDistrict) resolve(m *alerts.Message) *roaring.Bitmap {
	to := roaring.New()
	for _, t := range m.Issue.Targets {
		if found, err := d.index.Resolve(t); err == nil {
			to.Or(found.Members)
		}
	}
	return to
}

// broken says which sentence of the invariant does not hold: whatever is in force is
// listed to everybody whom it ever addressed, and delivered to whom it addresses now;
// whatever has ended is listed as ended to everybody whom it ever addressed, and to all
// where somebody may have been addressed by what nobody here has seen.
func (d *lawDistrict) broken(p alerts.Picture) string {
	listed, over := make([]map[string]uint64, d.given.Places.Len()), make([]map[string]bool, d.given.Places.Len())
	for group := range listed {
		listed[group], over[group] = map[string]uint64{}, map[string]bool{}
		for _, page := range d.given.Of(group).Pages {
			m := payload[contract.Manifest](page)
			for _, in := range m.InForce {
				listed[group][in.ID] = in.Revision
			}
			for _, end := range m.Ended {
				over[group][end.ID] = true
			}
		}
	}
	delivered := map[alert.ID]*roaring.Bitmap{}
	for _, a := range d.given.Active {
		if delivered[a.Alert] == nil {
			delivered[a.Alert] = roaring.New()
		}
		delivered[a.Alert].Or(a.To)
	}
	concern := map[alert.ID]*roaring.Bitmap{} // whom it may be shown at
	for _, l := range p.InForce {
		concern[l.ID] = d.concerned(l.ID)
		concern[l.ID].Or(d.resolve(l.Message))
		if to := d.resolve(l.Message); !to.IsEmpty() && (delivered[l.ID] == nil || !delivered[l.ID].Equals(to)) {
			return fmt.Sprintf("the body of %s goes to %v and not to %v", l.ID, delivered[l.ID], to)
		}
	}
	for _, end := range p.Ended {
		if concern[alert.ID("end of "+end.ID)] = d.concerned(end.ID); !d.complete(end.ID) {
			concern["end of "+end.ID].AddRange(0, uint64(d.members))
		}
	}
	for member := range d.members {
		group := d.given.Places.Of(member)
		for _, l := range p.InForce {
			if concern[l.ID].Contains(member) && listed[group][string(l.ID)] != uint64(l.Revision) {
				return fmt.Sprintf("member %d is not told that %s/%d is in force", member, l.ID, l.Revision)
			}
		}
		for _, end := range p.Ended {
			if concern["end of "+end.ID].Contains(member) && !over[group][string(end.ID)] {
				return fmt.Sprintf("member %d is not told that %s has ended", member, end.ID)
			}
		}
	}
	return ""
}

func (d *lawDistrict) complete(id alert.ID) bool {
	_, complete := d.book.MessagesOf(id)
	return complete
}

// concerned is whom any message of the alert that has not run out has addressed.
func (d *lawDistrict) concerned(id alert.ID) *roaring.Bitmap {
	to := roaring.New()
	messages, _ := d.book.MessagesOf(id)
	for _, m := range messages {
		if sent := d.book.Message(m.Fact); d.ever[m.Fact] != nil && d.now.Before(sent.Entry.Expires) {
			to.Or(d.ever[m.Fact])
		}
	}
	return to
}

// Whatever anybody sends, however much of it, and wherever devices move meanwhile: what is
// in force is listed, delivered and ended at every member that it concerns.
func TestSituation_WhateverIsInForceIsListedDeliveredAndEnded(t *testing.T) {
	for seed := uint64(1); seed <= lawSeeds; seed++ {
		d := newLawDistrict(t, seed)
		for range 4 {
			for range d.random.IntN([]int{10, 60, 500}[d.random.IntN(3)]) {
				d.send()
			}
			for range d.random.IntN(10) {
				d.move(uint32(d.random.IntN(int(d.members))))
			}
			p := d.present(t)
			d.note(p)
			if fault := d.broken(p); fault != "" {
				t.Fatalf("seed %d of %d: %s", seed, lawSeeds, fault)
			}
			d.now = d.now.Add(time.Duration(d.random.IntN(600)) * time.Second)
		}
	}
}
