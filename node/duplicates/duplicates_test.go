package duplicates

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func ids(x *Index[int], a *Alert[int]) (out []string) {
	for other := range x.Near(a) {
		out = append(out, string(other.ID))
	}
	return out
}

func TestNear_FindsWhatEachPairSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []*Alert[int]
	for i := range 400 {
		a := &Alert[int]{
			ID: alert.ID(fmt.Sprint(i)), Status: []alert.Status{alert.StatusActual, alert.StatusExercise}[random.IntN(2)],
			Accepted: noon.Add(time.Duration(random.IntN(10_000)) * time.Second),
			Incident: []string{"", "flood-7", "fire-9"}[random.IntN(3)], Scenario: []string{"", "flood", "siren-test"}[random.IntN(3)],
		}
		for range random.IntN(3) {
			a.Events = append(a.Events, []string{"Flood", "FLOOD", "Fire", ""}[random.IntN(4)])
		}
		all = append(all, a)
	}
	x := New(all)
	for _, a := range all {
		var want []string
		for _, b := range all {
			same := a.Scenario != "" && a.Scenario == b.Scenario || a.Scenario+b.Scenario == "" && a.Incident != "" && a.Incident == b.Incident || slices.ContainsFunc(a.Events, func(e string) bool {
				return e != "" && slices.ContainsFunc(b.Events, func(f string) bool { return strings.EqualFold(e, f) })
			})
			otherwise := a.Incident != "" && a.Incident == b.Incident && a.Scenario != b.Scenario
			if a != b && same && !otherwise && a.Status == b.Status && a.Accepted.Sub(b.Accepted).Abs() <= Within {
				want = append(want, string(b.ID))
			}
		}
		require.ElementsMatch(t, want, ids(x, a))
	}
}

func TestNear_TheNearestFirst(t *testing.T) {
	var all []*Alert[int]
	for i, minutes := range []int{-50, -10, 20, 0, 70, 30} {
		all = append(all, &Alert[int]{ID: alert.ID(fmt.Sprint(i)), Accepted: noon.Add(time.Duration(minutes) * time.Minute), Events: []string{"Fire"}})
	}
	require.Equal(t, []string{"1", "2", "5", "0"}, ids(New(all), all[3]))
	kelvin := &Alert[int]{ID: "k", Accepted: noon, Events: []string{"\u212Aelvin"}}
	require.Equal(t, []string{"c"}, ids(New([]*Alert[int]{{ID: "c", Accepted: noon, Events: []string{"kelvin"}}}), kelvin))
}

// A page of a list asks of each of its alerts; what is nearest is found without a look at
// the others.
func BenchmarkNear(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var all []*Alert[int]
			for i := range n {
				all = append(all, &Alert[int]{ID: alert.ID(fmt.Sprint(i)), Accepted: noon.Add(time.Duration(i) * time.Millisecond), Events: []string{"Fire"}})
			}
			x := New(all)
			for b.Loop() {
				found := 0
				for range x.Near(all[n/2]) {
					if found++; found == 10 {
						break
					}
				}
			}
		})
	}
}

// Two people write about one thing at two nodes at one moment: in other words, maybe in other languages.
func TestNear_FindsWhatIsOfOneIncident(t *testing.T) {
	one := &Alert[int]{ID: "one", Accepted: noon, Incident: "gas leak tm/on-ting", Events: []string{"Gas leak"}}
	two := &Alert[int]{ID: "two", Accepted: noon.Add(time.Millisecond), Incident: "gas leak tm/on-ting", Events: []string{"氣體洩漏"}}
	other := &Alert[int]{ID: "other", Accepted: noon, Incident: "gas leak tm/butterfly", Events: []string{"氣體"}}
	x := New([]*Alert[int]{one, two, other})
	require.Equal(t, []string{"two"}, ids(x, one))
	require.Equal(t, []string{"one"}, ids(x, two))
}
