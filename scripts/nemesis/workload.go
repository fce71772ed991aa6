//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

// atOnce bounds the requests under way.
const atOnce = 24

// maxMessages bounds the messages of a run, so that the manifests of a long one stay
// as small as those of a district. Long runs send more slowly.
const maxMessages = 500

// leastPause is the shortest time between two requests.
const leastPause = 400 * time.Millisecond

// workload asks the nodes for things while they suffer.
type workload struct {
	rig   *rig
	crowd *crowd
	book  *book
	rand  *rand.Rand
	send  *sender
	ctx   context.Context

	slots  chan struct{}
	under  sync.WaitGroup
	edits  chan func() // one at a time: their order is known
	batch  int
	enrols int

	incidents int
	waiting   []*pressed // for the second person
	sent      []*pressed
}

func newWorkload(g *rig, c *crowd, b *book, seed uint64, run string) *workload {
	r := rand.New(rand.NewPCG(seed, 2))
	return &workload{
		rig: g, crowd: c, book: b, rand: r, send: &sender{rand: r, run: run},
		slots: make(chan struct{}, atOnce), edits: make(chan func(), 1),
	}
}

// run asks until ctx ends, and waits for the answers.
func (w *workload) run(ctx context.Context, length time.Duration) {
	w.ctx = context.WithoutCancel(ctx) // what was asked is waited for; every call is bounded
	pause := max(leastPause, length/maxMessages)
	var editing sync.WaitGroup
	editing.Go(func() {
		for edit := range w.edits {
			edit()
		}
	})
	defer editing.Wait()
	defer w.under.Wait()
	defer close(w.edits)
	for wait(ctx, pause/2+time.Duration(w.rand.Int64N(int64(pause)))) == nil {
		w.next()
	}
}

// next asks one node for one thing.
func (w *workload) next() {
	now := time.Now()
	members := w.rig.now()
	first := int(w.rand.Uint64() % uint64(len(members)))
	node := members[first]
	members = append(members[first:], members[:first]...)
	switch pick := w.rand.IntN(100); {
	case pick < 33:
		w.post(w.send.raise(now), members)
	case pick < 37:
		w.press(members, false)
	case pick < 41:
		w.press(members, true)
	case pick < 44:
		w.approve(node)
	case pick < 45:
		w.clear(node)
	case pick < 62:
		if l, ok := w.send.update(now); ok {
			w.post(l, members)
		}
	case pick < 74:
		if l, ok := w.send.cancel(now); ok {
			w.post(l, members)
		}
	case pick < 80:
		w.recall(now, node)
	case pick < 95:
		w.edit(node)
	default:
		w.enrol(node)
	}
}

// do runs one request, unless too many are under way.
func (w *workload) do(request func()) {
	select {
	case w.slots <- struct{}{}:
	default:
		return
	}
	w.under.Go(func() {
		defer func() { <-w.slots }()
		request()
	})
}

// waits are how far the answers may wait for.
var waits = []string{client.WaitLocal, client.WaitHeld, client.WaitCommitted}

// post sends a message to the first node, and again to the next one when no answer came, as
// a careful sender does. The message says who it is, so that it counts once.
func (w *workload) post(l letter, nodes []*node) {
	how := waits[w.rand.IntN(len(waits))]
	again := w.rand.IntN(10) == 0
	w.do(func() {
		for try := range 3 {
			m := w.try(l, nodes[try%len(nodes)], how)
			if m.Outcome == Acked && !again {
				return
			}
			again = false
		}
	})
}

// try sends a message once and notes what came of it.
func (w *workload) try(l letter, node *node, how string) Message {
	m := Message{
		Type: string(l.message.MsgType), Alert: l.tale.id(), Key: l.message.Key().String(), Revision: uint64(l.message.Revision()),
		Estate: l.tale.estate, Real: l.tale.status == alert.StatusActual, Node: node.number, Asked: time.Now(),
	}
	if len(l.message.Infos) > 0 {
		m.Expires = l.message.Expires()
	}
	c := node.sender
	out, err := wire.Outcome{}, error(nil)
	if in, bad := l.body(); l.json && bad == nil {
		out, err = c.SendAlert(w.ctx, in, how)
	} else {
		var raw []byte
		if raw, err = capxml.Write(&l.message); err == nil {
			out, err = c.TakeCAP(w.ctx, raw, "", how)
		}
	}
	return w.answered(node, m, out, err)
}

// recall cancels an alert through the node's own route, which writes the Cancel. A
// node that does not know the alert refuses.
func (w *workload) recall(now time.Time, node *node) {
	t, ok := w.send.open(now)
	if !ok {
		return
	}
	t.ended = true
	m := Message{Type: string(alert.MsgTypeCancel), Alert: t.id(), Estate: t.estate, Real: t.status == alert.StatusActual, Node: node.number}
	w.do(func() {
		m.Asked = time.Now()
		out, err := node.client.CancelAlert(w.ctx, m.Alert, wire.CancelAlert{Reason: "all clear"}, client.WaitLocal)
		w.answered(node, m, out, err)
	})
}

