package ability

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/node/wire/able"
	"almenara/node/wire/why"
	"almenara/storage/wait"
)

// The pace: a node of 10,000 devices is through in eight minutes, and sends 20 small messages a second,
// which a box does not feel. An answer takes a page two frames and half a second of silence; devices are
// given 30 seconds by the contract.
const (
	perSecond = 20
	atOnce    = 200
	takes     = 5 * time.Second        // for the PUBACK of a device
	busyFor   = 100 * time.Millisecond // until a device that was busy is asked again, within takes
	answers   = 35 * time.Second       // until a device has told
	waits     = 12 * time.Second       // the same, where a person waits
	holds     = time.Minute            // how long a command holds
)

// TesterOptions say what a Tester needs; all must be set.
type TesterOptions struct {
	Memory *Memory
	Here   func() []string                                                // devices connected to this node
	Send   func(ctx context.Context, device string, payload []byte) error // returns when the device has acknowledged it
	Broker Broker
	Signer contract.Signer
	// Emergency reports whether a real emergency is in force: then nobody is tested but by name.
	Emergency func() bool
	// Enrolled is the place of each device that is not revoked, by id.
	Enrolled func() (map[string]string, error)
	Clock    func() time.Time
	Zone     *time.Location // the district's local time
	Logger   *slog.Logger
}

// Broker is the way to devices that are at a broker, and not at this node.
type Broker interface {
	// Devices lists those that this node reaches through the broker.
	Devices() []string
	// Command returns when the broker has the command, or an error where it has not. Whether the device gets it nobody says.
	Command(ctx context.Context, device string, payload []byte) error
}

// errHandedOver says that a broker has the command.
var errHandedOver = errors.New("handed to a broker, which does not tell whether the device has it")

// Tester has the devices that are connected to this node test themselves. Its methods may be called from
// any goroutine.
type Tester struct {
	o    TesterOptions
	jobs chan job

	mu      sync.Mutex // guards what follows
	waiting map[string]expected
	busy    bool // a job is under way, or is about to be
}

// expected is a test whose answer is waited for, by the id of its command.
type expected struct {
	device string
	told   chan contract.Tested // has room for the answer
}

// job is what is to be tested.
type job struct {
	night   string // "": asked for by somebody
	devices []string
}

// NewTester makes one; Run does what it is asked for.
func NewTester(o TesterOptions) *Tester {
	return &Tester{o: o, jobs: make(chan job, 1), waiting: map[string]expected{}}
}

// State takes what a device says of itself: perhaps what its test came to.
func (t *Tester) State(from channels.Endpoint, s contract.State) {
	if s.Tested == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.waiting[s.Tested.ID]; ok && e.device == from.Device {
		delete(t.waiting, s.Tested.ID)
		e.told <- *s.Tested
	}
}

// begin has devices tested, and says whether it could: one job goes on at a time.
func (t *Tester) begin(j job) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy {
		return false
	}
	t.busy = true
	t.jobs <- j
	return true
}

// Run tests until ctx ends.
func (t *Tester) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-t.jobs:
			t.do(ctx, j)
			t.mu.Lock()
			t.busy = false
			t.mu.Unlock()
		}
	}
}

// do carries out one job and keeps what it came to.
func (t *Tester) do(ctx context.Context, j job) {
	begun := t.o.Clock()
	whole := t.all(ctx, j.devices)
	enrolled, err := t.o.Enrolled()
	if err == nil {
		t.o.Memory.Forget(enrolled)
		if j.night != "" {
			t.o.Memory.Keep(t.sum(j.night, whole, enrolled))
		}
		err = t.o.Memory.Save()
	}
	if err != nil {
		t.o.Logger.Error("what tests of devices came to may be lost with a restart", "error", err)
	}
	t.o.Logger.Info("devices were tested", "devices", len(j.devices), "night", j.night, "all", whole, "took", t.o.Clock().Sub(begun).Round(time.Second))
}

// all tests devices at their pace; false where an emergency or ctx has ended it before.
func (t *Tester) all(ctx context.Context, devices []string) (whole bool) {
	var under sync.WaitGroup
	defer under.Wait()
	room := make(chan struct{}, atOnce)
	looked := time.Time{}
	for _, device := range devices {
		if now := t.o.Clock(); now.Sub(looked).Abs() >= time.Second {
			if looked = now; t.o.Emergency() {
				t.o.Logger.Warn("the test of devices ends early: an emergency is in force")
				return false
			}
		}
		select {
		case <-ctx.Done():
			return false
		case room <- struct{}{}:
		}
		under.Go(func() {
			defer func() { <-room }()
			t.one(ctx, device, answers)
		})
		if !wait.Sleep(ctx, time.Second/perSecond) {
			return false
		}
	}
	return true
}

