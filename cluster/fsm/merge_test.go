package fsm

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

// seen is everything that people and devices are told of what was adopted. What
// rightly depends on the order of the log is not in it, and is only this: the audit's
// lines, the place of an adoption in the log with the alert id that it had then, the
// order of the list of alerts and under which of the ids that it ends, never seen, a
// Cancel is in that list, and whom a message addressed that lost its place to another
// (nobody is told of it).
type seen struct {
	InForce  [][]board.Active
	Ended    [][]board.End
	Alerts   []agreed.AlertView
	Counts   map[string]receipt.Counts
	Members  map[string][]uint32
	Answers  map[string][]receipt.Answer
	Judged   map[string][]board.Standing
	Targets  map[string][]uint32
	Marks    []factlog.Mark
	Facts    int
	Approved []string // ids of approvals on record
	Alone    []string
	Blocks   map[string][]string // receipt blocks of each alert
}

// see reads all of it.
func (w *world) see(r *rig) seen {
	w.Helper()
	s := seen{Counts: map[string]receipt.Counts{}, Members: map[string][]uint32{}, Answers: map[string][]receipt.Answer{},
		Judged: map[string][]board.Standing{}, Targets: map[string][]uint32{}, Blocks: map[string][]string{}}
	for _, after := range []time.Duration{0, 5 * time.Minute, 20 * time.Minute, 2 * time.Hour, 15 * time.Hour, 48 * time.Hour} {
		s.InForce = append(s.InForce, r.inForce(epoch.Add(after)))
		s.Ended = append(s.Ended, r.ended(epoch.Add(after)))
	}
	for _, id := range w.ids() {
		v, ok, err := r.read.Alert(id)
		require.NoError(w, err)
		known := slices.ContainsFunc(s.Alerts, func(other agreed.AlertView) bool { return other.ID == v.ID })
		if ok && !known {
			s.Alerts = append(s.Alerts, v)
		}
	}
	slices.SortFunc(s.Alerts, func(x, y agreed.AlertView) int { return cmp.Compare(x.ID, y.ID) })
	for i := range s.Alerts {
		w.seeAlert(r, &s.Alerts[i], &s)
	}
	s.Marks = must(r.read.Marks())
	for _, lane := range w.lanes {
		for _, f := range lane {
			if must(r.read.HasFact(f.ID())) {
				s.Facts++
			}
		}
	}
	s.Approved, s.Alone = keptIDs(r, fact.KindApproval), keptIDs(r, fact.KindAlone)
	return s
}

// same compares part by part: a whole one is too long to read.
func same(t *testing.T, want, got seen, format string, args ...any) {
	t.Helper()
	x, y := reflect.ValueOf(want), reflect.ValueOf(got)
	for i := range x.NumField() {
		name := x.Type().Field(i).Name
		if a, b := fmt.Sprintf("%+v", x.Field(i)), fmt.Sprintf("%+v", y.Field(i)); a != b {
			at := 0
			for at < min(len(a), len(b)) && a[at] == b[at] {
				at++
			}
			near := func(text string) string { return text[max(0, min(at, len(text))-600):min(at+200, len(text))] }
			require.FailNow(t, "states differ", "%s, %s:\n%s\n%s", fmt.Sprintf(format, args...), name, near(a), near(b))
		}
	}
}

// ids are those of all messages, the ones that they refer to, and incidents.
func (w *world) ids() (out []alert.ID) {
	for i, issue := range w.issues {
		a, _, err := capxml.Parse(issue.Message)
		require.NoError(w, err)
		for _, k := range append(a.References, w.keys[i], alert.IncidentKey(issue.Scenario, issue.Incident, a.Status)) {
			out = append(out, k.ID())
		}
	}
	return out
}

func (w *world) seeAlert(r *rig, v *agreed.AlertView, s *seen) {
	w.Helper()
	for _, part := range [][]agreed.AlertMessage{v.Messages, v.Cancels, v.Lost} {
		for i := range part {
			m := &part[i]
			m.Adoption, m.CAP = factlog.Adoption{}, nil
			if m.Lost || m.Entry.MsgType == alert.MsgTypeCancel {
				m.Targets, m.Kinds = 0, nil
			}
			at := fmt.Sprint(v.ID, " ", m.Entry.Fact)
			s.Judged[at] = r.judged(m.Entry)
			s.Counts[at] = must(r.counts(v.IDs(), m.Entry.Revision))
			for rung := receipt.Queued; rung <= receipt.Refused; rung++ {
				s.Members[fmt.Sprint(at, rung)] = must(r.read.ReceiptMembers(v.IDs(), m.Entry.Revision, rung)).ToArray()
			}
			if !m.Lost && m.Entry.MsgType != alert.MsgTypeCancel {
				s.Targets[at] = must(r.read.Target(m.Entry.Key, m.Entry.Revision)).ToArray()
			}
		}
	}
	for _, id := range v.IDs() {
		s.Answers[string(id)] = must(r.read.Tally(id)).Answers(id)
		require.NoError(w, r.read.ReceiptFacts(id, 0, func(f fact.Fact, _ receipt.Block) {
			s.Blocks[string(id)] = append(s.Blocks[string(id)], fmt.Sprint(f.Origin, f.Seq))
		}))
		slices.Sort(s.Blocks[string(id)])
	}
}

