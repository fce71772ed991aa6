package budget

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// sum is what a count comes to.
func sum(c *count) (out []string) {
	for id, h := range c.alerts {
		authors := map[string]int{}
		blocks := map[string]int{}
		for _, it := range h.shown {
			authors[it.entry.Author]++
			for _, name := range it.blocks {
				blocks[name]++
			}
		}
		out = append(out, fmt.Sprint(id, h.open, h.until.UTC(), h.admin, h.messages, authors, blocks))
	}
	out = append(out, fmt.Sprint(c.unknown, c.unknownBy, c.quiet))
	slices.Sort(out)
	return out
}

// Whatever was counted again for one message alone, all of it anew comes to the same.
func TestCount_IsWhatAllOfItAnewComesTo(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t)
		w.hire("chief", Administrator)
		w.hire("hko", System)
		var keys []alert.Key
		ends := 0
		for step := range 120 {
			author := []string{"chief", "hko", "amy"}[random.IntN(3)]
			kind, refs := alert.MsgTypeAlert, []alert.Key(nil)
			switch n := random.IntN(10); {
			case n < 4 && len(keys) > 0:
				kind, refs = alert.MsgTypeCancel, []alert.Key{keys[random.IntN(len(keys))]}
			case n < 6 && len(keys) > 0:
				kind, refs = alert.MsgTypeUpdate, []alert.Key{keys[random.IntN(len(keys))]}
			}
			if random.IntN(12) == 0 {
				refs = append(refs, alert.Key{Sender: author, Identifier: fmt.Sprint("unknown", step), Sent: alert.NewDateTime(w.now)})
			}
			e := w.message(author, kind, time.Duration(1+random.IntN(90))*time.Minute, refs...)
			w.budget.mu.Lock()
			w.budget.count(w.now)
			w.budget.mu.Unlock()
			w.force(e, w.some(3)[random.IntN(3):]...)
			if keys = append(keys, e.Key); kind == alert.MsgTypeCancel && w.budget.last != nil {
				ends++
			}
			w.budget.mu.Lock()
			got := sum(w.budget.count(w.now))
			w.budget.last = nil
			want := sum(w.budget.count(w.now))
			w.budget.mu.Unlock()
			require.Equal(t, want, got, "seed %d, step %d: a %s", seed, step, kind)
			w.pass(time.Duration(random.IntN(300)) * time.Second)
		}
		require.Positive(t, ends, "some were counted alone")
	}
}

// After a storm hundreds are cancelled one after the other.
func BenchmarkCancel(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		w.hire("chief", Administrator)
		var keys []alert.Key
		for i := range 1000 {
			e := w.message("chief", alert.MsgTypeAlert, time.Hour)
			require.Nil(b, w.send(e, true, fmt.Sprintf("d/e/b%03d", i%300)))
			keys = append(keys, e.Key)
		}
		b.StartTimer()
		for _, k := range keys {
			require.Nil(b, w.send(w.message("chief", alert.MsgTypeCancel, 0, k), true))
		}
	}
}
