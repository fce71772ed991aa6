package device

import (
	"crypto/ed25519"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/contract/vectors"
	"almenara/channels/device/rules"
)

// actor lives through one scenario of the contract's vectors.
type actor struct {
	*Device
	t       *testing.T
	options Options

	mu     sync.Mutex // guards all below, as the timer of the device is of the real clock
	now    time.Time
	memory []byte
	screen map[string]vectors.Shown
	does   string
	told   int // receipts of the outbox that were compared
}

func newActor(t *testing.T, v vectors.Scenarios) *actor {
	root, err := base64.RawURLEncoding.DecodeString(v.Root)
	require.NoError(t, err)
	a := &actor{t: t, screen: map[string]vectors.Shown{}}
	a.options = Options{
		ID: v.Device, Servers: []string{"tcp://127.0.0.1:1"}, RootKey: ed25519.PublicKey(root),
		Present: a.present, Command: func(c contract.Command) { a.does = c.Do },
		Save:  func(raw []byte) error { a.memory = raw; return nil },
		Clock: a.clock, Wall: wall{a.clock, func(string) bool { return true }},
	}
	a.start()
	return a
}

func (a *actor) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

// wall is the clock of a test's box.
type wall struct {
	now      func() time.Time
	ranSince func(string) bool
}

func (w wall) Now() time.Time           { return w.now() }
func (w wall) Run() string              { return "run 1" }
func (w wall) RanSince(run string) bool { return w.ranSince(run) }

// unconfirmed is what the device may show as not confirmed.
func unconfirmed(d *Device) (list []vectors.Shown) {
	for _, e := range LocalOf(d).Unconfirmed() {
		list = append(list, vectors.Shown{Alert: e.Alert, Revision: e.Revision, Look: vectors.Look{Tier: string(e.Look.Tier), Sound: e.Look.Sound}})
	}
	return list
}

func (a *actor) start() {
	a.options.Memory = a.memory
	d, err := New(a.options)
	require.NoError(a.t, err)
	a.Device = d
}

func (a *actor) present(e rules.Effect) error {
	if e.Action == rules.Stop {
		delete(a.screen, e.Alert)
		return nil
	}
	a.screen[e.Alert] = vectors.Shown{Alert: e.Alert, Revision: e.Revision, Look: vectors.Look{Tier: string(e.Look.Tier), Sound: e.Look.Sound}}
	return nil
}

func (a *actor) do(s vectors.Step) {
	a.mu.Lock()
	a.now, a.does = s.At, ""
	a.mu.Unlock()
	switch s.Do {
	case vectors.Connect:
		a.newLink("tcp://127.0.0.1:1")
	case vectors.Message:
		a.receive(a.link, letter{topic: s.Topic, payload: []byte(s.Payload), retained: s.Retained})
	case vectors.Wait:
		a.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Tick(now) })
	case vectors.PowerCut:
		a.Stop()
		clear(a.screen)
		a.start()
	case vectors.Acknowledge:
		a.Acknowledge(s.Alert, s.Revision, s.Answer)
	default:
		a.t.Fatalf("unknown step %q", s.Do)
	}
}

func (a *actor) shows() []vectors.Shown {
	list := slices.SortedFunc(maps.Values(a.screen), func(x, y vectors.Shown) int {
		if x.Alert < y.Alert {
			return -1
		}
		return 1
	})
	return append([]vectors.Shown{}, list...)
}

// tells is what came to the outbox since it was asked last.
func (a *actor) tells() []vectors.Told {
	list := []vectors.Told{}
	for _, r := range a.outbox.Waiting[a.told:] {
		list = append(list, vectors.Told{Alert: r.Alert, Revision: r.Revision, Rung: r.Rung, Answer: r.Answer})
	}
	a.told = len(a.outbox.Waiting)
	return list
}

func TestVectors_ScenariosOfTheContract(t *testing.T) {
	v, err := vectors.Load[vectors.Scenarios]("scenarios")
	require.NoError(t, err)
	require.Greater(t, len(v.Cases), 35)
	for _, c := range v.Cases {
		t.Run(c.Name, func(t *testing.T) {
			a := newActor(t, v)
			defer func() { a.Stop() }()
			for i, step := range c.Steps {
				a.do(step)
				require.Equal(t, step.Shows, a.shows(), "shown after step %d, %s", i, step.Do)
				require.Equal(t, step.Unconfirmed, unconfirmed(a.Device), "may be shown after step %d, %s", i, step.Do)
				require.Equal(t, step.Tells, a.tells(), "told after step %d, %s", i, step.Do)
				require.Equal(t, step.Does, a.does, "done after step %d, %s", i, step.Do)
			}
		})
	}
}

func TestVectors_Looks(t *testing.T) {
	cases, err := vectors.Load[[]vectors.LookCase]("looks")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, c := range cases {
		got := rules.LookOf(&contract.Body{Status: c.Status, Tier: contract.Tier(c.Tier), Sound: c.Sound})
		require.Equal(t, c.Look, vectors.Look{Tier: string(got.Tier), Sound: got.Sound}, "%+v", c)
	}
}
