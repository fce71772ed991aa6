package compose

import (
	"slices"
	"strconv"
	"time"

	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
)

// hazard is a kind of event with its category of CAP (1.2 §3.2.2). Its name in a language is a text
// of the console, and goes out as CAP's event.
type hazard struct{ name, category string }

// hazards are what people are warned of here; the last one is anything else, and the event is typed.
var hazards = []hazard{
	{"fire", "Fire"}, {"gas", "Safety"}, {"flood", "Met"}, {"storm", "Met"}, {"landslip", "Geo"}, {"structure", "Safety"}, {"power", "Infra"}, {"water", "Infra"},
	{"chemical", "CBRNE"}, {"health", "Health"}, {"crime", "Security"}, {"traffic", "Transport"}, {"other", "Other"},
}

// The choices that CAP has, each with a plain text.
var (
	urgencies = []string{"Immediate", "Expected", "Future", "Unknown"}
	onsets    = []string{"0", "15", "30", "60", "120", "240", "720", "1440"}                                      // minutes
	lasting   = []string{"15", "30", "60", "120", "240", "480", "720", "1440", "4320", "10080"}                   // minutes
	languages = []string{"en", "zh-Hant", "zh-Hans", "fil", "id", "hi", "ne", "ur", "th", "vi", "ja", "ko", "fr"} // that can be added
)

// choice is a line of a list to choose from.
type choice struct {
	Value, Label string
	Chosen       bool
}

// choicesOf are values with their texts in the language.
func choicesOf(l *words.Language, prefix string, values []string, chosen string) (out []choice) {
	for _, v := range values {
		out = append(out, choice{v, l.T(prefix + v), v == chosen})
	}
	return out
}

func hazardsOf(l *words.Language, chosen string) (out []choice) {
	for _, h := range hazards {
		out = append(out, choice{h.name, l.T("compose.hazard." + h.name), h.name == chosen})
	}
	return out
}

// spansOf are spans of time in words.
func spansOf(l *words.Language, values []string, chosen string) (out []choice) {
	for _, v := range values {
		out = append(out, choice{v, span(l, v), v == chosen})
	}
	return out
}

func span(l *words.Language, minutes string) string {
	n, _ := strconv.Atoi(minutes)
	switch {
	case n == 0:
		return l.T("compose.span.now")
	case n%1440 == 0:
		return l.T("compose.span.days", n/1440)
	case n%60 == 0:
		return l.T("compose.span.hours", n/60)
	}
	return l.T("compose.span.minutes", n)
}

// minutesOf is the span that was chosen; false where it is none of those that there are.
func minutesOf(value string, among []string) (time.Duration, bool) {
	n, err := strconv.Atoi(value)
	return time.Duration(n) * time.Minute, err == nil && slices.Contains(among, value)
}

// eventOf is CAP's event in the language of a text: what was typed, else the name of the hazard.
func (f form) eventOf(t text) string {
	if t.Event != "" || f.Hazard == "" || f.Hazard == "other" {
		return t.Event
	}
	return words.Pick(t.Language).T("compose.hazard." + f.Hazard)
}

// categoryOf is CAP's category: what was chosen, else that of the hazard.
func (f form) categoryOf() string {
	if slices.Contains(view.Categories, f.Category) {
		return f.Category
	}
	for _, h := range hazards {
		if h.name == f.Hazard {
			return h.category
		}
	}
	return "Other"
}

// knownHazard reports whether it is one of the list.
func (f form) knownHazard() bool {
	return slices.ContainsFunc(hazards, func(h hazard) bool { return h.name == f.Hazard })
}
