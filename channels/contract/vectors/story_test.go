package vectors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

// device is whose scenarios they are.
const device = "lift-1"

// story writes one scenario. What must be shown and told after a step is written by hand, after
// it; it is not worked out.
type story struct {
	t        *testing.T
	steps    []Step
	now      time.Time
	skew     time.Duration // what the nodes' clocks are ahead of the device's
	versions map[string]uint64
}

func newStory(t *testing.T) *story { return &story{t: t, now: noon, versions: map[string]uint64{}} }

// begun is a story of which the device has a connection and the ring of both nodes.
func begun(t *testing.T) *story {
	s := newStory(t)
	s.connect()
	s.keys(ring(s.nodes(), nodeA, nodeB))
	return s
}

// nodes is the time by the nodes' clocks.
func (s *story) nodes() time.Time { return s.now.Add(s.skew) }

func (s *story) add(step Step) *story {
	step.At, step.Shows, step.Tells = s.now, []Shown{}, []Told{}
	if len(s.steps) > 0 {
		step.Shows, step.Unconfirmed = s.last().Shows, s.last().Unconfirmed
	}
	s.steps = append(s.steps, step)
	return s
}

func (s *story) last() *Step { return &s.steps[len(s.steps)-1] }

// shows is all that is on the screen after the last step, as ALERT/REVISION TIER SOUND.
func (s *story) shows(what ...string) *story {
	s.last().Shows = s.looks(what)
	return s
}

// unconfirmed is what may be shown besides after the last step, as not confirmed since a power cut.
func (s *story) unconfirmed(what ...string) *story {
	s.last().Unconfirmed = s.looks(what)
	return s
}

func (s *story) looks(what []string) []Shown {
	list := []Shown{}
	for _, text := range what {
		var shown Shown
		text = strings.Replace(text, "/", " ", 1)
		_, err := fmt.Sscan(text, &shown.Alert, &shown.Revision, &shown.Tier, &shown.Sound)
		require.NoError(s.t, err, text)
		list = append(list, shown)
	}
	return list
}

// tells is the receipts that the last step adds, as ALERT/REVISION RUNG.
func (s *story) tells(what ...string) *story {
	for _, text := range what {
		var told Told
		_, err := fmt.Sscan(strings.Replace(text, "/", " ", 1), &told.Alert, &told.Revision, &told.Rung)
		require.NoError(s.t, err, text)
		if told.Rung == contract.RungAcknowledged {
			told.Answer = "safe"
			if words := strings.Fields(text); len(words) > 2 {
				told.Answer = words[2]
			}
		}
		s.last().Tells = append(s.last().Tells, told)
	}
	return s
}

func (s *story) does(what string) *story {
	s.last().Does = what
	return s
}

func (s *story) connect() *story { return s.add(Step{Do: Connect}) }

// powerCut leaves nothing on the screen. The ring is known from before.
func (s *story) powerCut() *story {
	return s.add(Step{Do: PowerCut}).shows().unconfirmed().connect()
}

func (s *story) wait(d time.Duration) *story {
	s.now = s.now.Add(d)
	return s.add(Step{Do: Wait})
}

// later lets time pass before the next step.
func (s *story) later(d time.Duration) *story {
	s.now = s.now.Add(d)
	return s
}

func (s *story) message(topic, payload string) *story {
	return s.add(Step{Do: Message, Topic: topic, Payload: payload, Retained: topic == contract.TopicNow || topic == contract.TopicKeys})
}

func (s *story) keys(kr contract.KeyRing) *story {
	return s.message(contract.TopicKeys, sign(s.t, root, kr))
}

// hears is the next manifest of node A or B, with what it lists.
func (s *story) hears(node string, what ...any) *story {
	s.versions[node]++
	return s.post(s.manifest(node, what...))
}

// post signs a manifest by its node.
func (s *story) post(m contract.Manifest) *story {
	return s.message(contract.TopicNow, sign(s.t, nodeA+m.Node[0]-'A', m))
}

func (s *story) manifest(node string, what ...any) contract.Manifest {
	m := contract.Manifest{
		Time: s.nodes(), Node: node, Version: uint64(noon.UnixMilli()) + s.versions[node],
		InForce: []contract.InForce{}, Ended: []contract.Ended{},
	}
	for _, w := range what {
		switch w := w.(type) {
		case contract.InForce:
			m.InForce = append(m.InForce, w)
		case contract.Ended:
			m.Ended = append(m.Ended, w)
		}
	}
	return m
}

// acknowledge is a person's button.
func (s *story) acknowledge(alert string, revision uint64) *story {
	return s.answer(alert, revision, "safe")
}

// answer is one of several.
func (s *story) answer(alert string, revision uint64, word string) *story {
	return s.add(Step{Do: Acknowledge, Alert: alert, Revision: revision, Answer: word})
}

// listed is an alert that is in force, as ALERT/REVISION.
func listed(what string) contract.InForce {
	b := about(what)
	return contract.InForce{ID: b.Alert, Revision: b.Revision, Digest: b.Digest, Expires: b.Expires}
}

// ended is the end of an alert, as ALERT/REVISION, that was told at the time of the story.
func (s *story) ended(what, why string) contract.Ended {
	b := about(what)
	return contract.Ended{ID: b.Alert, Revision: b.Revision, At: s.nodes(), Why: why, Expires: b.Expires}
}

// about is a body of ALERT/REVISION that runs out at one o'clock.
func about(what string) contract.Body {
	id, revision, _ := strings.Cut(what, "/")
	b := fire(func(b *contract.Body) { b.Alert, b.Digest = id, "digest-"+revision })
	b.Texts = b.Texts[1:]
	fmt.Sscan(revision, &b.Revision)
	return b
}

// body is the body of ALERT/REVISION as node A signs it now, less age.
func (s *story) body(what string, age time.Duration, more ...func(*contract.Body)) contract.Body {
	b := about(what)
	b.Time = s.nodes().Add(-age)
	for _, change := range more {
		change(&b)
	}
	return b
}

// gets is a body, on the topic of its alert.
func (s *story) gets(b contract.Body) *story {
	return s.message(contract.TopicAlert(device, b.Alert), sign(s.t, nodeA, b))
}

// old is more than any manifest of the story is old, so that the body alone is no evidence.
const old = time.Hour

// inOrder sorts the stories of one section by name.
func inOrder(section string, stories map[string]*story) []Scenario {
	var list []Scenario
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		list = append(list, Scenario{Name: name, Section: section, Steps: stories[name].steps})
	}
	return list
}
