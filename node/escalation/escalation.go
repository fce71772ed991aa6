// Package escalation calls one group after the other for an alert that says so: where too few of those who
// were called have answered in time, the next group is told, too.
//
//	SendAlert.escalate ─> Taken ─> factbody.Escalation, in the fact of the message
//	message in force, calls, answers ─> Of ─> who is next, and when
//	                                 └─> Caller.Do ─> follow-up fact: group n was called ─> whom the message is for
//
// All groups were held against the rules, the budget and the policy when the message was sent; a call
// decides nothing, and only makes its audience wider by what was decided then. Each group is called by a
// fact of a node, so a part of a district without a majority goes on, and two that call the same group call
// it once: whom a message is for is a set, and a device begins a revision once.
//
// It never imports api, channels, or another part of node but alerts, followup, reached, stories and wire.
package escalation

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/followup"
	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/node/wire/acts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/receipt"
)

// counted are the answers that count (CONTRACT.md, acknowledged): who confirmed it without a word has
// understood. Who needs help can give none, and words of a device's own may say anything.
var counted = []string{"", "done", "safe"}

// Index is the audience of now; *lookup.Index is one.
type Index interface {
	Resolve(audience.Target) (lookup.Resolution, error)
}

// Calls are the groups that were called; *followup.Book is one.
type Calls interface {
	Calls(fact string) []followup.Call
}

// Options say what a Reader needs. None may be nil.
type Options struct {
	Calls    Calls
	Audience func() Index
	Approved func(s *stories.Story, m *alerts.Message) []board.Approval // who approved a message
	Clock    func() time.Time
}

// Reader says how far escalations have got. Its methods may be called from any goroutine.
type Reader struct{ o Options }

// NewReader makes one.
func NewReader(o Options) *Reader { return &Reader{o} }

// Expected is the escalation of a message that is not in force: who would be in which group. Nil where it is
// for all at once.
func (r *Reader) Expected(m *alerts.Message) (*acts.Escalation, error) {
	e := m.Escalation()
	if e == nil {
		return nil, nil
	}
	targets, err := m.Targets()
	if err != nil {
		return nil, err
	}
	out := &acts.Escalation{Answers: int(e.Answers), Minutes: int(e.Minutes)}
	for group := 0; group <= len(e.Groups); group++ {
		g := acts.EscalationGroup{Select: m.Select()}
		of := targets
		if group > 0 {
			g.Select = e.Groups[group-1]
			of = e.Everybody(targets)[group*len(targets):][:len(targets)]
		}
		members := roaring.New()
		for _, t := range of {
			found, err := r.o.Audience().Resolve(t)
			if err != nil {
				continue // it addresses nobody, as everywhere
			}
			members.Or(found.Members)
		}
		g.Members = members.GetCardinality()
		out.Groups = append(out.Groups, g)
	}
	return out, nil
}

// Of is how far the escalation of a message of an alert has got. everybody is whom the message is for by now. Nil
// where it is for all at once. next is the group after the first, from 1, that is called at out.Next; 0 where
// none is.
func (r *Reader) Of(s *stories.Story, m *alerts.Message, everybody *roaring.Bitmap, view reached.View) (out *acts.Escalation, next int, err error) {
	if m == nil || m.Escalation() == nil {
		return nil, 0, nil
	}
	if m, err = m.Whole(); err != nil {
		return nil, 0, err
	}
	if out, err = r.Expected(m); err != nil {
		return nil, 0, err
	}
	answered, err := Answered(view, s.IDs, m.Entry.Revision, everybody)
	if err != nil {
		return nil, 0, err
	}
	out.Answered = answered.GetCardinality()
	out.Enough = out.Answered >= uint64(out.Answers)
	since, called := m.ShownSince(r.o.Approved(s, m)), int(m.Escalation().Called)
	for n := range called + 1 {
		out.Groups[n].Called = since
	}
	for _, c := range r.o.Calls.Calls(m.Fact) {
		if c.Group <= called || c.Group >= len(out.Groups) {
			continue
		}
		because := uint64(c.Answered)
		out.Groups[c.Group].Called, out.Groups[c.Group].Because = c.At, &because
		since, called = c.At, c.Group
	}
	if called+1 < len(out.Groups) && !out.Enough {
		next, out.Next = called+1, since.Add(time.Duration(out.Minutes)*time.Minute)
	}
	return out, next, nil
}

// Answered is who of these members has given an answer to the revision that counts, last of all.
func Answered(view reached.View, ids []alert.ID, revision alert.Revision, among *roaring.Bitmap) (*roaring.Bitmap, error) {
	who, err := view.Members(ids, revision, receipt.Acknowledged)
	if err != nil {
		return nil, err
	}
	who.And(among)
	said, err := view.Answers(ids, revision, who)
	if err != nil {
		return nil, err
	}
	for member, a := range said {
		if !slices.Contains(counted, a.Text) {
			who.Remove(member)
		}
	}
	return who, nil
}
