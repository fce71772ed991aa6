package addressed

import (
	"strconv"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
)

// Reach is whom a message addresses now, with the audience that this node knows. It must not
// be modified.
type Reach struct {
	Members   *roaring.Bitmap
	Unlocated uint64 // members without a position, whom its shapes cannot find
}

// Now resolves the targets of a message, and of others whose audience it speaks to because
// they are of one incident. The shapes were fixed where the alert entered the district; the
// members are those of now, so that who joins later gets it too. It may take milliseconds. A
// target that cannot be resolved addresses nobody, as it does where the message is adopted and
// where it is presented: a list must not end at it.
func (r *Resolver) Now(m *alerts.Message, also ...*alerts.Message) (Reach, error) {
	out := Reach{Members: roaring.New()}
	for _, part := range append([]*alerts.Message{m}, also...) {
		targets, err := part.Targets()
		if err != nil {
			return Reach{}, err
		}
		for _, t := range part.Escalation().Targets(targets, r.called(part)) {
			found, err := r.state.Index().Resolve(t)
			if err != nil {
				continue
			}
			out.Members.Or(found.Members)
			out.Unlocated = max(out.Unlocated, found.Unlocated)
		}
	}
	return out, nil
}

// Known is Now as long as the audience is the same, remembered.
func (r *Resolver) Known(m *alerts.Message, also ...*alerts.Message) (Reach, error) {
	var facts []string
	for _, part := range append([]*alerts.Message{m}, also...) {
		facts = append(facts, part.Fact+"+"+strconv.Itoa(r.called(part)))
	}
	return r.known.get(strings.Join(facts, " "), func() (Reach, error) { return r.Now(m, also...) })
}

// Changed forgets what is remembered: members, places or all of the state are others now.
func (r *Resolver) Changed() { r.known.changed() }

// Version changes with the audience: what was worked out under another one may be wrong.
func (r *Resolver) Version() uint64 {
	r.known.mu.Lock()
	defer r.known.mu.Unlock()
	return r.known.turn
}

// resolved remembers whom messages address, for counts: the answer is the same until the
// audience changes. Safe for concurrent use; the zero value is ready.
type resolved struct {
	mu   sync.Mutex
	turn uint64 // changes with the audience
	of   map[string]Reach
}

// resolvedMost bounds what is remembered; a set of 300 members takes some kilobytes, of a
// million at most 128.
const resolvedMost = 256

func (r *resolved) changed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
	r.of = nil
}

// get gives what is remembered under key, or what find says.
func (r *resolved) get(key string, find func() (Reach, error)) (Reach, error) {
	r.mu.Lock()
	found, ok := r.of[key]
	turn := r.turn
	r.mu.Unlock()
	if ok {
		return found, nil
	}
	found, err := find()
	if err != nil {
		return found, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if turn != r.turn {
		return found, nil
	}
	if r.of == nil || len(r.of) >= resolvedMost {
		r.of = map[string]Reach{}
	}
	r.of[key] = found
	return found, nil
}
