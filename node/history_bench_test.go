package node

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// museum is a node alone in its district with alerts that are long over.
type museum struct {
	testing.TB
	*Node
	o     Options
	past  ed25519.PrivateKey
	seq   map[fact.Stream]uint64
	facts []fact.Signed
	made  int
	sent  time.Time // of the alerts that are put there
}

func newMuseum(t testing.TB) *museum {
	t.Helper()
	o := DefaultOptions(filepath.Join(t.TempDir(), "data"))
	o.Logger = slog.New(slog.DiscardHandler)
	_, err := Init(o, "tuen-mun")
	require.NoError(t, err)
	_, past, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	m := &museum{TB: t, o: o, past: past, seq: map[fact.Stream]uint64{}, sent: time.Now().AddDate(0, -2, 0).UTC()}
	m.open()
	t.Cleanup(func() { require.NoError(t, m.Stop(context.Background())) })
	require.Eventually(t, func() bool { return m.Node.cluster.Status().HasQuorum }, time.Minute, 10*time.Millisecond)
	screen := audience.Member{ID: "screen", Kind: audience.KindScreen, Place: "tuen-mun"}
	_, err = m.proposer.Propose(t.Context(), "test", &command.PutMembers{Members: [][]byte{audience.EncodeMember(&screen)}})
	require.NoError(t, err)
	return m
}

func (m *museum) open() {
	m.Helper()
	var err error
	m.Node, err = New(m.o)
	require.NoError(m, err)
	require.NoError(m, m.Node.Start(m.Context()))
}

// hang puts alerts, if nothing else is said of two months ago, into the agreed state, by facts
// of a node that is gone, with receipts each, in entries of a hundred facts.
func (m *museum) hang(alerts, receipts int) {
	m.Helper()
	sent := m.sent
	for range alerts {
		a := &alert.Alert{
			Identifier: fmt.Sprint("past", m.made), Sender: "observatory", Sent: alert.NewDateTime(sent), Status: alert.StatusActual,
			MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{{
				Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
				Headline: "Rain", Expires: alert.NewDateTime(sent.Add(time.Hour)),
			}},
		}
		m.made++
		raw, err := capxml.Write(a)
		require.NoError(m, err)
		body, err := factbody.Issue{Message: raw, Author: "past", Accepted: sent.UnixMilli(), Targets: []audience.Target{{Select: "kind = screen"}}}.Encode()
		require.NoError(m, err)
		m.fact(fact.KindAlert, fact.Alerts, body)
		var b receipt.Block
		for i := range receipts {
			b.Receipts = append(b.Receipts, receipt.Receipt{Alert: a.Key().ID(), Revision: a.Revision(), Member: uint32(i), Rung: receipt.Presented, At: sent})
		}
		if receipts > 0 {
			body, err = b.Encode()
			require.NoError(m, err)
			m.fact(fact.KindReceipts, fact.Receipts, body)
		}
		if len(m.facts) >= 100 {
			m.adoptAll()
		}
	}
	m.adoptAll()
}

func (m *museum) fact(kind fact.Kind, stream fact.Stream, body []byte) {
	m.Helper()
	m.seq[stream]++
	signed, err := fact.Sign(fact.Fact{Kind: kind, Stream: stream, Origin: "past", Epoch: 1, Seq: m.seq[stream], Body: body}, "past", m.past)
	require.NoError(m, err)
	m.facts = append(m.facts, signed)
}

func (m *museum) adoptAll() {
	m.Helper()
	if len(m.facts) > 0 {
		require.NoError(m, adopt(m.Context(), m.Node, m.facts))
	}
	m.facts = nil
}

func (m *museum) list() []wire.Alert {
	m.Helper()
	page, _, err := m.read.ListAlerts(m.Context(), wire.AlertQuery{Limit: 100})
	require.NoError(m, err)
	return page
}

