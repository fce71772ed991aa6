package contradictions

import (
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
