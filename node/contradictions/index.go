package contradictions

import (
	"slices"
	"strings"

	"almenara/storage/alert"
)

// words are what a block says: districts have many alerts, and few ways to say something.
type words struct{ responses, severity, urgency string }

// block is one of an alert, by the numbers of both.
type block struct{ alert, words int }

// index has the blocks by what they are about, and which words are contrary.
type index struct {
	all      []Alert
	topics   map[string][]block // "category Met", "incident i-7"
	contrary [][]Why            // by the numbers of words; "" is not at all
}

func indexOf(all []Alert) *index {
	x := &index{all: all, topics: map[string][]block{}}
	number, example := map[words]int{}, []*alert.Info(nil)
	for n := range all {
		for i := range all[n].Infos {
			info := &all[n].Infos[i]
			w := words{strings.Join(slices.Sorted(slices.Values(info.ResponseTypes)), " "), info.Severity, info.Urgency}
			if _, known := number[w]; !known {
				number[w], example = len(example), append(example, info)
			}
			for _, category := range info.Categories {
				x.topics["category "+category] = append(x.topics["category "+category], block{n, number[w]})
			}
			for _, incident := range all[n].Incidents {
				x.topics["incident "+incident] = append(x.topics["incident "+incident], block{n, number[w]})
			}
		}
	}
	for _, one := range example {
		var row []Why
		for _, other := range example {
			row = append(row, infos(one, other))
		}
		x.contrary = append(x.contrary, row)
	}
	return x
}

// pairs are the alerts that are contrary in this way, each with a later one, in order: at least the first of them, as
// many as are wanted.
func (x *index) pairs(why Why, wanted int) (out [][2]int) {
	for _, about := range x.topics {
		var found [][2]int
		known := map[[2]int]bool{} // two alerts in three languages are contrary nine times
		for i, one := range about {
			if len(found) >= wanted && found[len(found)-1][0] < one.alert {
				break // all that follow come after these
			}
			for _, other := range about[i+1:] {
				p := [2]int{one.alert, other.alert}
				if x.contrary[one.words][other.words] == why && !known[p] && x.same(one, other) {
					known[p] = true
					found = append(found, p)
				}
			}
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(x, y [2]int) int { return slices.Compare(x[:], y[:]) })
	return slices.Compact(out)
}

// same reports whether two blocks are of different senders to the same people.
func (x *index) same(one, other block) bool {
	a, b := &x.all[one.alert], &x.all[other.alert]
	return a.Sender != b.Sender && a.Members.Intersects(b.Members)
}

// count is how many pairs are contrary in any way; false where it stopped at most.
func (x *index) count(most int) (n int, exactly bool) {
	pairs := map[[2]int]bool{}
	for _, about := range x.topics {
		for i, one := range about {
			for _, other := range about[i+1:] {
				p := [2]int{one.alert, other.alert}
				if x.contrary[one.words][other.words] == "" || pairs[p] || !x.same(one, other) {
					continue
				}
				if pairs[p] = true; len(pairs) == most {
					return most, false
				}
			}
		}
	}
	return len(pairs), true
}
