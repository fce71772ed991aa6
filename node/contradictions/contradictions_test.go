package contradictions

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

var night = time.Date(2026, 7, 20, 3, 0, 0, 0, time.UTC)

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
		first.Sent = night
		got := Find([]Alert{first, c.other})
		if c.want == "" {
			require.Equal(t, Found{Exactly: true}, got, name)
			continue
		}
		require.Equal(t, Found{Pairs: []Pair{{0, 1, c.want}}, Exactly: true}, got, name)
		require.Equal(t, Found{Pairs: []Pair{{1, 0, c.want}}, Exactly: true}, Find([]Alert{c.other, first}), "%s, the other way round", name)
	}
}

func TestFind_IsBounded(t *testing.T) {
	crowd := func(n int) (all []Alert) {
		for i := range n {
			all = append(all, of(fmt.Sprint(i), says("Fire", []string{"Evacuate", "Shelter"}[i%2], "Severe", "Immediate")))
		}
		return all
	}
	got := Find(crowd(40))
	require.Len(t, got.Pairs, most)
	require.Equal(t, 20*20-most, got.More)
	require.True(t, got.Exactly)
	got = Find(crowd(100))
	require.Equal(t, mostCounted-most, got.More)
	require.False(t, got.Exactly)
}

// Alerts in several languages say the same in each, and are one pair all the same.
func TestFind_CountsAlertsAndNotTheirLanguages(t *testing.T) {
	var all []Alert
	for i := range 14 {
		a := of(fmt.Sprint(i), says("Fire", []string{"Evacuate", "Shelter"}[i%2], "Severe", "Immediate"))
		a.ID, a.Infos = alert.ID(fmt.Sprintf("%02d", i)), append(a.Infos, a.Infos[0], a.Infos[0])
		all = append(all, a)
	}
	require.Len(t, Find(all).Pairs, most)
	require.Equal(t, 7*7-most, Find(all).More)
	require.Equal(t, naive(all), Find(all))
}

// Of many, the gravest are named, and of those the newest, in whatever order they come.
func TestFind_NamesTheGravestAndNewest(t *testing.T) {
	var all []Alert
	add := func(sender string, age time.Duration, response, severity string) {
		a := of(sender, says("Fire", response, severity, "Expected"))
		a.ID, a.Sent = alert.ID(fmt.Sprint(len(all))), night.Add(-age)
		all = append(all, a)
	}
	for i := range 30 { // each with each: slight
		add(fmt.Sprint("a", i), time.Duration(i)*time.Second, "Monitor", []string{"Severe", "Minor"}[i%2])
	}
	add("leave", 30*time.Hour, "Evacuate", "Moderate")
	add("stay", 29*time.Hour, "Shelter", "Moderate")
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		got := Find(all)
		require.Equal(t, Response, got.Pairs[0].Why)
		require.Equal(t, []string{"stay", "leave"}, []string{all[got.Pairs[0].A].Sender, all[got.Pairs[0].B].Sender})
		for i, p := range got.Pairs[1:] {
			require.Equal(t, Severity, p.Why)
			require.Equal(t, []string{"a0", fmt.Sprint("a", 2*i+1)}, []string{all[p.A].Sender, all[p.B].Sender}, "%d", i)
			if i == 14 {
				break // then those of the second newest
			}
		}
		require.Equal(t, 1+15*15-most, got.More)
	}
}

// infos compares two blocks about the same, word by word.
func infos(a, b *alert.Info) Why {
	switch {
	case contraryResponses(a.ResponseTypes, b.ResponseTypes):
		return Response
	case either(a.Severity, b.Severity, []string{"Extreme", "Severe"}, "Minor"):
		return Severity
	case either(a.Urgency, b.Urgency, []string{"Immediate"}, "Past"):
		return Urgency
	}
	return ""
}

// either reports whether one word is of high and the other one is low.
func either(a, b string, high []string, low string) bool {
	return slices.Contains(high, a) && b == low || slices.Contains(high, b) && a == low
}

