package fsm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// worldMembers is how many members the audience has, of which every third is a screen.
const worldMembers = 30

// world is what three nodes put on record by themselves: everything that a fact may
// be, with contradictions, repeats of one message, incidents pressed twice, approvals
// that come early, late and never, and bytes that nobody can read.
type world struct {
	testing.TB
	rand    *rand.Rand
	origins []*origin
	lanes   [][]fact.Signed // one origin's one stream each, in its order
	keys    []alert.Key     // of messages that some node took
	alerts  []fact.Signed
	issues  []factbody.Issue // of alerts
	receipt int              // receipts so far
}

func newWorld(t testing.TB, seed uint64, facts int) *world {
	w := &world{TB: t, rand: rand.New(rand.NewPCG(seed, 11)), lanes: make([][]fact.Signed, 6)}
	for i := range 3 {
		w.origins = append(w.origins, newOrigin(fmt.Sprint("node-", i)))
	}
	for range facts {
		i := w.rand.IntN(3)
		signed := w.fact(w.origins[i])
		lane := 2 * i
		if signed.Kind() == fact.KindReceipts {
			lane++
		}
		w.lanes[lane] = append(w.lanes[lane], signed)
	}
	return w
}

// fact lets the node put something on record.
func (w *world) fact(o *origin) fact.Signed {
	if len(w.alerts) == 0 {
		return w.message(o)
	}
	at := epoch.Add(time.Duration(w.rand.IntN(600)) * time.Second).UnixMilli()
	some := w.keys[w.rand.IntN(len(w.keys))]
	switch n := w.rand.IntN(20); {
	case n < 8:
		return w.message(o)
	case n < 12:
		return w.approval(o)
	case n < 16:
		return w.receipts(o, some)
	case n < 17:
		body, err := factbody.Fanout{Alert: string(some.ID()), Revision: 7, Devices: 3, At: at}.Encode()
		require.NoError(w, err)
		return o.sign(w, fact.KindFanout, fact.Alerts, body)
	case n < 18:
		body, err := factbody.Alone{From: at, To: at + 5000, Why: factbody.AloneLost}.Encode()
		require.NoError(w, err)
		return o.sign(w, fact.KindAlone, fact.Alerts, body)
	case n < 19:
		body, err := factbody.Refusal{Key: some.String(), Alert: string(some.ID()), Author: "amy", At: at}.Encode()
		require.NoError(w, err)
		return o.sign(w, fact.KindRefusal, fact.Alerts, body)
	default:
		return o.sign(w, fact.KindAlert, fact.Alerts, []byte{0xFF})
	}
}

// message is an Alert, Update or Cancel; one in five repeats or contradicts another.
func (w *world) message(o *origin) fact.Signed {
	r := w.rand
	at := func() string {
		return epoch.Add(time.Duration(r.IntN(600)) * time.Second).Format("2006-01-02T15:04:05-07:00")
	}
	n := len(w.alerts)
	issue := factbody.Issue{Author: []string{"amy", "ben"}[r.IntN(2)], Targets: []audience.Target{{Select: "kind = screen"}}}
	kind, event := "Alert", []string{"Rainstorm", "Fire"}[r.IntN(2)]
	if n > 0 && r.IntN(2) == 0 {
		kind = []string{"Update", "Cancel"}[r.IntN(2)]
	}
	refs := ""
	if kind != "Alert" {
		refs = w.keys[r.IntN(n)].String()
		if r.IntN(4) == 0 {
			refs += " observatory,never-seen-" + fmt.Sprint(r.IntN(3)) + "," + sent
		}
	}
	issue.Message = capMessageAt(fmt.Sprint("M", n), kind, event, refs, at())
	switch r.IntN(8) {
	case 0: // the same message again
		if n > 0 {
			issue = w.issues[r.IntN(n)]
		}
	case 1: // another one in its place
		if n > 0 {
			issue = w.issues[r.IntN(n)]
			issue.Message = []byte(strings.Replace(string(issue.Message), "Tuen Mun", "Yuen Long", 1))
			issue.Targets = []audience.Target{{Select: "kind = phone"}}
		}
	case 2:
		issue.Message = []byte(strings.Replace(string(issue.Message), "Actual", "Exercise", 1))
	case 3, 4:
		if kind == "Alert" {
			issue.Scenario, issue.Incident = "fire", fmt.Sprint("incident-", r.IntN(2))
		}
	}
	issue.Approvals = uint32(max(0, r.IntN(6)-3))
	issue.Accepted = epoch.Add(time.Duration(r.IntN(600)) * time.Second).UnixMilli()
	body, err := issue.Encode()
	require.NoError(w, err)
	a, _, err := capxml.Parse(issue.Message)
	require.NoError(w, err)
	signed := o.sign(w, fact.KindAlert, fact.Alerts, body)
	w.alerts, w.issues, w.keys = append(w.alerts, signed), append(w.issues, issue), append(w.keys, a.Key())
	return signed
}

