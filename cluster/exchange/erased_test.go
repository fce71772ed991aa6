package exchange

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/cluster/journal/journaltest"
)

// erase takes out of the agreed state what some facts said.
func (w *town) erase(bodies ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.log {
		f, err := s.Fact()
		require.NoError(w.t, err)
		if slices.Contains(bodies, string(f.Body)) {
			w.log[i], err = fact.Erase(s, nil)
			require.NoError(w.t, err)
		}
	}
}

// Nobody has signed that a fact was erased: whoever could say so could keep out any fact of another node, an alert's
// too.
func TestErased_IsNotBelievedOfAnotherNode(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		alert, _ := journaltest.Named("b").Fact(t, fact.Alerts, 1, 1, "fire")
		f, err := alert.Fact()
		require.NoError(t, err)
		f.Kind = fact.KindModeration
		lie, err := fact.Sign(f, "key-c", journaltest.Named("c").Key)
		require.NoError(t, err)
		lie, err = fact.Erase(lie, nil)
		require.NoError(t, err)
		body, err := cbor.Marshal(factsMessage{Facts: []fact.Signed{lie, alert}})
		require.NoError(t, err)
		answer := post(w.nodes["a"].Exchange, "/fact/push", "c", body)
		require.Equal(t, http.StatusOK, answer.Code)
		m, err := decodePushAnswer(answer.Body.Bytes(), 2)
		require.NoError(t, err)
		require.Equal(t, []result{resultRefused, resultStored}, m.Results)
		require.Equal(t, []string{"fire"}, w.nodes["a"].news())
	})
}

// A node that was away while somebody was erased, and is without a majority, hears every alert at once: what is left
// of erased facts, signed by their maker, or what lies behind them.
func TestErased_DoesNotHoldUpWhatLiesBehind(t *testing.T) {
	for _, makerRuns := range []bool{true, false} {
		inTown(t, func(t *testing.T, w *town) {
			w.set(func() { w.alone["c"] = true })
			key := fact.LaneKey{Origin: "b", Stream: fact.Alerts, Epoch: w.nodes["b"].o.Journal.Epoch()}
			for _, body := range []string{"words about Chan", "more of them", "fire"} {
				w.create("b", body)
				later(time.Second)
			}
			later(2 * time.Second)
			w.erase("words about Chan", "more of them")
			if !makerRuns {
				w.stop("b")
			}
			w.set(func() { w.quorum = false; delete(w.alone, "c") }) // raft does not bring them
			later(4 * time.Second)
			news := w.nodes["c"].news()
			require.Contains(t, news, "fire")
			require.NotContains(t, news, "words about Chan")
			high := w.nodes["c"].o.Journal.High(key)
			require.Equal(t, map[bool]uint64{true: 3, false: 0}[makerRuns], high)
			if makerRuns {
				w.create("b", "second fire")
				later(time.Second)
				require.Contains(t, w.nodes["c"].news(), "second fire")
			} else {
				w.start("b")
				later(4 * time.Second)
				require.EqualValues(t, 3, w.nodes["c"].o.Journal.High(key), "its maker fills the gap")
			}
		})
	}
}
