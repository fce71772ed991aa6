package contradictions

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

func of(sender string, change func(*Alert)) Alert {
	a := Alert{ID: alert.ID(sender), Sender: sender, Members: roaring.BitmapOf(1, 2, 3), Infos: []alert.Info{{Categories: []string{"Fire"}, ResponseTypes: []string{"Evacuate"}, Severity: "Severe", Urgency: "Immediate"}}}
	if change != nil {
		change(&a)
	}
	return a
}

func says(category, response, severity, urgency string) func(*Alert) {
	return func(a *Alert) {
		a.Infos = []alert.Info{{Categories: []string{category}, ResponseTypes: []string{response}, Severity: severity, Urgency: urgency}}
	}
}

func TestFind_GoesByWhatTheWordsOfListsSay(t *testing.T) {
	city := of("city", nil)
	for name, c := range map[string]struct {
		other Alert
		want  Why
	}{
		"stay":                 {of("ministry", says("Fire", "Shelter", "Severe", "Immediate")), Response},
		"all clear":            {of("ministry", says("Fire", "AllClear", "Unknown", "Past")), Response},
		"as the text says":     {of("ministry", says("Fire", "None", "Severe", "Immediate")), ""},
		"minor":                {of("ministry", says("Fire", "Evacuate", "Minor", "Immediate")), Severity},
		"past":                 {of("ministry", says("Fire", "Monitor", "Severe", "Past")), Urgency},
		"the same":             {of("ministry", nil), ""},
		"prepare":              {of("ministry", says("Fire", "Prepare", "Moderate", "Expected")), ""},
		"by one sender":        {of("city", says("Fire", "Shelter", "Minor", "Past")), ""},
		"of another thing":     {of("ministry", says("Met", "Shelter", "Minor", "Past")), ""},
		"of the incident":      {of("ministry", func(a *Alert) { says("Met", "Shelter", "Minor", "Past")(a); a.Incidents = []string{"i-7"} }), Response},
		"of another incident":  {of("ministry", func(a *Alert) { says("Met", "Shelter", "Minor", "Past")(a); a.Incidents = []string{"i-8"} }), ""},
		"to other people":      {of("ministry", func(a *Alert) { says("Fire", "Shelter", "Minor", "Past")(a); a.Members = roaring.BitmapOf(9) }), ""},
		"leaves people choice": {of("ministry", func(a *Alert) { a.Infos[0].ResponseTypes = []string{"Evacuate", "Shelter"} }), ""},
	} {
		first := city
		first.Incidents = []string{"i-7"}
		got := Find([]Alert{first, c.other})
		if c.want == "" {
			require.Empty(t, got, name)
			continue
		}
		require.Equal(t, []Pair{{0, 1, c.want}}, got, name)
		require.Equal(t, []Pair{{0, 1, c.want}}, Find([]Alert{c.other, first}), "%s, the other way round", name)
	}
}

func TestFind_IsBounded(t *testing.T) {
	var all []Alert
	for i := range 40 {
		all = append(all, of(string(rune('a'+i)), says("Fire", []string{"Evacuate", "Shelter"}[i%2], "Severe", "Immediate")))
	}
	require.Len(t, Find(all), most)
}

// naive compares every alert with every other one.
func naive(all []Alert) (out []Pair) {
	for a := range all {
		for b := a + 1; b < len(all) && len(out) < most; b++ {
			if why := between(&all[a], &all[b]); why != "" {
				out = append(out, Pair{a, b, why})
			}
		}
	}
	return out
}

// many are alerts as a large district may have them; of those that share people some are contrary.
func many(n, places int, r *rand.Rand) (all []Alert) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for range n {
		from := uint32(r.IntN(places)) * 1000
		a := Alert{Sender: pick("hko", "fire", "police"), Members: roaring.New()}
		a.Members.AddRange(uint64(from), uint64(from+900))
		for range 1 + r.IntN(2) {
			a.Infos = append(a.Infos, alert.Info{
				Categories: []string{pick("Met", "Fire", "Safety")}, ResponseTypes: []string{pick("Evacuate", "Shelter", "Monitor", "AllClear", "None")},
				Severity: pick("Extreme", "Severe", "Minor"), Urgency: pick("Immediate", "Past", "Expected"),
			})
		}
		if r.IntN(4) == 0 {
			a.Incidents = []string{pick("i-1", "i-2")}
		}
		all = append(all, a)
	}
	return all
}

func TestFind_FindsWhatComparingAllFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		all := many(r.IntN(60), 1+r.IntN(40), r)
		require.Equal(t, naive(all), Find(all))
	}
}

// scattered is a thousand members that no other one has, as of blocks whose people came in any order: the
// dearest sets to compare.
func scattered(i int) *roaring.Bitmap {
	out := roaring.New()
	for m := range 1000 {
		out.Add(uint32(m*1000 + i))
	}
	return out
}

// one is 900 members who came one after the other, and whom no other one has.
func one(i int) *roaring.Bitmap {
	out := roaring.New()
	out.AddRange(uint64(i)*1000, uint64(i)*1000+900)
	return out
}

// 1,000 alerts in force. Where they are for the same people the first pairs are found at once.
func BenchmarkFind(b *testing.B) {
	for name, find := range map[string]func([]Alert) []Pair{"index": Find, "naive": naive} {
		for people, of := range map[string]func(int) *roaring.Bitmap{
			"blocks": one, "scattered": scattered, "same": func(int) *roaring.Bitmap { return one(0) },
		} {
			all := many(1000, 1, rand.New(rand.NewPCG(1, 2)))
			for i := range all {
				all[i].Members = of(i)
			}
			b.Run(name+"/"+people, func(b *testing.B) {
				for b.Loop() {
					find(all)
				}
			})
		}
	}
}
