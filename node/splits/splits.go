// Package splits folds what nodes put on record about times without a majority into
// a report: who was warned meanwhile, where, when, by whom, under which rules, and
// what was double or came late. The same records in any order and any number of
// times give the same report; it has no clock.
//
//	log, audit ─> Reader ─> Records ─> Report
//
// It never imports api, channels or another part of node but addressed, alerts, stories and
// wire.
package splits

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"almenara/node/wire/splits"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// Records is what a report is made from. Nothing in it is modified.
type Records struct {
	Names    map[string]string // of every node that is or was a member, by server id
	Spells   []Spell
	Messages []Message
	Fanouts  []Fanout
	Approved []Approval
	Changes  []Change
}

// Spell is one node's record of being alone.
type Spell struct {
	Node string
	factbody.Alone
}

// Message is one alert message, and what became of it.
type Message struct {
	Fact      string // hex id
	Node      string // server id of the origin
	Alert     string // alert.ID that it belongs to
	Headline  string
	Entry     board.Entry
	Issue     factbody.Issue
	Addressed uint64
	Personal  bool      // some message of its alert was addressed by what is known of persons
	Cancelled time.Time // when the first cancel of its alert was issued; zero: none
}

// Fanout is one node's record of telling its devices.
type Fanout struct {
	Node string
	factbody.Fanout
}

// Approval is one person's approval of a message.
type Approval struct {
	Node string
	factbody.Approval
}

// of reports whether it is the message's, by somebody else than the author.
func (a Approval) of(m Message) bool {
	return hex.EncodeToString(a.Fact) == m.Fact && a.Digest == m.Entry.Digest && a.By != m.Issue.Author
}

// Change is one agreed change of who may do what.
type Change struct {
	Index uint64
	At    time.Time
	By    string

	Action  string // of the audit line, which is the command's type: one of those of OfRules
	Subject string // the user, the licence or the scenario that it is about
	What    string // the audit line in words, for people: "user revoke wong"
}

// slack is what nodes' clocks may differ by, and how long it takes a node to notice
// that it is alone.
const slack = 5 * time.Second

// Report makes the report, the newest split first.
func Report(r Records) []splits.Split {
	var out []splits.Split
	for _, spells := range group(r.Spells) {
		w := window{Records: r, spells: spells, from: spells[0].From, to: spells[0].To}
		for _, s := range spells {
			w.to = max(w.to, s.To)
		}
		split := w.split()
		if len(split.Alerts) > 0 || slices.ContainsFunc(spells, func(s Spell) bool { return s.Why != factbody.AloneStarting }) {
			out = append(out, split)
		}
	}
	slices.Reverse(out)
	return out
}

// group puts overlapping spells together, and drops those that are on record twice.
func group(spells []Spell) [][]Spell {
	sorted := slices.Clone(spells)
	slices.SortFunc(sorted, func(a, b Spell) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Node, b.Node), cmp.Compare(a.To, b.To))
	})
	sorted = slices.CompactFunc(sorted, func(a, b Spell) bool { return a.Node == b.Node && a.From == b.From })
	var groups [][]Spell
	var until int64
	for _, s := range sorted {
		if len(groups) == 0 || s.From > until+slack.Milliseconds() {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last], until = append(groups[last], s), max(until, s.To)
	}
	return groups
}

// window is one split.
type window struct {
	Records
	spells   []Spell
	from, to int64
}

func (w *window) name(id string) string { return cmp.Or(w.Names[id], id) }

func (w *window) split() splits.Split {
	out := splits.Split{
		From: at(w.from), To: at(w.to), Nodes: []splits.SplitNode{}, Halves: w.halves(), Alerts: []splits.SplitAlert{},
	}
	for _, s := range w.spells {
		out.Nodes = append(out.Nodes, splits.SplitNode{
			Node: s.Node, Name: w.Names[s.Node], From: at(s.From), To: at(s.To), Why: s.Why, Policy: s.Policy,
		})
	}
	inside := w.inside()
	for _, m := range inside {
		out.Alerts = append(out.Alerts, w.alert(m, inside))
	}
	return out
}

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// halves groups the nodes by who was in touch. Those of which nothing says that they
// were alone were in touch with each other: that is what a majority is.
func (w *window) halves() []splits.SplitHalf {
	half := map[string]string{}
	var find func(id string) string
	find = func(id string) string {
		if next, ok := half[id]; ok && next != id {
			return find(next)
		}
		return id
	}
	alone := map[string]bool{}
	for _, s := range w.spells {
		alone[s.Node] = true
	}
	const majority = ""
	for id := range w.Names {
		if !alone[id] {
			half[id] = majority
		}
	}
	for _, s := range w.spells {
		for _, other := range s.Saw {
			if alone[other] { // who had a majority was heard, but did not count this node in
				half[find(other)] = find(s.Node)
			}
		}
	}
	members := map[string][]string{}
	for id := range w.Names {
		members[find(id)] = append(members[find(id)], w.name(id))
	}
	out := []splits.SplitHalf{}
	for root, names := range members {
		slices.Sort(names)
		out = append(out, splits.SplitHalf{Nodes: names, Majority: root == majority})
	}
	slices.SortFunc(out, func(a, b splits.SplitHalf) int {
		if a.Majority != b.Majority {
			return map[bool]int{true: -1, false: 1}[a.Majority]
		}
		return slices.Compare(a.Nodes, b.Nodes)
	})
	return out
}

// inside lists the messages that were issued or approved during the split, in order,
// each fact once.
func (w *window) inside() []Message {
	var out []Message
	for _, m := range w.Messages {
		if w.during(m.Issue.Accepted) || slices.ContainsFunc(w.Approved, func(a Approval) bool { return a.of(m) && w.during(a.At) }) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Issue.Accepted, b.Issue.Accepted), cmp.Compare(a.Fact, b.Fact))
	})
	return slices.CompactFunc(out, func(a, b Message) bool { return a.Fact == b.Fact })
}

// during reports whether something happened in the split, in ms since 1970.
func (w *window) during(ms int64) bool { return ms >= w.from-slack.Milliseconds() && ms <= w.to }

// noticing is how long a node may take to notice that its majority is gone.
const noticing = time.Second

// Covers reports whether the node was alone at that time, in ms since 1970.
func (s Spell) Covers(ms int64) bool { return s.From-noticing.Milliseconds() <= ms && ms <= s.To }

// aloneAt reports whether the node was without a majority at that time.
func (w *window) aloneAt(node string, ms int64) bool {
	return slices.ContainsFunc(w.spells, func(s Spell) bool { return s.Node == node && s.Covers(ms) })
}

// Newest keeps the spells of the newest limit splits.
func Newest(spells []Spell, limit int) []Spell {
	groups := group(spells)
	return slices.Concat(groups[max(0, len(groups)-limit):]...)
}
