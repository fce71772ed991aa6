package splits

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/node/wire/splits"
	"almenara/storage/alert"
)

// late is how long a message takes to all nodes at most while the links are whole.
const late = 3 * time.Second

// alert says what is known of one message of the split.
func (w *window) alert(m Message, inside []Message) splits.SplitAlert {
	out := splits.SplitAlert{
		Alert: m.Alert, Key: m.Entry.Key.String(), MsgType: string(m.Entry.MsgType), Status: string(m.Entry.Status),
		Headline: m.Headline, Issued: at(m.Issue.Accepted), Node: w.name(m.Node), Alone: w.aloneAt(m.Node, m.Issue.Accepted),
		Author: m.Issue.Author, Reason: m.Issue.Reason, Incident: m.Issue.Incident, Policy: m.Issue.Policy,
		Addressed: m.Addressed, Told: w.told(m), Personal: m.Personal,
		Scenario: m.Issue.Scenario, Licence: m.Issue.Licence, Within: m.Issue.Within, Approvals: m.Issue.Approvals,
	}
	var approvals []string
	out.Newest, out.Notes = w.rules(act{"Issued", m.Node, m.Issue.Accepted, m.Issue.Policy}, "operator", m)
	out.Approved, approvals = w.approved(m)
	out.Notes = append(out.Notes, approvals...)
	out.Notes = append(out.Notes, w.doubles(m, inside)...)
	out.Notes = append(out.Notes, w.unheard(m, out.Told)...)
	return out
}

// told lists who told devices, each node once for a revision, the first time.
func (w *window) told(m Message) []splits.SplitTold {
	out, due := []splits.SplitTold{}, w.due(m)
	for _, f := range w.Fanouts {
		if f.Alert != m.Alert || f.Revision != uint64(m.Entry.Revision) {
			continue
		}
		out = append(out, splits.SplitTold{Node: w.name(f.Node), Devices: f.Devices, At: at(f.At), Late: f.At-due > late.Milliseconds()})
	}
	slices.SortFunc(out, func(a, b splits.SplitTold) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Devices, b.Devices))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(t splits.SplitTold) bool {
		double := seen[t.Node]
		seen[t.Node] = true
		return double
	})
}

// doubles finds the same incident on another node: one alert where the nodes could
// tell, and perhaps two where only people can.
func (w *window) doubles(m Message, inside []Message) (notes []string) {
	if m.Entry.MsgType != alert.MsgTypeAlert {
		return nil
	}
	for _, o := range inside {
		if o.Fact == m.Fact || o.Node == m.Node || o.Entry.MsgType != alert.MsgTypeAlert {
			continue
		}
		where := fmt.Sprintf("%s sent at %s", at(o.Issue.Accepted).Format(time.TimeOnly), w.name(o.Node))
		switch {
		case o.Alert == m.Alert && o.Entry.Digest == m.Entry.Digest:
			notes = append(notes, "The same message was also taken at "+w.name(o.Node)+"; it is one alert.")
		case o.Alert == m.Alert:
			notes = append(notes, "Merged into one alert with the one of "+where+".")
		case similar(m, o):
			notes = append(notes, fmt.Sprintf("Possible duplicate: %q of %s looks like the same incident.", o.Headline, where))
		}
	}
	return notes
}

// similar reports whether two alerts may be about one incident: they say so, or they
// are of one kind, and real, or drills, alike.
func similar(a, b Message) bool {
	if a.Entry.Status != b.Entry.Status {
		return false
	}
	if a.Issue.Incident != "" || b.Issue.Incident != "" {
		return a.Issue.Incident == b.Issue.Incident
	}
	return strings.EqualFold(strings.TrimSpace(a.Headline), strings.TrimSpace(b.Headline)) && a.Headline != ""
}

// unheard says where the message came too late to be shown: nodes that got it only
// when it was over have it on record, and showed it to nobody.
func (w *window) unheard(m Message, told []splits.SplitTold) (notes []string) {
	if m.Entry.MsgType == alert.MsgTypeCancel || !alert.Presentable(m.Entry.Status) || w.waits(m) {
		return nil // nobody was to be told
	}
	for _, s := range w.spells {
		why := m.overBy(at(s.To))
		if !s.Covers(m.Issue.Accepted) || why == "" {
			continue
		}
		reached := func(node string) bool {
			return slices.ContainsFunc(told, func(t splits.SplitTold) bool { return t.Node == node })
		}
		if s.Node == m.Node && !slices.ContainsFunc(told, func(t splits.SplitTold) bool { return t.Node != w.name(m.Node) }) {
			notes = append(notes, fmt.Sprintf("It %s before the other half got it, which recorded it and showed it to nobody.", why))
		} else if s.Node != m.Node && !w.aloneAt(m.Node, m.Issue.Accepted) && !reached(w.name(s.Node)) {
			notes = append(notes, fmt.Sprintf("It %s before %s got it, which recorded it and showed it to nobody.", why, w.name(s.Node)))
		}
	}
	if m.Addressed > 0 && len(told) == 0 && w.due(m) <= w.to { // what was to be told later is no matter of the split
		notes = append(notes, "No node had a device of it connected.")
	}
	return notes
}

// overBy says how the message was over at t; "" where it was not.
func (m *Message) overBy(t time.Time) string {
	switch {
	case !m.Cancelled.IsZero() && m.Cancelled.Before(t):
		return "was cancelled"
	case !m.Entry.Expires.After(t):
		return "expired"
	}
	return ""
}
