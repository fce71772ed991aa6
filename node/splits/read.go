package splits

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/node/wire/splits"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// usual is how many splits are reported where nobody says how many; margin is how long before
// a split's beginning records may be that belong to it: clocks differ.
const (
	usual  = 20
	margin = time.Minute
)

// Reader gathers what was agreed of splits. It reads this node's copy, without a majority. Its
// methods may be called from any goroutine.
type Reader struct {
	state     *agreed.Reader
	store     *storage.Store
	stories   *stories.Finder
	addressed *addressed.Resolver
}

// NewReader makes a reader of what was agreed.
func NewReader(state *agreed.Reader, store *storage.Store, s *stories.Finder, a *addressed.Resolver) *Reader {
	return &Reader{state: state, store: store, stories: s, addressed: a}
}

// Splits implements api.District: a fold over what is agreed, so that every node
// says the same.
func (x *Reader) Splits(_ context.Context, limit int) ([]splits.Split, error) {
	if limit <= 0 {
		limit = usual
	}
	r, err := x.records(limit)
	if err != nil || len(r.Spells) == 0 {
		return []splits.Split{}, err
	}
	report := Report(r)
	report = report[:min(limit, len(report))]
	for i := range report {
		if err := x.lateReceipts(&report[i], r.Spells); err != nil {
			return nil, err
		}
	}
	return append([]splits.Split{}, report...), nil
}

// records gathers what is agreed since the first of the newest spells.
func (x *Reader) records(limit int) (r Records, err error) {
	kept, err := x.state.KeptFacts(fact.KindAlone, 0, 0, 0)
	if err != nil {
		return r, err
	}
	for _, k := range kept {
		if a, err := factbody.DecodeAlone(k.Fact.Body); err == nil {
			r.Spells = append(r.Spells, Spell{Node: k.Fact.Origin, Alone: a})
		}
	}
	if r.Spells = Newest(r.Spells, limit); len(r.Spells) == 0 {
		return r, nil
	}
	since := time.UnixMilli(slices.MinFunc(r.Spells, func(a, b Spell) int { return int(a.From - b.From) }).From).Add(-margin)
	nodes, err := x.state.Nodes()
	if err != nil {
		return r, err
	}
	r.Names = map[string]string{}
	for _, node := range nodes {
		if !node.Removed || slices.ContainsFunc(r.Spells, func(s Spell) bool { return s.Node == node.ID }) {
			r.Names[node.ID] = node.Name
		}
	}
	for _, gather := range []func(*Records, time.Time) error{x.approvals, x.messages, x.fanouts, x.changes} {
		if err := gather(&r, since); err != nil {
			return r, err
		}
	}
	return r, nil
}

// messages gathers what was agreed since then, and what was approved since then,
// however long it had waited.
func (x *Reader) messages(r *Records, since time.Time) error {
	adoptions, err := x.state.Adoptions(since)
	if err != nil {
		return err
	}
	var facts []fact.ID
	for _, adoption := range adoptions {
		facts = append(facts, fact.ID(adoption.FactID))
	}
	for _, a := range r.Approved {
		if len(a.Fact) == len(fact.ID{}) && !slices.Contains(facts, fact.ID(a.Fact)) {
			facts = append(facts, fact.ID(a.Fact))
		}
	}
	for _, id := range facts {
		signed, ok, err := x.state.Fact(id)
		if err != nil {
			return err
		}
		if !ok {
			continue // approved, and its message has not come
		}
		f, err := signed.Fact()
		if err != nil {
			return fmt.Errorf("reading an adopted fact: %w", err)
		}
		m, err := alerts.ReadMessage(signed.ID().String(), f.Body)
		if err != nil {
			return err
		}
		out := Message{
			Fact: m.Fact, Node: f.Origin, Alert: string(m.Entry.Key.ID()), Headline: m.Alert.Headline(""), Entry: m.Entry, Issue: m.Issue,
		}
		if err := x.describe(&out, m); err != nil {
			return err
		}
		r.Messages = append(r.Messages, out)
	}
	return nil
}

// describe adds what is known of the message's alert as a whole, and whom the message
// addressed: the same as the alert's details say.
func (x *Reader) describe(out *Message, m *alerts.Message) error {
	s, err := x.story(m)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(s.Messages, func(other *alerts.Message) bool { return other.Fact == m.Fact }); i >= 0 {
		m = s.Messages[i]
	}
	members, err := x.addressed.Recorded(s, m)
	if err != nil {
		return err
	}
	out.Personal = m.Personal() || s.Personal()
	out.Addressed, out.Alert = members.GetCardinality(), string(s.ID)
	if current := s.Current(); out.Headline == "" && current != nil {
		out.Headline = current.Alert.Headline("")
	}
	for _, c := range s.Cancels {
		if at := time.UnixMilli(c.Issue.Accepted).UTC(); out.Cancelled.IsZero() || at.Before(out.Cancelled) {
			out.Cancelled = at
		}
	}
	return nil
}

