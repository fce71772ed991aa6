package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/cluster/journal/journaltest"
)

// inTown runs a story on a fake clock.
func inTown(t *testing.T, story func(t *testing.T, w *town)) {
	synctest.Test(t, func(t *testing.T) { story(t, newTown(t, "a", "b", "c")) })
}

func later(d time.Duration) {
	time.Sleep(d) // on the bubble's clock
	synctest.Wait()
}

func TestCreate_IsPushedToAllAndCommitted(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		p := w.create("a", "fire")
		require.Equal(t, []string{"fire"}, w.nodes["a"].news(), "told before Create returns")
		synctest.Wait() // no time passes
		for _, n := range w.nodes {
			require.Equal(t, []string{"fire"}, n.news())
		}
		require.Equal(t, Committed, p.Level())
		<-p.Committed()
		require.Equal(t, "fire", w.adopted())
	})
}

func held(t *testing.T, p *Progress, by, of int) {
	t.Helper()
	k, n := p.Reached()
	require.Equal(t, []any{Held, by, of}, []any{p.Level(), k, n})
}

func TestCreate_WithoutQuorumSaysHowFarItGot(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.set(func() { w.quorum = false; w.alone["b"], w.alone["c"] = true, true })
		p := w.create("a", "fire")
		require.True(t, p.Durable())
		synctest.Wait()
		require.Equal(t, Local, p.Level())
		w.set(func() { delete(w.alone, "b") })
		later(3 * time.Second)
		held(t, p, 2, 3)
		require.Equal(t, []string{"fire"}, w.nodes["b"].news())
		require.Empty(t, w.nodes["c"].news())
		w.set(func() { delete(w.alone, "c") })
		later(3 * time.Second)
		held(t, p, 3, 3)
		w.set(func() { w.quorum = true })
		later(3 * time.Second)
		require.Equal(t, Committed, p.Level())
	})
}

func TestLostPush_IsHealedByAntiEntropy(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.set(func() { w.quorum, w.lossy = false, true })
		for i := range 200 {
			w.create("a", fmt.Sprint(i))
		}
		later(4 * time.Second)
		for _, n := range w.nodes {
			require.Len(t, n.news(), 200)
			require.Equal(t, w.nodes["a"].news(), n.news(), "in order of the origin")
		}
	})
}

func TestAdoption_KeepsOrderAndBatches(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.set(func() { w.quorum = false })
		want := ""
		for i := range 150 {
			w.create("a", fmt.Sprint(i))
			want += fmt.Sprintf(" %d", i)
		}
		later(2 * time.Second)
		w.set(func() { w.quorum = true })
		later(3 * time.Second)
		require.Equal(t, want[1:], w.adopted())
		require.Equal(t, []int{64, 64, 22}, w.commands)
	})
}

func TestSilentOrigin_IsAdoptedByAnother(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.set(func() { w.quorum = false })
		w.create("a", "last words")
		synctest.Wait()
		w.stop("a")
		w.set(func() { w.quorum = true })
		later(time.Second)
		require.Empty(t, w.adopted(), "it may only be slow")
		later(3 * time.Second)
		require.Equal(t, "last words", w.adopted())
		require.Equal(t, []string{"b"}, w.proposer, "one of the others, not both")
	})
}

func TestForgedFact_IsRefused(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		s, _ := journaltest.Named("b").Fact(t, fact.Alerts, 1, 1, "genuine")
		wrongKey, _ := journaltest.Named("mallory").Fact(t, fact.Alerts, 1, 1, "unknown origin")
		altered := s
		altered.Canonical = append([]byte(nil), s.Canonical...)
		altered.Canonical[len(altered.Canonical)-1] ^= 1
		asB, err := fact.Sign(fact.Fact{Kind: fact.KindAlert, Stream: fact.Alerts, Origin: "b", Epoch: 1, Seq: 1, Body: []byte("forged")}, "key-b", journaltest.Named("c").Key)
		require.NoError(t, err)
		body, err := cbor.Marshal(factsMessage{Facts: []fact.Signed{wrongKey, altered, asB, {}, s}})
		require.NoError(t, err)
		answer := post(w.nodes["a"].Exchange, "/fact/push", "c", body)
		require.Equal(t, http.StatusOK, answer.Code)
		m, err := decodePushAnswer(answer.Body.Bytes(), 5)
		require.NoError(t, err)
		require.Equal(t, []result{resultRefused, resultRefused, resultRefused, resultRefused, resultStored}, m.Results)
		require.Equal(t, []string{"genuine"}, w.nodes["a"].news())
	})
}

// A node that lags behind the key ring is sent the same pages every second by everybody:
// 14,000 lines in 20 s were seen.
func TestForgedFacts_DoNotFloodTheLog(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		e := w.nodes["a"].Exchange
		var log bytes.Buffer
		e.o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s, _ := journaltest.Named("mallory").Fact(t, fact.Alerts, 1, 1, "unknown origin")
		for range 1000 {
			require.Equal(t, resultRefused, e.take(s))
		}
		require.Equal(t, 1, strings.Count(log.String(), "refusing fact"))
	})
}

