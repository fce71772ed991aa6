package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/node/splits"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// eventSplit is the type of the event when a split has ended.
const eventSplit = "split"

// splitsMost is how many splits are reported without a wish, splitSince how long
// before a split's beginning records may be that belong to it: clocks differ.
const (
	splitsMost = 20
	splitSince = time.Minute
)

// Splits implements api.District: a fold over what is agreed, so that every node
// says the same.
func (n *Node) Splits(_ context.Context, limit int) ([]wire.Split, error) {
	if limit <= 0 {
		limit = splitsMost
	}
	r, err := n.splitRecords(limit)
	if err != nil || len(r.Spells) == 0 {
		return []wire.Split{}, err
	}
	report := splits.Report(r)
	report = report[:min(limit, len(report))]
	for i := range report {
		if err := n.lateReceipts(&report[i], r.Spells); err != nil {
			return nil, err
		}
	}
	return append([]wire.Split{}, report...), nil
}

// splitRecords gathers what is agreed since the first of the newest spells.
func (n *Node) splitRecords(limit int) (r splits.Records, err error) {
	kept, err := n.state.KeptFacts(fact.KindAlone, 0, 0, 0)
	if err != nil {
		return r, err
	}
	for _, k := range kept {
		if a, err := storage.DecodeAlone(k.Fact.Body); err == nil {
			r.Spells = append(r.Spells, splits.Spell{Node: k.Fact.Origin, Alone: a})
		}
	}
	if r.Spells = splits.Newest(r.Spells, limit); len(r.Spells) == 0 {
		return r, nil
	}
	since := time.UnixMilli(slices.MinFunc(r.Spells, func(a, b splits.Spell) int { return int(a.From - b.From) }).From).Add(-splitSince)
	nodes, err := n.state.Nodes()
	if err != nil {
		return r, err
	}
	r.Names = map[string]string{}
	for _, node := range nodes {
		if !node.Removed || slices.ContainsFunc(r.Spells, func(s splits.Spell) bool { return s.Node == node.ID }) {
			r.Names[node.ID] = node.Name
		}
	}
	for _, gather := range []func(*splits.Records, time.Time) error{n.splitApprovals, n.splitMessages, n.splitFanouts, n.splitChanges} {
		if err := gather(&r, since); err != nil {
			return r, err
		}
	}
	return r, nil
}

// splitMessages gathers what was agreed since then, and what was approved since then,
// however long it had waited.
func (n *Node) splitMessages(r *splits.Records, since time.Time) error {
	approved := map[string]bool{}
	for _, a := range r.Approved {
		approved[string(a.Fact)] = true
	}
	for _, adoption := range n.state.Adoptions(time.Time{}) {
		if adoption.At < since.UnixMilli() && !approved[string(adoption.FactID)] {
			continue
		}
		signed, ok, err := n.state.Fact(fact.ID(adoption.FactID))
		if err != nil || !ok {
			return err
		}
		f, err := signed.Fact()
		if err != nil {
			return fmt.Errorf("reading an adopted fact: %w", err)
		}
		m, err := readMessage(signed.ID().String(), f.Body)
		if err != nil {
			return err
		}
		out := splits.Message{
			Fact: m.fact, Node: f.Origin, Alert: adoption.Alert, Headline: m.alert.Headline(""), Entry: m.entry, Issue: m.issue,
		}
		if err := n.splitAlert(&out); err != nil {
			return err
		}
		r.Messages = append(r.Messages, out)
	}
	return nil
}

// splitAlert adds what is known of the message's alert as a whole.
func (n *Node) splitAlert(m *splits.Message) error {
	members, err := n.state.Target(m.Entry.Key, m.Entry.Revision)
	if err != nil {
		return err
	}
	m.Addressed = members.GetCardinality()
	view, ok, err := n.state.Alert(alert.ID(m.Alert))
	if err != nil || !ok {
		return err
	}
	m.Alert = string(view.ID)
	if m.Headline == "" {
		m.Headline = headlineOf(view)
	}
	for _, c := range view.Cancels {
		if at := time.UnixMilli(c.Issue.Accepted).UTC(); m.Cancelled.IsZero() || at.Before(m.Cancelled) {
			m.Cancelled = at
		}
	}
	return nil
}

