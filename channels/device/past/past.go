// Package past is what a device has of the time before a power cut beside its rules: the bodies that it showed, signed as
// they came, when that was, and whether nodes let it in. By it a device may show without a node what it had presented
// (CONTRACT.md §7.5). It decides nothing of an alert, and knows no connection. Of our packages it imports the contract and
// channels/device/rules.
package past

import (
	"bytes"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

const (
	// Patience is how long the nodes are given to say what stands.
	Patience = 5 * time.Second
	// behindMost is how far the box's clock may be behind the time that was stored last.
	behindMost = 15 * time.Second
)

// Wall is the clock of the box of a device, which goes on while the device does not run.
type Wall interface {
	// Now is the time as the box has it. Anybody may set it.
	Now() time.Time
	// Run names the time through which the clock has run until now, as since the box was started.
	Run() string
	// RanSince reports whether the clock has run since a run of that name, or was set since by something that knows the
	// time: a box without a battery begins again at the time at which its power went.
	RanSince(run string) bool
}

// Past is what a device has of the time before a power cut. One goroutine at a time may use it. The zero value has nothing.
type Past struct {
	wall    Wall      // nil: nothing is kept, and nothing is shown
	begun   time.Time // by the device's clock: when the device began, or its power came back
	bodies  map[named]signedBody
	time    *Time // nil: not known
	refused bool  // the last node that answered does not let this device in
}

// named tells bodies apart: two halves of a district may have given one revision two contents.
type named struct {
	alert    string
	revision uint64
	digest   string
}

func nameOf(b *contract.Body) named { return named{b.Alert, b.Revision, b.Digest} }

// signedBody is a body as it came.
type signedBody struct {
	jws  []byte
	body *contract.Body // as the signature says; nil where it does not verify by the present ring
}

// Time is when the memory was stored last.
type Time struct {
	At    time.Time     `json:"at"`    // by the corrected clock
	Ahead time.Duration `json:"ahead"` // of the box's clock
	Run   string        `json:"run,omitempty"`
}

// Stored is what outlives a power cut.
type Stored struct {
	Bodies  []string `json:"bodies,omitempty"` // that are shown, signed as they came
	Time    *Time    `json:"time,omitempty"`
	Refused bool     `json:"refused,omitempty"` // by the node that answered last
}

// New has nothing yet. now is the time by the device's clock.
func New(wall Wall, now time.Time) Past { return Past{wall: wall, begun: now} }

// Keep keeps a body that has verified as it came, so that it can be verified again after a power cut.
func (p *Past) Keep(b contract.Body, jws []byte) {
	if p.wall == nil {
		return
	}
	if p.bodies == nil {
		p.bodies = map[named]signedBody{}
	}
	p.bodies[nameOf(&b)] = signedBody{bytes.Clone(jws), &b}
}

// VerifyAgain holds every body against a ring that has come: a key that was taken out of it counts for nothing.
func (p *Past) VerifyAgain(ring contract.Ring) {
	for name, kept := range p.bodies {
		kept.body = nil
		if b, err := contract.Open[contract.Body](ring, kept.jws); err == nil && nameOf(&b) == name {
			kept.body = &b
		}
		p.bodies[name] = kept
	}
}

// CutPower is what a power cut does: what is left has to verify again, and nodes have time to answer from now on.
func (p *Past) CutPower(ring contract.Ring, now time.Time) {
	p.begun = now
	p.VerifyAgain(ring)
}

// Export gives what is to be stored, at now by the device's clock. What the rules have no more is forgotten. The time is
// the one of before as long as no manifest has told it anew.
func (p *Past) Export(r *rules.Rules, now time.Time) Stored {
	if at := r.Corrected(now); p.wall != nil && !r.LastWord().IsZero() {
		p.time = &Time{At: at.Round(0), Ahead: at.Sub(p.wall.Now()), Run: p.wall.Run()}
	}
	s := Stored{Time: p.time, Refused: p.refused}
	for name, kept := range p.bodies {
		has, shown := rules.Has(r, &contract.Body{Alert: name.alert, Revision: name.revision, Digest: name.digest})
		if !has {
			delete(p.bodies, name)
		} else if shown {
			s.Bodies = append(s.Bodies, string(kept.jws))
		}
	}
	return s
}

// Import takes what was stored. What does not verify is passed over, and refuse hears why.
func (p *Past) Import(s Stored, ring contract.Ring, refuse func(error)) {
	p.time, p.refused, p.bodies = s.Time, s.Refused, map[named]signedBody{}
	for _, jws := range s.Bodies {
		b, err := contract.Open[contract.Body](ring, []byte(jws))
		if err != nil {
			refuse(err)
			continue
		}
		p.bodies[nameOf(&b)] = signedBody{[]byte(jws), &b}
	}
}

// LetIn notes whether a node lets the device in, and reports whether that is news.
func (p *Past) LetIn(in bool) bool {
	news := p.refused == in
	p.refused = !in
	return news
}

// Now is the time that holds for what was shown before a power cut: the later one of what the box's clock says, and
// what it said when it was corrected last, so that what has run out by either is over. False where nobody knows how
// late it is: the clock stood still meanwhile, or is behind what it was.
func (p *Past) Now() (time.Time, bool) {
	if p.wall == nil || p.time == nil || !p.wall.RanSince(p.time.Run) {
		return time.Time{}, false
	}
	wall := p.wall.Now()
	if wall.Add(p.time.Ahead).Before(p.time.At.Add(-behindMost)) {
		return time.Time{}, false
	}
	return wall.Add(max(p.time.Ahead, 0)), true
}

// Unconfirmed is what the rules may show without a node, at now by the device's clock: nothing before nodes had time to
// answer, where a node does not let the device in, or where nobody knows how late it is.
func (p *Past) Unconfirmed(r *rules.Rules, now time.Time) []rules.Effect {
	if p.refused || now.Sub(p.begun) < Patience {
		return nil
	}
	at, known := p.Now()
	if !known {
		return nil
	}
	return r.Unconfirmed(at, func(b *contract.Body) *contract.Body { return p.bodies[nameOf(b)].body })
}