// between is in what two alerts are contrary; "" where they are not, or are about different things,
// different people, or by one sender, whose later word may be meant to differ.
func between(a, b *Alert) Why {
	if a.Sender == b.Sender || !a.Members.Intersects(b.Members) {
		return ""
	}
	incident := slices.ContainsFunc(a.Incidents, func(i string) bool { return slices.Contains(b.Incidents, i) })
	var found []Why
	for i := range a.Infos {
		for j := range b.Infos {
			if incident || shares(a.Infos[i].Categories, b.Infos[j].Categories) {
				found = append(found, infos(&a.Infos[i], &b.Infos[j]))
			}
		}
	}
	for _, why := range whys {
		if slices.Contains(found, why) {
			return why
		}
	}
	return ""
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// naive compares every alert with every other one.
func naive(all []Alert) (out Found) {
	newer := func(a, b int) int {
		return cmp.Or(all[b].Sent.Compare(all[a].Sent), strings.Compare(string(all[a].ID), string(all[b].ID)))
	}
	for a := range all {
		for b := range all {
			if newer(a, b) < 0 {
				if why := between(&all[a], &all[b]); why != "" {
					out.Pairs = append(out.Pairs, Pair{a, b, why})
				}
			}
		}
	}
	slices.SortFunc(out.Pairs, func(p, q Pair) int {
		return cmp.Or(cmp.Compare(slices.Index(whys, p.Why), slices.Index(whys, q.Why)), newer(p.A, q.A), newer(p.B, q.B))
	})
	if out.More, out.Exactly = len(out.Pairs)-most, true; out.More >= 0 {
		out.Pairs = out.Pairs[:most]
	}
	out.More = max(out.More, 0)
	if out.More+most >= mostCounted && len(out.Pairs) == most {
		out.More, out.Exactly = mostCounted-most, false
	}
	return out
}

// One composer may have some hundred alerts in force, each with hundreds of blocks, none of which says the same: what
// is kept of them is as much as of few, and it is compared as fast.
func TestFind_IsBoundedByAlertsWhateverTheySay(t *testing.T) {
	responses := []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}
	var all []Alert
	for n := range 40 {
		a := of([]string{"small", "centre"}[n%2], nil)
		a.ID, a.Infos = alert.ID(fmt.Sprint(n)), nil
		for i := range alert.MaxInfos {
			info := alert.Info{Categories: []string{"Fire", "Met"}, Severity: []string{"Severe", "Minor", "Unknown"}[i%3], Urgency: []string{"Immediate", "Past", "Future"}[i/3%3]}
			for bit, r := range responses {
				if (n*alert.MaxInfos+i)>>bit&1 == 1 {
					info.ResponseTypes = append(info.ResponseTypes, r)
				}
			}
			info.ResponseTypes = append(info.ResponseTypes, slices.Repeat([]string{"None"}, n)...) // said again and again
			a.Infos = append(a.Infos, info)
		}
		for i := range 2000 {
			a.Incidents = append(a.Incidents, fmt.Sprint("i-", i))
		}
		all = append(all, a)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := Find(all)
	runtime.ReadMemStats(&after)
	require.Len(t, got.Pairs, most)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "bytes")
}

// What an alert says about more things than anybody writes about is passed over, and nothing else of it.
func TestFind_LooksAtSoManyTopicsOfAnAlert(t *testing.T) {
	wide, other := of("small", nil), of("centre", says("Fire", "Shelter", "Severe", "Immediate"))
	for i := range 2 * mostTopics {
		wide.Infos = append(wide.Infos, alert.Info{Categories: []string{fmt.Sprint("made up ", i)}})
		wide.Incidents = append(wide.Incidents, fmt.Sprint(i))
	}
	numbers := topics{}
	require.Len(t, numbers.sayings(&wide), 2*mostTopics)
	require.Len(t, numbers, 2*mostTopics)
	require.Len(t, Find([]Alert{wide, other}).Pairs, 1)
}

// many are alerts as a large district may have them; of those that share people some are contrary.
func many(n, places int, r *rand.Rand) (all []Alert) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for i := range n {
		from := uint32(r.IntN(places)) * 1000
		a := Alert{ID: alert.ID(fmt.Sprintf("%04d", i)), Sender: pick("hko", "fire", "police"), Sent: night.Add(-time.Duration(r.IntN(20)) * time.Minute), Members: roaring.New()}
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
	for name, find := range map[string]func([]Alert) Found{"index": Find, "naive": naive} {
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