// approval is of a message that some node took, or of other content.
func (w *world) approval(o *origin) fact.Signed {
	n := w.rand.IntN(len(w.alerts))
	for range 5 { // rather of one that waits for it
		if w.issues[n].Approvals == 0 {
			n = w.rand.IntN(len(w.alerts))
		}
	}
	a, _, err := capxml.Parse(w.issues[n].Message)
	require.NoError(w, err)
	id, digest := w.alerts[n].ID(), a.Digest().String()
	if w.rand.IntN(8) == 0 {
		digest = strings.Repeat("0", len(digest))
	}
	at := epoch.Add(time.Duration(w.rand.IntN(900)) * time.Second)
	body, err := factbody.Approval{
		Fact: id[:], Digest: digest, By: []string{"amy", "ben", "cho", "dee"}[w.rand.IntN(4)],
		At: at.UnixMilli(), Expires: at.Add(10 * time.Minute).UnixMilli(),
	}.Encode()
	require.NoError(w, err)
	return o.sign(w, fact.KindApproval, fact.Alerts, body)
}

func (w *world) receipts(o *origin, of alert.Key) fact.Signed {
	members := make([]uint32, 1+w.rand.IntN(20))
	for i := range members {
		members[i] = w.rand.Uint32N(worldMembers)
	}
	w.receipt += len(members)
	rung := receipt.Rung(1 + w.rand.IntN(int(receipt.Refused)))
	revision := alert.Revision(of.Sent.Time().UnixMilli())
	return o.receipts(w, of.ID(), revision, rung, members...)
}

// told gives the facts as they might reach the log: each lane in its order, mixed
// with the others, with repeats, and with some that come too early and again.
func (w *world) told(r *rand.Rand) []fact.Signed {
	var out []fact.Signed
	next := make([]int, len(w.lanes))
	for {
		var open []int
		for i := range w.lanes {
			if next[i] < len(w.lanes[i]) {
				open = append(open, i)
			}
		}
		if len(open) == 0 {
			return out
		}
		i := open[r.IntN(len(open))]
		switch lane := w.lanes[i]; r.IntN(8) {
		case 0:
			out = append(out, lane[r.IntN(len(lane))]) // known, the next, or too early
			if out[len(out)-1].ID() == lane[next[i]].ID() {
				next[i]++
			}
		case 1:
			out = append(out, w.hostile(i, next[i], r))
		default:
			out = append(out, lane[next[i]])
			next[i]++
		}
	}
}

// log writes the facts as entries, cut anywhere, after the audience.
func (w *world) log(facts []fact.Signed, r *rand.Rand) []*raft.Log {
	s := newScript(w)
	s.add(&command.PutMembers{Members: members(0, worldMembers)})
	for len(facts) > 0 {
		n := min(1+r.IntN(12), len(facts))
		s.add(&command.AdoptFacts{Facts: facts[:n]})
		facts = facts[n:]
	}
	return s.logs
}

// hostile is what no node puts on record: bytes that are no fact, or another fact in
// the place of one that is known.
func (w *world) hostile(lane, known int, r *rand.Rand) fact.Signed {
	if known == 0 || r.IntN(2) == 0 {
		return fact.Signed{Canonical: []byte{0xFF, byte(r.IntN(256))}, Signature: []byte("?")}
	}
	return w.origins[lane/2].signAt(w, fact.KindAlert, fact.Stream(1+lane%2), 1+r.Uint64N(uint64(known)), []byte("another"))
}
