// Package cec asks the screen of a box whether it has power, and switches it on for an emergency and
// back, by HDMI-CEC: with cec-ctl of v4l-utils, which speaks to the adapter of the kernel.
//
// What a screen does not answer is unknown, never on. It imports no other package of ours.
package cec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// The powers of a screen.
const (
	On      = "on"
	Standby = "standby"
	Unknown = "unknown"
)

// The pace of asking. A bus of CEC carries some 30 bytes a second.
const (
	askEach    = 30 * time.Second
	askSoon    = 3 * time.Second // after it was switched on: a television takes seconds
	soonTimes  = 5
	answerMost = 8 * time.Second
	backAfter  = 30 * time.Second // without an emergency before it is switched back
)

// device is the adapter.
const device = "/dev/cec0"

// Found reports whether this box has an adapter and the program.
func Found() bool {
	_, err := exec.LookPath("cec-ctl")
	_, missing := os.Stat(device)
	return err == nil && missing == nil
}

// Options describe the screen of a box.
type Options struct {
	// Run runs cec-ctl with arguments, and gives what it printed; nil: the program, on the adapter of the box.
	Run    func(ctx context.Context, args ...string) (string, error)
	Clock  func() time.Time // measures how long ago something was; nil: the system's
	Logger *slog.Logger     // nil: no logs
}

// Screen is the power of a screen. Its methods may be called from any goroutine.
type Screen struct {
	o       Options
	changed chan struct{} // Need was called with another value

	mu    sync.Mutex // guards what follows
	need  bool
	power string
}

// New makes one; nothing is asked before Run.
func New(o Options) *Screen {
	if o.Run == nil {
		o.Run = program
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Screen{o: o, changed: make(chan struct{}, 1), power: Unknown}
}

func program(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "cec-ctl", append([]string{"--device", device}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Powered is On, Standby or Unknown, as the screen said last.
func (s *Screen) Powered() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.power
}

// Need says whether the screen must be on now. It returns at once.
func (s *Screen) Need(on bool) {
	s.mu.Lock()
	changed := s.need != on
	s.need = on
	s.mu.Unlock()
	if changed {
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
}

func (s *Screen) needed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.need
}

// Run asks and switches until ctx ends.
func (s *Screen) Run(ctx context.Context) {
	w := work{since: s.o.Clock()}
	for ctx.Err() == nil {
		timer := time.NewTimer(s.step(ctx, &w))
		select {
		case <-ctx.Done():
		case <-s.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// work is what Run remembers between its steps.
type work struct {
	needed bool
	since  time.Time // when that changed last
	tries  int       // how often it was switched on since then
	ours   bool      // it was in standby, and was switched on here
}

// step asks once, switches where it must, and gives how long to wait.
func (s *Screen) step(ctx context.Context, w *work) time.Duration {
	if needed := s.needed(); needed != w.needed {
		w.needed, w.since, w.tries = needed, s.o.Clock(), 0
	}
	power := s.ask(ctx)
	idle := s.o.Clock().Sub(w.since)
	switch {
	case w.needed && power == On:
		if w.tries == 0 { // it may show what is plugged in beside this box
			w.tries++
			s.switchOn(ctx)
		}
		return askEach
	case w.needed:
		w.ours = w.ours || power == Standby // a screen that does not tell is not switched off afterwards
		w.tries++
		s.switchOn(ctx)
		if w.tries <= soonTimes {
			return askSoon
		}
		return askEach
	case w.ours && idle >= backAfter:
		w.ours = false
		s.tell(ctx, "switching the screen back to standby", "--to", "0", "--standby")
		return askSoon
	case w.ours:
		return backAfter - idle
	}
	return askEach
}

// switchOn wakes the screen and has it show this box.
func (s *Screen) switchOn(ctx context.Context) {
	if !s.tell(ctx, "switching the screen on", "--to", "0", "--image-view-on") {
		return
	}
	out, err := s.run(ctx)
	if address := physical.FindStringSubmatch(out); err == nil && address != nil && address[1] != "f.f.f.f" {
		s.tell(ctx, "showing this box on the screen", "--active-source", "phys-addr="+address[1])
	}
}

var (
	state    = regexp.MustCompile(`(?m)^\s*pwr-state: ([a-z-]+) \(0x[0-9a-f]{2}\)`)
	physical = regexp.MustCompile(`(?m)^\s*Physical Address\s*: ([0-9a-f]\.[0-9a-f]\.[0-9a-f]\.[0-9a-f])`)
	// refused is what is printed for what nobody has taken; the program ends with success then, too.
	refused = regexp.MustCompile(`(?m)^\s*Tx, (Not Acknowledged|Timeout|Aborted|Arbitration Lost|Low Drive|Error)`)
)

var errRefused = errors.New("the screen does not answer")

// ask asks for the power, and keeps it.
func (s *Screen) ask(ctx context.Context) string {
	out, err := s.run(ctx, "--to", "0", "--give-device-power-status")
	power := powerOf(out)
	if err != nil {
		power = Unknown
	}
	s.mu.Lock()
	before := s.power
	s.power = power
	s.mu.Unlock()
	if before != power {
		s.o.Logger.Info("the power of the screen", "power", power, "before", before)
	}
	return power
}

// powerOf reads what cec-ctl prints. A screen that is about to be on (to-on) is neither.
func powerOf(out string) string {
	found := state.FindStringSubmatch(out)
	if found == nil {
		return Unknown
	}
	switch found[1] {
	case "on":
		return On
	case "standby", "to-standby":
		return Standby
	}
	return Unknown
}

// tell sends a message; false where nobody took it.
func (s *Screen) tell(ctx context.Context, what string, args ...string) bool {
	out, err := s.run(ctx, args...)
	if err == nil && refused.MatchString(out) {
		err = errRefused
	}
	if err != nil {
		s.o.Logger.Error(what, "error", err)
	}
	return err == nil
}

// run has the adapter be a playback device first, which it is not after a restart of the box.
func (s *Screen) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerMost)
	defer cancel()
	out, err := s.o.Run(ctx, append([]string{"--playback"}, args...)...)
	if err != nil {
		err = fmt.Errorf("running cec-ctl: %w: %.200s", err, strings.TrimSpace(out))
	}
	return out, err
}