// one tests a device, and remembers what it came to. A device that is not connected here says nothing.
func (t *Tester) one(ctx context.Context, device string, most time.Duration) (Result, bool) {
	id := newID("test")
	e := expected{device: device, told: make(chan contract.Tested, 1)}
	t.mu.Lock()
	t.waiting[id] = e
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		delete(t.waiting, id)
		t.mu.Unlock()
	}()
	r, told := t.outcome(ctx, contract.Command{ID: id, Do: contract.DoTest}, e, most)
	if !told {
		return r, false
	}
	r.At = t.o.Clock().UTC()
	t.o.Memory.Note(device, r)
	return r, true
}

// outcome sends the test and waits for its answer; false where there was nobody to be tested.
func (t *Tester) outcome(ctx context.Context, c contract.Command, e expected, most time.Duration) (Result, bool) {
	took, silent, err := "it took the test", why.TestSilent, t.send(ctx, e.device, c)
	switch {
	case errors.Is(err, errHandedOver):
		took, silent = "the broker has the test", why.TestBrokerSilent
	case ctx.Err() != nil || errors.Is(err, mqtt.ErrNotConnected):
		return Result{}, false
	case errors.Is(err, mqtt.ErrBusy):
		return Result{State: able.DeviceSilent, Why: "it has not acknowledged what it was sent before", Reason: why.TestBusy}, true
	case errors.Is(err, mqtt.ErrNotSubscribed):
		return Result{State: able.DeviceFailed, Why: "it has not subscribed to its commands", Reason: why.TestUnsubscribed}, true
	case err != nil:
		return Result{State: able.DeviceSilent, Why: "it did not acknowledge the test", Reason: why.TestUntaken}, true
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return Result{}, false
	case <-timer.C:
		return Result{State: able.DeviceSilent, Why: fmt.Sprintf("%s, and the device told nothing within %v", took, most), Reason: silent}, true
	case told := <-e.told:
		r := Result{State: told.Result, Exercised: told.Exercised, Why: told.Why}
		if r.State == contract.TestPassed && len(r.Exercised) == 0 {
			r.State, r.Why, r.Reason = contract.TestUnproven, "it does not say what it has tried", why.TestSaysNothing
		}
		r.State = r.stands()
		return r, true
	}
}

// identify has a device be found; false where it is not connected here.
func (t *Tester) identify(ctx context.Context, device, place string) (Result, bool) {
	r := Result{State: able.DevicePassed, At: t.o.Clock().UTC()}
	switch err := t.send(ctx, device, contract.Command{ID: newID("identify"), Do: contract.DoIdentify, Place: place}); {
	case errors.Is(err, errHandedOver):
		r.State, r.Why, r.Reason = able.DeviceUnproven, "the broker has the command; whether the device got it, only a look at it says", why.TestBrokerHas
	case ctx.Err() != nil || errors.Is(err, mqtt.ErrNotConnected):
		return Result{}, false
	case err != nil:
		r.State, r.Why, r.Reason = able.DeviceSilent, "it did not acknowledge the command", why.TestUntaken
	}
	return r, true
}

// here lists the devices that are tested by this node, each once.
func (t *Tester) here() []string {
	out := slices.Concat(t.o.Here(), t.o.Broker.Devices())
	slices.Sort(out)
	return slices.Compact(out)
}

// send signs a command and waits until the device has acknowledged it, or a broker has it: errHandedOver.
func (t *Tester) send(ctx context.Context, device string, c contract.Command) error {
	c.Time = t.o.Clock().UTC()
	c.Expires = c.Time.Add(holds)
	payload, err := t.o.Signer.Sign(c)
	if err != nil {
		return fmt.Errorf("signing a command: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, takes, fmt.Errorf("no PUBACK within %v", takes))
	defer cancel()
	err = t.o.Send(ctx, device, payload)
	for errors.Is(err, mqtt.ErrBusy) && wait.Sleep(ctx, busyFor) { // a manifest on its way is enough for that
		err = t.o.Send(ctx, device, payload)
	}
	if errors.Is(err, mqtt.ErrNotConnected) && t.o.Broker.Command(ctx, device, payload) == nil {
		return errHandedOver
	}
	return err
}

// newID is new for each command: a device carries out an id once.
func newID(what string) string {
	raw := make([]byte, 12)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return what + "-" + base64.RawURLEncoding.EncodeToString(raw)
}

// sum is what a night has come to here: of the devices that were tested since it began, by estate.
func (t *Tester) sum(night string, done bool, enrolled map[string]string) Night {
	n := Night{Night: night, Done: done, Passed: map[string]uint64{}, Of: map[string]uint64{}}
	since := beginOf(night, t.o.Zone)
	for id, place := range enrolled {
		n.Of[estateOf(place)]++
		if r, ok := t.o.Memory.TestedSince(id, since); ok && r.State == able.DevicePassed {
			n.Passed[estateOf(place)]++
		}
	}
	return n
}

// estateOf is the estate that a place is in, and blockOf the block, or the place where it is none.
func estateOf(place string) string { return upTo(place, 2) }
func blockOf(place string) string  { return upTo(place, 3) }

func upTo(place string, depth int) string {
	parts := strings.SplitN(place, "/", depth+1)
	return strings.Join(parts[:min(len(parts), depth)], "/")
}