func headlineOf(view fsm.AlertView) string {
	if current := view.Current(); current != nil {
		return current.CAP.Headline("")
	}
	return ""
}

func (n *Node) splitFanouts(r *splits.Records, since time.Time) error {
	return n.state.AlertStream(since, func(f fact.Fact) error {
		if f.Kind != fact.KindFanout {
			return nil
		}
		if out, err := storage.DecodeFanout(f.Body); err == nil {
			r.Fanouts = append(r.Fanouts, splits.Fanout{Node: f.Origin, Fanout: out})
		}
		return nil
	})
}

func (n *Node) splitApprovals(r *splits.Records, since time.Time) error {
	kept, err := n.state.KeptFacts(fact.KindApproval, 0, 0, 0)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if a, err := storage.DecodeApproval(k.Fact.Body); err == nil && a.At >= since.UnixMilli() {
			r.Approved = append(r.Approved, splits.Approval{Node: k.Fact.Origin, Approval: a})
		}
	}
	return nil
}

// auditPage is how many lines of the audit are read at once.
const auditPage = 512

// splitChanges reads from the audit who changed the rules: users, and what else says
// who may do what. It goes back from the newest line, for the chain may be long.
func (n *Node) splitChanges(r *splits.Records, since time.Time) error {
	return n.store.View(func(t *storage.Txn) error {
		head, err := t.AuditHead()
		if err != nil {
			return err
		}
		for last := head.N; last > 0; {
			first := uint64(1)
			if last > auditPage {
				first = last - auditPage + 1
			}
			older := false
			err := t.Audit(first, last, func(e storage.AuditEntry) (bool, error) {
				older = older || e.At < since.UnixMilli()
				if e.At >= since.UnixMilli() && ofRules(e.Action) && !strings.HasPrefix(e.Summary, "refused: ") {
					r.Changes = append(r.Changes, splits.Change{
						Index: e.Index, At: time.UnixMilli(e.At).UTC(), What: strings.TrimSpace(e.Action + " " + e.Summary), By: e.Actor,
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

func ofRules(action string) bool {
	what, _, _ := strings.Cut(action, " ")
	return slices.Contains([]string{"user", "policy", "licence", "scenario"}, what)
}

// lateReceipts counts what devices told nodes without a majority: nobody else could
// count it before the links were back.
func (n *Node) lateReceipts(s *wire.Split, spells []splits.Spell) error {
	ids, err := n.receiptAlerts()
	if err != nil {
		return err
	}
	from := s.Nodes[0].Policy
	for _, node := range s.Nodes {
		from = min(from, node.Policy)
	}
	counts := map[string]int{}
	for _, id := range ids {
		err := n.state.ReceiptFacts(id, from, func(f fact.Fact, b receipt.Block) {
			made := fact.WallTime(f.HLC).UnixMilli()
			if slices.ContainsFunc(spells, func(a splits.Spell) bool {
				return a.Node == f.Origin && a.Covers(made) && s.From.UnixMilli() <= a.From && a.To <= s.To.UnixMilli()
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
		view, ok, err := n.state.Alert(alert.ID(s.Alerts[i].Alert))
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

func (n *Node) receiptAlerts() (ids []alert.ID, err error) {
	err = n.store.View(func(t *storage.Txn) error {
		all, err := t.ReceiptAlerts()
		for _, id := range all {
			ids = append(ids, alert.ID(id))
		}
		return err
	})
	return ids, err
}

// splitEnded tells readers that a node's time without a majority is on record. The
// raft goroutine calls it.
func (n *Node) splitEnded(f fact.Fact) {
	a, err := storage.DecodeAlone(f.Body)
	if err != nil {
		return
	}
	name := f.Origin
	if node, ok, err := n.state.Node(f.Origin); err == nil && ok && node.Name != "" {
		name = node.Name
	}
	n.tell(eventSplit, wire.Event{Text: fmt.Sprintf("%s was without a majority from %s to %s; almenara status --splits says what was done meanwhile",
		name, time.UnixMilli(a.From).UTC().Format(time.RFC3339), time.UnixMilli(a.To).UTC().Format(time.RFC3339))})
}
