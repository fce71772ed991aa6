package contradictions

import (
	"cmp"
	"slices"

	"almenara/storage/alert"
)

// mostTopics is how many categories, and how many incidents, of one alert are looked at: CAP has twelve, and nobody
// writes about more events at once. Else one message of thousands would have every other one compared as often.
const mostTopics = 32

// saying is what an alert says about one thing, as far as another can be contrary to it. There are few ways to say
// something, so that a message of hundreds of blocks takes no more room than one of two, and no longer to compare.
type saying struct {
	topic     int
	responses uint64 // which sets of response types its blocks have: bit n is the set n, of the words of wanted
	against   uint64 // the sets that are contrary to one of those
	levels    uint8  // high and low severity, high and low urgency
}

// What levels says.
const (
	severe uint8 = 1 << iota
	minor
	immediate
	past
)

// wanted are the response types that something is contrary to, by their bits in a set.
var wanted = []string{"Evacuate", "Shelter", "AllClear", "Avoid", "Execute", "Prepare"}

// contrarySets has for each set of response types those that are contrary to it.
var contrarySets = func() (out [64]uint64) {
	words := func(set int) (out []string) {
		for n, w := range wanted {
			if set&(1<<n) != 0 {
				out = append(out, w)
			}
		}
		return out
	}
	for a := range out {
		for b := range out {
			if contraryResponses(words(a), words(b)) {
				out[a] |= 1 << b
			}
		}
	}
	return out
}()

// add adds what a block says.
func (s *saying) add(i *alert.Info) {
	set := 0
	for n, w := range wanted {
		if slices.Contains(i.ResponseTypes, w) {
			set |= 1 << n
		}
	}
	s.responses |= 1 << set
	s.against |= contrarySets[set]
	switch i.Severity {
	case "Extreme", "Severe":
		s.levels |= severe
	case "Minor":
		s.levels |= minor
	}
	switch i.Urgency {
	case "Immediate":
		s.levels |= immediate
	case "Past":
		s.levels |= past
	}
}

// contrary says in what two sayings about one thing are contrary, the gravest; "" in nothing.
func (s saying) contrary(o saying) Why {
	both := func(one, other uint8) bool {
		return s.levels&one != 0 && o.levels&other != 0 || s.levels&other != 0 && o.levels&one != 0
	}
	switch {
	case s.against&o.responses != 0:
		return Response
	case both(severe, minor):
		return Severity
	case both(immediate, past):
		return Urgency
	}
	return ""
}

// topics numbers what alerts are about: "category Met", "incident i-7".
type topics map[string]int

func (t topics) of(name string) int {
	n, known := t[name]
	if !known {
		n = len(t)
		t[name] = n
	}
	return n
}

// sayings are what an alert says, by what it is about.
func (t topics) sayings(a *Alert) []saying {
	by, categories := map[int]*saying{}, map[string]bool{}
	about := func(topic int) *saying {
		if by[topic] == nil {
			by[topic] = &saying{topic: topic}
		}
		return by[topic]
	}
	var whole saying
	for i := range a.Infos {
		whole.add(&a.Infos[i])
		for _, category := range a.Infos[i].Categories {
			if !categories[category] && len(categories) == mostTopics {
				continue
			}
			categories[category] = true
			about(t.of("category " + category)).add(&a.Infos[i])
		}
	}
	for _, incident := range a.Incidents[:min(len(a.Incidents), mostTopics)] {
		one := about(t.of("incident " + incident))
		topic := one.topic
		*one = whole
		one.topic = topic
	}
	out := make([]saying, 0, len(by))
	for _, s := range by {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b saying) int { return cmp.Compare(a.topic, b.topic) })
	return out
}

// disagree says in what two alerts are contrary by what they say, the gravest; "" where they say nothing about one thing
// that is.
func disagree(a, b []saying) (out Why) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].topic < b[0].topic:
			a = a[1:]
		case a[0].topic > b[0].topic:
			b = b[1:]
		default:
			if why := a[0].contrary(b[0]); graver(why, out) {
				out = why
			}
			a, b = a[1:], b[1:]
		}
		if out == Response {
			break
		}
	}
	return out
}

func graver(a, b Why) bool {
	return a != "" && (b == "" || slices.Index(whys, a) < slices.Index(whys, b))
}
