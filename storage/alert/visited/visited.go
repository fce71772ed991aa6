// Package visited is how an alert says that it is also for who was at a place: the parameter, what may be asked, and
// comparisons. It imports nothing of ours but alert.
package visited

import (
	"slices"
	"strings"
	"time"

	"almenara/storage/alert"
	"almenara/storage/coded"
)

// Parameter is the valueName of the CAP parameter by which an alert is also for who was at a place: a span of
// time and the place, such as 2026-11-28T10:00:00+08:00/2026-11-28T14:00:00+08:00 tuen-mun/on-ting/market. One info
// block may have several. Phones that checked in there are shown the block, whatever its areas are.
const Parameter = "almenara:visited"

// The bounds of what may be asked about visits.
const (
	// Kept is how long phones keep that they checked in: the longest incubation that contact tracing
	// reckons with is three weeks, and a week is for finding out.
	Kept = 28 * 24 * time.Hour
	// Most is how many places and spans one message may name.
	Most = 16
)

// Visit is who is meant by one parameter: whoever was at the place, or below it, at any time of the span.
type Visit struct {
	Place    string // its path; it was not looked up
	From, To time.Time
}

// forms are how the times of a span are written: as in CAP, and without seconds.
var forms = []string{time.RFC3339, "2006-01-02T15:04Z07:00"}

// Parse reads the value of a Parameter. That the place is one is not checked.
func Parse(value string) (Visit, error) {
	words := strings.Fields(value)
	if len(words) != 2 {
		return Visit{}, coded.New("visit-form", "a span of time, a space and the path of a place are expected, such as 2026-11-28T10:00:00+08:00/2026-11-28T14:00:00+08:00 tuen-mun/on-ting/market")
	}
	first, second, _ := strings.Cut(words[0], "/")
	from, err := timeOf(first)
	if err != nil {
		return Visit{}, err
	}
	to, err := timeOf(second)
	if err != nil {
		return Visit{}, err
	}
	return Visit{Place: words[1], From: from, To: to}, nil
}

func timeOf(text string) (t time.Time, err error) {
	for _, form := range forms {
		if t, err = time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return t, coded.Errorf("visit-time", "%q is no time such as 2026-11-28T10:00:00+08:00", alert.Clip(text))
}

// String is the value of the parameter.
func (v Visit) String() string {
	return alert.NewDateTime(v.From).String() + "/" + alert.NewDateTime(v.To).String() + " " + v.Place
}

// Plausible says why nobody can be meant by the span, in a message of that time; nil where somebody can.
func (v Visit) Plausible(sent time.Time) error {
	switch {
	case !v.From.Before(v.To):
		return coded.Errorf("visit-end", "its end, %s, is not after its begin", v.To.Format(time.RFC3339))
	case v.To.Sub(v.From) > Kept:
		return coded.Errorf("visit-long", "it is longer than the %d days for which phones keep visits", int(Kept.Hours()/24))
	case v.To.After(sent.Add(time.Hour)):
		return coded.Errorf("visit-late", "it ends at %s, after the message was sent: who goes there later is warned by an area or a selection", v.To.Format(time.RFC3339))
	case !v.To.After(sent.Add(-Kept)):
		return coded.Errorf("visit-old", "it ended more than %d days before the message was sent, and no phone keeps visits for longer", int(Kept.Hours()/24))
	}
	return nil
}

// In are the places and spans that info blocks name, each once, Most at most; what cannot be read is
// passed over.
func In(infos []alert.Info) (all []Visit) {
	for i := range infos {
		for _, p := range infos[i].Parameters {
			if p.Name != Parameter || len(all) == Most {
				continue
			}
			v, err := Parse(p.Value)
			same := func(o Visit) bool { return o.Place == v.Place && o.From.Equal(v.From) && o.To.Equal(v.To) }
			if err == nil && !slices.ContainsFunc(all, same) {
				all = append(all, v)
			}
		}
	}
	return all
}

// Outside lists the places whose visitors the blocks mean and which are in none of the places given; none
// where no places are given.
func Outside(infos []alert.Info, places ...string) (outside []string) {
	for _, v := range In(infos) {
		if len(places) > 0 && !slices.ContainsFunc(places, func(p string) bool { return v.In(p) }) {
			outside = append(outside, v.Place)
		}
	}
	return outside
}

// In reports whether the place is another one, or below it.
func (v Visit) In(place string) bool {
	return strings.HasPrefix(v.Place, place) && (len(v.Place) == len(place) || v.Place[len(place)] == '/')
}

// Wider reports whether the blocks mean visitors whom those of before did not.
func Wider(infos, before []alert.Info) bool {
	known := In(before)
	return slices.ContainsFunc(In(infos), func(v Visit) bool {
		return !slices.ContainsFunc(known, func(k Visit) bool { return v.In(k.Place) && !v.From.Before(k.From) && !v.To.After(k.To) })
	})
}