// story is the alert that the message is of: of a Cancel the first one known that it ends, or the one
// that it names where none is known. A Cancel is none itself.
func (x *Reader) story(m *alerts.Message) (*stories.Story, error) {
	keys := []alert.Key{m.Entry.Key}
	if m.Entry.MsgType == alert.MsgTypeCancel {
		keys = append(slices.Clone(m.Entry.References), keys...)
	}
	for _, k := range keys {
		s, err := x.stories.Logged(k.ID())
		if err != nil || s != nil && (len(s.Messages) > 0 || len(keys) == 1) {
			return s, err
		}
	}
	return &stories.Story{ID: keys[0].ID()}, nil
}

func (x *Reader) fanouts(r *Records, since time.Time) error {
	return x.state.AlertStream(since, func(f fact.Fact) error {
		if f.Kind != fact.KindFanout {
			return nil
		}
		if out, err := factbody.DecodeFanout(f.Body); err == nil {
			r.Fanouts = append(r.Fanouts, Fanout{Node: f.Origin, Fanout: out})
		}
		return nil
	})
}

// approvalPage is how many approvals are read at once.
const approvalPage = 500

// approvals gathers what was approved since then. It goes back from what was agreed last, until all of a
// part was made before: there may be years of approvals.
func (x *Reader) approvals(r *Records, since time.Time) error {
	var index uint64
	var n uint16
	for {
		kept, err := x.state.KeptBefore(fact.KindApproval, index, n, approvalPage)
		if err != nil {
			return err
		}
		older := true
		for _, k := range kept {
			older = older && fact.WallTime(k.Fact.HLC).Before(since)
			if a, err := factbody.DecodeApproval(k.Fact.Body); err == nil && a.At >= since.UnixMilli() {
				r.Approved = append(r.Approved, Approval{Node: k.Fact.Origin, Approval: a})
			}
			index, n = k.Index, k.N
		}
		if older || len(kept) < approvalPage {
			slices.Reverse(r.Approved) // in the order in which they were agreed on
			return nil
		}
	}
}

// auditPage is how many lines of the audit are read at once.
const auditPage = 512

// changes reads from the audit who changed the rules: users, and what else says
// who may do what. It goes back from the newest line, for the chain may be long.
func (x *Reader) changes(r *Records, since time.Time) error {
	return x.store.View(func(t *storage.Txn) error {
		head, err := audit.End(t)
		if err != nil {
			return err
		}
		for last := head.N; last > 0; {
			first := uint64(1)
			if last > auditPage {
				first = last - auditPage + 1
			}
			older := false
			err := audit.Each(t, first, last, func(e audit.Entry) (bool, error) {
				older = older || e.At < since.UnixMilli()
				if e.At >= since.UnixMilli() && OfRules(e.Action) && !e.Refused() {
					r.Changes = append(r.Changes, Change{
						Index: e.Index, At: time.UnixMilli(e.At).UTC(), Action: e.Action, Subject: e.About(),
						What: strings.TrimSpace(e.Action + " " + e.Summary), By: e.Actor,
					})
				}
				return true, nil
			})
			if err != nil || older {
				return err
			}
			last = first - 1
		}
		return nil
	})
}

// lateReceipts counts what devices told nodes without a majority: nobody else could
// count it before the links were back.
func (x *Reader) lateReceipts(s *splits.Split, spells []Spell) error {
	counts, nodes := map[string]int{}, map[string]bool{}
	for _, node := range s.Nodes {
		nodes[node.Node] = true
	}
	for node := range nodes {
		err := x.state.MadeBetween(node, s.From.Add(-margin), s.To, func(f fact.Fact, b receipt.Block) {
			made := fact.WallTime(f.HLC).UnixMilli()
			id, ok := b.Alert()
			if ok && slices.ContainsFunc(spells, func(a Spell) bool {
				return a.Node == node && a.Covers(made) && s.From.UnixMilli() <= a.From && a.To <= s.To.UnixMilli()
			}) {
				s.LateReceipts += len(b.Receipts)
				counts[string(id)] += len(b.Receipts)
			}
		})
		if err != nil {
			return err
		}
	}
	for i := range s.Alerts {
		view, ok, err := x.state.Alert(alert.ID(s.Alerts[i].Alert))
		if err != nil {
			return err
		}
		for _, id := range view.IDs() {
			if ok {
				s.Alerts[i].Receipts += counts[string(id)]
			}
		}
	}
	return nil
}

// Ended says in one sentence that a node's time without a majority is on record; false
// where the fact says nothing of that. The raft goroutine may call it.
func (x *Reader) Ended(f fact.Fact) (sentence string, ok bool) {
	a, err := factbody.DecodeAlone(f.Body)
	if err != nil {
		return "", false
	}
	name := f.Origin
	if node, ok, err := x.state.Node(f.Origin); err == nil && ok && node.Name != "" {
		name = node.Name
	}
	return fmt.Sprintf("%s was without a majority from %s to %s; almenara status --splits says what was done meanwhile",
		name, time.UnixMilli(a.From).UTC().Format(time.RFC3339), time.UnixMilli(a.To).UTC().Format(time.RFC3339)), true
}