// What is over is not in memory, is not read at a start, and does not make a list dearer.
func TestHistory_CostsNothing(t *testing.T) {
	m := newMuseum(t)
	m.hang(120, 5)
	require.Len(t, m.list(), 100)
	few := testing.AllocsPerRun(20, func() { m.list() })
	m.hang(700, 5)
	require.Len(t, m.list(), 100)
	many := testing.AllocsPerRun(20, func() { m.list() })
	require.InEpsilon(t, few, many, 0.2, "a list costs what is known")
	require.Less(t, many, 20_000.0, "what is over is summed up each time")
	m.book.At(m.options.Clock())
	require.Zero(t, m.book.Held())

	require.NoError(t, m.Stop(t.Context()))
	m.open()
	require.Zero(t, m.book.Held())
	require.Len(t, m.list(), 100)
}

// A page of alerts that all may be about the same costs no more where more are in force.
func TestInForce_AListCostsWhatItShows(t *testing.T) {
	m := newMuseum(t)
	m.sent = time.Now().UTC()
	cost := func(inForce int) float64 {
		m.hang(inForce-m.made, 0)
		require.Eventually(t, func() bool { s := m.presenter.Last(); return s != nil && len(s.InForce) == inForce }, time.Minute, 10*time.Millisecond)
		for _, a := range m.list() {
			require.Len(t, a.Duplicates, 10)
		}
		return testing.AllocsPerRun(5, func() { m.list() })
	}
	few := cost(150)
	require.Less(t, cost(900), 1.5*few)
}

// BenchmarkSplits is what the report of one split costs beside alerts that are over, with
// receipts.
func BenchmarkSplits(b *testing.B) {
	for _, alerts := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprint(alerts), func(b *testing.B) {
			m := newMuseum(b)
			m.hang(alerts, 10)
			later := time.Now().Add(3 * time.Hour).UnixMilli() // than all was agreed
			body, err := factbody.Alone{From: later, To: later + 60_000, Why: factbody.AloneLost}.Encode()
			require.NoError(b, err)
			m.fact(fact.KindAlone, fact.Alerts, body)
			m.adoptAll()
			for b.Loop() {
				report, err := m.splits.Splits(b.Context(), 0)
				require.NoError(b, err)
				require.Len(b, report, 1)
			}
		})
	}
}

// BenchmarkInForce is what a list of 100 costs beside what is in force, all of it about the same.
func BenchmarkInForce(b *testing.B) {
	for _, alerts := range []int{100, 1000, 4000} {
		b.Run(fmt.Sprint(alerts), func(b *testing.B) {
			m := newMuseum(b)
			m.sent = time.Now().UTC()
			m.hang(alerts, 0)
			m.list()
			for b.Loop() {
				m.list()
			}
		})
	}
}

// BenchmarkHistory is what alerts that are over cost: accepting one more, a list of 100,
// a start, and memory.
func BenchmarkHistory(b *testing.B) {
	for _, alerts := range []int{0, 1000, 5000, 20_000} {
		b.Run(fmt.Sprint(alerts), func(b *testing.B) {
			m := newMuseum(b)
			m.hang(alerts, 300)
			b.Run("list", func(b *testing.B) {
				for b.Loop() {
					m.list()
				}
			})
			b.Run("accept", func(b *testing.B) {
				by := authority.Caller{Name: "amy", Roles: []string{authority.RoleAdministrator}}
				for b.Loop() {
					now := time.Now().UTC()
					raw := fmt.Sprintf(`{"info":[{"language":"en","category":["Met"],"event":"Rain","urgency":"Immediate","severity":"Severe",
						"certainty":"Observed","headline":"Rain","expires":%q}]}`, now.Add(time.Second).Format("2006-01-02T15:04:05-07:00"))
					_, err := m.intake.SendAlert(b.Context(), by, wire.SendAlert{Alert: []byte(raw), Select: "kind = screen"}, wire.WaitCommitted)
					require.NoError(b, err)
				}
			})
			b.Run("start", func(b *testing.B) {
				for b.Loop() {
					require.NoError(b, m.Stop(b.Context()))
					m.open()
				}
				runtime.GC()
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				b.ReportMetric(float64(mem.HeapAlloc)/(1<<20), "MB")
			})
		})
	}
}