func (r *rig) judged(e board.Entry) (out []board.Standing) {
	r.fsm.Derived().Alerts.View(func(b *board.Board) {
		for _, after := range []time.Duration{0, 20 * time.Minute, 15 * time.Hour} {
			out = append(out, b.Judge(e, epoch.Add(after)))
		}
	})
	return out
}

func keptIDs(r *rig, kind fact.Kind) (out []string) {
	for _, k := range must(r.read.KeptFacts(kind, 0, 0, 0)) {
		out = append(out, hex.EncodeToString(k.ID[:]))
	}
	slices.Sort(out)
	return out
}

// Facts of three nodes may reach the log in any order that keeps each stream's own,
// any number of times, cut into entries anywhere: what is in force, what has ended,
// what stands, who was reached and who approved is the same.
func TestMerge_AnyOrderAndAnyNumberOfTimesGiveOneState(t *testing.T) {
	for _, seed := range []uint64{0, 4, 7} { // 4 and 7 have found faults
		w := newWorld(t, seed, 90)
		var want seen
		for order := range uint64(4) {
			dice := rand.New(rand.NewPCG(seed, 100+order))
			r := newRig(t)
			logs := w.log(w.told(dice), dice)
			for len(logs) > 0 {
				n := min(1+dice.IntN(20), len(logs))
				r.all(logs[:n])
				logs = logs[n:]
			}
			require.Empty(t, r.halts, "seed %d", seed)
			got := w.see(r)
			if order == 0 {
				want = got
				require.Equal(t, 90, want.Facts, "seed %d", seed)
				require.NotEmpty(t, want.Alerts)
			}
			same(t, want, got, "seed %d, order %d", seed, order)
			r.reopen()
			same(t, want, w.see(r), "seed %d, order %d, after a restart", seed, order)
		}
	}
}

// errPowerCut ends the process of a replica right after a commit.
var errPowerCut = errors.New("power cut")

// One log gives one state, audit included, whether it is applied in one batch, one by
// one, or by a process that ends after every single commit, those in the middle of an
// entry included.
func TestMerge_OneLogGivesOneStateHoweverItIsCutAndWhereverItEnds(t *testing.T) {
	for seed := range uint64(2) {
		w := newWorld(t, 1000+seed, 60)
		dice := rand.New(rand.NewPCG(seed, 5))
		logs := w.log(w.told(dice), dice)
		whole, single, cut := newRig(t), newRig(t), newRig(t)
		whole.all(logs)
		for _, l := range logs {
			single.fsm.Apply(l)
		}
		require.Equal(t, single.hash(), whole.hash(), "seed %d", seed)
		ends := cut.applyWithPowerCuts(logs)
		require.Greater(t, ends, len(logs), "some commits are within an entry")
		require.Equal(t, single.hash(), cut.hash(), "seed %d, %d power cuts", seed, ends)
		same(t, w.see(single), w.see(cut), "seed %d", seed)
		require.Empty(t, slices.Concat(whole.halts, single.halts, cut.halts))
	}
}

// applyWithPowerCuts applies the entries as raft does after each start, and ends the
// process after every commit. It returns how often.
func (r *rig) applyWithPowerCuts(logs []*raft.Log) (ends int) {
	r.Helper()
	for r.fsm.Applied() < logs[len(logs)-1].Index {
		require.Less(r, ends, 100*len(logs), "no progress")
		m := r.fsm.Derived()
		if len(must(r.read.Adoptions(time.Time{}))) > 0 || r.fsm.Applied() > 0 {
			m.Ordinals = 1 << 31 // as if no further target fitted into a transaction
		}
		r.fsm.hooks.Changed = func(apply.Change) { panic(errPowerCut) }
		r.fsm.hooks.Adopted = func(fact.Signed, fact.Fact, command.FactOutcome) { panic(errPowerCut) }
		func() {
			defer func() {
				if cause := recover(); cause != nil {
					require.Equal(r, errPowerCut, cause)
					ends++
				}
			}()
			from := slices.IndexFunc(logs, func(l *raft.Log) bool { return l.Index > r.fsm.Applied() })
			r.fsm.Apply(logs[from])
		}()
		r.reopen()
	}
	return ends
}