func TestPush_AnyOrderAndDuplicationIsOneFactEach(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.set(func() { w.quorum = false }) // what the state machine reports may be told again
		r := rand.New(rand.NewPCG(7, 7))
		var facts []fact.Signed
		for seq := range uint64(30) {
			s, _ := journaltest.Named("b").Fact(t, fact.Alerts, 1, seq+1, fmt.Sprint(seq+1))
			facts = append(facts, s, s)
		}
		r.Shuffle(len(facts), func(i, k int) { facts[i], facts[k] = facts[k], facts[i] })
		for page := range slices.Chunk(facts, 7) {
			body, err := cbor.Marshal(factsMessage{Facts: page})
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, post(w.nodes["a"].Exchange, "/fact/push", "b", body).Code)
		}
		later(3 * time.Second)
		for _, n := range w.nodes {
			news := n.news()
			slices.Sort(news)
			require.Len(t, news, 30)
			require.Len(t, slices.Compact(news), 30)
		}
		w.set(func() { w.quorum = true })
		later(3 * time.Second)
		require.Len(t, strings.Fields(w.adopted()), 30)
	})
}

func TestTrimmedFacts_AreServedFromTheStateMachine(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.set(func() { w.alone["c"] = true })
		for i := range 70 {
			w.create("a", fmt.Sprint(i))
		}
		later(2 * time.Second)
		j := w.nodes["a"].o.Journal
		require.Empty(t, journaltest.Bodies(t, j, "a", j.Epoch(), 0), "adopted and forgotten")
		w.set(func() { w.quorum = false; delete(w.alone, "c") }) // raft does not bring them
		later(4 * time.Second)
		require.Len(t, w.nodes["c"].news(), 70)
	})
}

func TestReceipts_TravelAloneOnlyWithoutLeader(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a := w.nodes["a"]
		p, err := a.Create(t.Context(), fact.KindReceipts, fact.Receipts, []byte("block"))
		require.NoError(t, err)
		<-p.Committed()
		later(3 * time.Second)
		require.Equal(t, []string{"block"}, w.nodes["b"].news(), "raft brought it")
		w.set(func() { require.Zero(t, w.pushes) })

		w.set(func() { w.quorum = false })
		_, err = a.Create(t.Context(), fact.KindReceipts, fact.Receipts, []byte("alone"))
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, []string{"block", "alone"}, w.nodes["b"].news())
	})
}

func TestRestart_TellsWhatIsNotAdopted(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.create("a", "adopted")
		later(time.Second)
		w.set(func() { w.quorum = false; w.alone["a"] = true })
		w.create("a", "waiting")
		w.nodes["a"].disk.Crash()
		w.stop("a")
		w.nodes["a"].new = nil
		w.start("a")
		require.Equal(t, []string{"waiting"}, w.nodes["a"].news())
		w.set(func() { w.quorum = true; delete(w.alone, "a") })
		w.create("a", "next")
		later(2 * time.Second)
		require.Equal(t, "adopted waiting next", w.adopted())
	})
}

func TestFailingDisk_DoesNotSilenceAnAlert(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.nodes["a"].disk.FailSyncs(errors.New("input/output error"))
		w.set(func() { w.quorum = false; w.alone["a"] = true })
		p := w.create("a", "fire")
		require.False(t, p.Durable())
		require.Equal(t, InMemory, p.Level())
		require.Equal(t, []string{"fire"}, w.nodes["a"].news())
		_, err := w.nodes["a"].Create(t.Context(), fact.KindReceipts, fact.Receipts, []byte("block"))
		require.Error(t, err, "a receipt that is not durable is not acknowledged")
		w.set(func() { delete(w.alone, "a") })
		later(3 * time.Second)
		held(t, p, 2, 3) // not counting this node
		w.set(func() { w.quorum = true })
		later(3 * time.Second)
		require.Equal(t, Committed, p.Level())
	})
}

func TestHandlers_MalformedIs400(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for _, path := range []string{"/fact/push", "/fact/vector", "/fact/after"} {
			for _, body := range [][]byte{nil, {0xff}, []byte("hello"), {0x81, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
				require.Equal(t, http.StatusBadRequest, post(w.nodes["a"].Exchange, path, "b", body).Code, "%s %x", path, body)
			}
		}
	})
}

func FuzzMessages(f *testing.F) {
	s, _ := journaltest.Named("a").Fact(f, fact.Alerts, 1, 1, "seed")
	for _, m := range []any{
		factsMessage{Facts: []fact.Signed{s}}, vectorMessage{Lanes: []fact.Lane{{Origin: "a", Stream: fact.Alerts, Epoch: 1, High: 1}}},
		afterRequest{Lane: fact.Lane{Origin: "a", Stream: fact.Receipts}, Max: 1}, pushAnswer{Results: []result{1, 2}},
	} {
		b, err := cbor.Marshal(m)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decodeFacts(b); err == nil {
			for _, s := range m.Facts {
				_, _ = s.Open(journaltest.Keys("a"))
			}
		}
		_, _ = decodeVector(b)
		_, _ = decodeAfter(b)
		_, _ = decodePushAnswer(b, 2)
		_, _ = fact.DecodeSigned(b)
	})
}

// The state machine's mark is on disk before it reports what it adopted. Whoever looks
// at the mark in between must not take the fact for one that this process has seen: a
// node that catches up by the log would never learn of the alert.
func TestAdopted_TellsWhatOnlyTheMarkWasKnownOf(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		const epoch = 7
		one, f := journaltest.Named("b").Fact(t, fact.Alerts, epoch, 1, "one")
		two, _ := journaltest.Named("b").Fact(t, fact.Alerts, epoch, 2, "two")
		n := w.nodes["a"]
		w.set(func() { w.quorum = false; w.alone["a"] = true })
		n.mu.Lock()
		n.marks[f.Lane()] = 1 // committed, and not reported yet
		n.mu.Unlock()
		require.Equal(t, resultStored, n.take(two))
		n.Adopted(one)
		require.ElementsMatch(t, []string{"one", "two"}, n.news())
		n.Adopted(two)
		require.Len(t, n.news(), 2, "what a peer brought is not told again")
	})
}