func (w *workload) answered(node *node, m Message, out wire.Outcome, err error) Message {
	m.Answered, m.Alone = time.Now(), w.rig.wires.cutOff(node.berth.index)
	m.Replication, m.State, m.Duplicate, m.Licence = out.Replication, out.State, out.Duplicate, out.Licence
	if m.Outcome = outcomeOf(err); err != nil {
		m.Why, m.Kind = err.Error(), kindOf(err)
	}
	if out.Revision > 0 { // a node whose clock is behind gives it another one than the message claims
		m.Revision = out.Revision
	}
	if m.Key == "" {
		m.Key = out.Key
	}
	w.book.note(func(h *History) { h.Messages = append(h.Messages, m) })
	w.rig.say("%s", m)
	return m
}

// String is the message as it is printed.
func (m Message) String() string {
	text := fmt.Sprintf("%s %s to %s for %s: %s", strings.ToLower(m.Type), m.Alert[:6], nodeName(m.Node), m.Estate, m.Outcome)
	switch {
	case m.Outcome == Acked && m.Alone:
		text += fmt.Sprintf(" (%s, %s, all links cut)", m.Replication, m.State)
	case m.Outcome == Acked:
		text += fmt.Sprintf(" (%s, %s)", m.Replication, m.State)
	default:
		text += " (" + m.Why + ")"
	}
	return text
}

// outcomeOf keeps "nothing happened" apart from "not known".
func outcomeOf(err error) Outcome {
	var p *wire.Problem
	switch {
	case err == nil:
		return Acked
	case errors.As(err, &p) && p.Kind != wire.KindUnknownOutcome && p.Kind != wire.KindInternal,
		errors.Is(err, client.ErrUnreachable):
		return Refused
	}
	return Unknown
}

// edit imports a few members. Only one import is under way at a time; another is
// left out meanwhile.
func (w *workload) edit(node *node) {
	w.batch++
	e := Edit{Batch: fmt.Sprintf("b%d", w.batch)}
	for range 3 {
		if id := memberID(w.rand.IntN(members)); !slices.Contains(e.Members, id) {
			e.Members = append(e.Members, id)
		}
	}
	select {
	case w.edits <- func() { w.imported(e, node) }:
	default:
	}
}

func (w *workload) imported(e Edit, node *node) {
	ctx, cancel := context.WithTimeout(w.ctx, 2*callTime)
	defer cancel()
	out, err := node.client.Import(ctx, client.Import{CSV: strings.NewReader(table(e.Batch, e.Members))})
	e.Outcome = outcomeOf(err)
	if err == nil && !out.Applied {
		e.Outcome, err = Refused, fmt.Errorf("not applied: %v", out.Faults)
	}
	w.book.note(func(h *History) { h.Edits = append(h.Edits, e) })
	w.rig.say("import %s of %d members to %s: %s%s", e.Batch, len(e.Members), node.name, e.Outcome, because(err))
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return " (" + err.Error() + ")"
}

// enrol adds one device, which connects when the node says that it is enrolled.
func (w *workload) enrol(node *node) {
	w.crowd.mu.Lock()
	in := fixture(len(w.crowd.units))
	w.crowd.mu.Unlock()
	w.enrols++
	in.ID = fmt.Sprintf("late-%s-%d", in.Kind, w.enrols)
	w.do(func() {
		out, err := node.client.EnrolDevices(w.ctx, []wire.Enrol{in})
		e := Enrolment{Device: in.ID, Estate: estateOf(in.Place), Kind: in.Kind, Outcome: outcomeOf(err)}
		w.book.note(func(h *History) { h.Enrolments = append(h.Enrolments, e) })
		w.rig.say("enrol %s at %s: %s%s", in.ID, node.name, e.Outcome, because(err))
		if err == nil {
			if err := w.crowd.add(w.ctx, out); err != nil {
				w.rig.say("connecting %s: %v", in.ID, err)
			}
		}
	})
}

// furnish lays the town before anything goes wrong.
func (w *workload) furnish(ctx context.Context, devices int) error {
	w.ctx = ctx
	host := w.rig.now()[0]
	first := host.client
	if err := w.rig.employ(ctx); err != nil {
		return err
	}
	if err := first.PutPlaces(ctx, places()); err != nil {
		return fmt.Errorf("laying places: %w", err)
	}
	var everybody []string
	for i := range members {
		everybody = append(everybody, memberID(i))
	}
	w.imported(Edit{Batch: "b0", Members: everybody}, host)
	var in []wire.Enrol
	for i := range devices {
		in = append(in, fixture(i))
	}
	out, err := first.EnrolDevices(ctx, in)
	if err != nil {
		return fmt.Errorf("enrolling devices: %w", err)
	}
	if err := w.rig.prepare(ctx); err != nil {
		return err
	}
	w.book.note(func(h *History) {
		for _, d := range in {
			h.Enrolments = append(h.Enrolments, Enrolment{Device: d.ID, Estate: estateOf(d.Place), Kind: d.Kind, Outcome: Acked})
		}
	})
	return w.crowd.add(ctx, out)
}
