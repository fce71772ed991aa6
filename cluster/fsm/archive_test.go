package fsm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/archive"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

func recalled(r *rig, now time.Time) (out []fact.Signed) {
	require.NoError(r, r.read.Recall(now, func(s fact.Signed) error { out = append(out, s); return nil }))
	return out
}

// onBoard is how many messages a replica holds in memory.
func onBoard(r *rig) int { return len(r.fsm.Derived().Alerts.OnBoard()) }

// whole makes a replica keep everything in memory, as software without an archive does.
func whole(r *rig) { r.fsm.Derived().Alerts.Freeze() }

// longStory is a log over months: alerts, updates, cancels, contradictions, approvals and
// receipts, that name what is in force, what ran out long ago, and what never comes.
func longStory(t *testing.T, seed uint64) []*raft.Log {
	r := rand.New(rand.NewPCG(seed, 3))
	s := newScript(t)
	o, other := newOrigin("n1"), newOrigin("n2")
	s.add(&command.PutMembers{Members: members(0, 12)})
	now := epoch
	type said struct {
		key alert.Key
		id  [32]byte
		dig string
	}
	var all []said
	for i := range 60 {
		now = now.Add(time.Duration(r.IntN(40)) * time.Hour)
		at := now.Format("2006-01-02T15:04:05-00:00")
		name, kind, refs := fmt.Sprint("m", i), []string{"Alert", "Alert", "Update", "Cancel"}[r.IntN(4)], ""
		if len(all) > 0 && r.IntN(8) == 0 { // another message under a known key
			again := all[r.IntN(len(all))].key
			name, at = again.Identifier, again.Sent.String()
		}
		if kind != "Alert" {
			for range 1 + r.IntN(3) {
				ref := alert.Key{Sender: "observatory", Identifier: fmt.Sprint("never", r.IntN(20)), Sent: alert.NewDateTime(now.Add(-time.Hour))}
				if len(all) > 0 && r.IntN(5) > 0 {
					ref = all[r.IntN(len(all))].key
				}
				refs += " " + ref.String()
			}
			refs = refs[1:]
		}
		text := fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>%s</identifier><sender>observatory</sender><sent>%s</sent>
<status>%s</status><msgType>%s</msgType><scope>Public</scope>%s
<info><language>en</language><category>Met</category><event>Rain %d</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty><expires>%s</expires><headline>Rain</headline>
<area><areaDesc>Tuen Mun</areaDesc></area></info></alert>`, name, at, []string{"Actual", "Actual", "Actual", "Exercise"}[r.IntN(4)], kind,
			map[bool]string{true: "<references>" + refs + "</references>"}[refs != ""], r.IntN(3),
			now.Add(time.Duration(1+r.IntN(50))*time.Hour).Format("2006-01-02T15:04:05-00:00"))
		from := []*origin{o, other}[r.IntN(2)]
		signed := from.alert(t, name, func(x *factbody.Issue) {
			x.Message, x.Accepted, x.Approvals = text, now.UnixMilli(), uint32(r.IntN(5)/4)
		})
		f, err := signed.Fact()
		require.NoError(t, err)
		if msg, why := archive.Read(signed.ID(), f.Body); why == "" {
			all = append(all, said{msg.Entry.Key, msg.ID, msg.Digest.String()})
		}
		facts := []fact.Signed{signed}
		if len(all) > 0 && r.IntN(3) == 0 {
			about := all[r.IntN(len(all))]
			body, err := factbody.Approval{Fact: about.id[:], Digest: about.dig, By: "bob", At: now.UnixMilli(), Expires: now.Add(time.Hour).UnixMilli()}.Encode()
			require.NoError(t, err)
			approval := o.sign(t, fact.KindApproval, fact.Alerts, body)
			if from == other && r.IntN(2) == 0 {
				facts = []fact.Signed{approval, signed} // it comes before what it approves
			} else {
				facts = append(facts, approval)
			}
		}
		if len(all) > 0 && r.IntN(2) == 0 {
			about := all[r.IntN(len(all))]
			facts = append(facts, o.receipts(t, about.key.ID(), 7, receipt.Presented, uint32(r.IntN(12))))
		}
		raw, err := command.Command{Version: 2, At: now.UnixMilli(), Actor: "amy", Payload: &command.AdoptFacts{Facts: facts}}.Encode()
		require.NoError(t, err)
		s.raw(raw)
	}
	return s.logs
}

// What an entry does is the same with everything in memory, with an archive, and with an
// archive that was made, left and taken up at any moment.
func TestArchive_ChangesNoOutcomeNoAnswerAndNoHash(t *testing.T) {
	most := 0
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 4))
		logs := longStory(t, seed)
		plain, archived, restless := newRig(t), newRig(t), newRig(t)
		whole(plain)
		for i, l := range logs {
			want := plain.fsm.Apply(l)
			require.Equal(t, want, archived.fsm.Apply(l), "seed %d, entry %d", seed, i)
			without := false // an archive
			switch r.IntN(6) {
			case 0:
				restless.reopen()
			case 1: // software without an archive applies this one
				whole(restless)
				without = true
			}
			require.Equal(t, want, restless.fsm.Apply(l), "seed %d, entry %d", seed, i)
			if without {
				restless.reopen()
			}
		}
		require.Equal(t, plain.hash(), archived.hash(), "seed %d", seed)
		require.Equal(t, plain.hash(), restless.hash(), "seed %d", seed)
		most = max(most, onBoard(plain)-onBoard(archived))
		sameAlerts(t, plain, archived, logs)
		sameAlerts(t, plain, restless, logs)
		require.Empty(t, slices.Concat(plain.halts, archived.halts, restless.halts))
	}
	require.Greater(t, most, 20, "nothing was archived: the test shows nothing")
}

func sameAlerts(t *testing.T, want, got *rig, logs []*raft.Log) {
	t.Helper()
	require.Equal(t, must(want.alerts(1000)), must(got.alerts(1000)))
	var before factlog.Place
	var paged []agreed.Listed
	for {
		page := must(got.read.AlertList(before, 3))
		if len(page) == 0 {
			break
		}
		paged, before = append(paged, page...), page[len(page)-1].At
	}
	listed := must(want.read.AlertList(factlog.Place{}, 1000))
	require.Len(t, paged, len(listed))
	seen := map[alert.ID]bool{}
	for i := range listed {
		require.Equal(t, listed[i].ID, paged[i].ID)
		require.False(t, seen[listed[i].ID], "listed twice")
		seen[listed[i].ID] = true
	}
	now := time.UnixMilli(must(command.Decode(logs[len(logs)-1].Data)).At)
	for _, at := range []time.Time{now, now.Add(time.Hour), now.Add(50 * time.Hour)} {
		require.Equal(t, want.inForce(at), got.inForce(at))
		require.Equal(t, boardOf(want, at).InForce(at), boardOf(got, at).InForce(at))
		require.Equal(t, boardOf(want, at).Ended(at), boardOf(got, at).Ended(at))
	}
}

// boardOf is what a node lays out at a start.
func boardOf(r *rig, now time.Time) *board.Board {
	b := board.New()
	for _, signed := range recalled(r, now) {
		f, err := signed.Fact()
		require.NoError(r, err)
		if f.Kind == fact.KindApproval {
			p, err := factbody.DecodeApproval(f.Body)
			require.NoError(r, err)
			b.Approve(p.OnBoard())
			continue
		}
		msg, why := archive.Read(signed.ID(), f.Body)
		require.Empty(r, why)
		b.Add(msg.Entry)
	}
	return b
}

// What is over leaves memory, and a start does not read it.
func TestArchive_HoldsWhatMayStillMatter(t *testing.T) {
	r := newRig(t)
	s := newScript(t)
	o := newOrigin("n1")
	now := epoch
	for i := range 300 {
		now = now.Add(30 * time.Minute)
		at := now.Format("2006-01-02T15:04:05-00:00")
		signed := o.alert(t, "", func(x *factbody.Issue) {
			x.Message = capMessageAt(fmt.Sprint("a", i), "Alert", "Rain", "", at)
		})
		raw, err := command.Command{At: now.UnixMilli(), Payload: &command.AdoptFacts{Facts: []fact.Signed{signed}}}.Encode()
		require.NoError(t, err)
		require.NoError(t, r.one(s.raw(raw)).Error())
	}
	few := onBoard(r)
	require.Zero(t, few, "all of them ran out on the first day")
	_, ends := r.fsm.Derived().Alerts.Held()
	require.Zero(t, ends)
	r.reopen()
	require.Equal(t, few, onBoard(r))
	require.Len(t, must(r.alerts(1000)), 300)
	require.Len(t, recalled(r, epoch.Add(20*time.Hour)), 300, "ends are told for a day")
	require.Empty(t, recalled(r, now), "what was archived matters to nobody by then")
	page := must(r.read.AlertList(factlog.Place{}, 100))
	require.True(t, page[0].Over)
	require.EqualValues(t, 300, page[0].At.Index)
}

// Whoever lists alerts while they go from the board to the archive misses none.
func TestArchive_IsReadWhileAlertsGoThere(t *testing.T) {
	const alerts = 1000
	r := newRig(t)
	s, o := newScript(t), newOrigin("n1")
	apply := func(at time.Time, facts ...fact.Signed) {
		raw, err := command.Command{At: at.UnixMilli(), Payload: &command.AdoptFacts{Facts: facts}}.Encode()
		require.NoError(t, err)
		require.NoError(t, r.one(s.raw(raw)).Error())
	}
	var facts []fact.Signed
	for i := range alerts {
		facts = append(facts, o.alert(t, fmt.Sprint("a", i)))
	}
	for part := range slices.Chunk(facts, 100) {
		apply(epoch, part...)
	}
	require.Equal(t, alerts, onBoard(r))

	var done atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !done.Load() {
				list, err := r.read.AlertList(factlog.Place{}, alerts)
				if !assert.NoError(t, err) || !assert.Equal(t, alerts, len(list)) {
					return
				}
			}
		})
	}
	for over := epoch.Add(24 * time.Hour); onBoard(r) > 0; over = over.Add(time.Second) {
		apply(over)
	}
	done.Store(true)
	readers.Wait()
}
