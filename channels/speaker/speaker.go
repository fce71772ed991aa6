package speaker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/channels/signal"
)

// Player plays samples of Rate, and returns when they have been heard, or with the reason why not.
type Player interface {
	Play(ctx context.Context, samples []int16) error
}

// Speech makes texts heard, as Voice does.
type Speech interface {
	Speak(ctx context.Context, language, text string) ([]int16, error)
}

// Options describe a speaker.
type Options struct {
	Speech Speech
	Player Player
	// Level is how loud a tier is, 0 to 1, asked when it begins: less at night. Nil: 1.
	Level func(contract.Tier) float64
	// Done hears that an alert was heard to its end, or why it was not. It may be nil.
	Done func(alert string, revision uint64, err error)
	// Unspoken hears that a text is not spoken, and why. It may be nil.
	Unspoken func(language string, err error)
}

// Speaker plays one alert after the other, the gravest first; what ends is silenced at once.
// Give may be called from any goroutine.
type Speaker struct {
	options Options
	wake    signal.Signal

	player sync.Mutex // held while the player plays

	mu      sync.Mutex // guards all below
	waiting []rules.Effect
	now     *rules.Effect
	stop    context.CancelFunc // of now
	trial   context.CancelFunc // of what Try plays; nil: nothing
}

// New makes a speaker; Run plays.
func New(o Options) *Speaker {
	if o.Level == nil {
		o.Level = func(contract.Tier) float64 { return 1 }
	}
	if o.Done == nil {
		o.Done = func(string, uint64, error) {}
	}
	if o.Unspoken == nil {
		o.Unspoken = func(string, error) {}
	}
	return &Speaker{options: o, wake: signal.New()}
}

// Give takes what begins, what is to be heard again, and what ends. What is taken up again after a power cut is not heard
// again. It returns at once.
func (s *Speaker) Give(e rules.Effect) {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := func(w rules.Effect) bool { return w.Alert == e.Alert }
	if e.Action == rules.Remind && (s.now != nil && same(*s.now) || slices.ContainsFunc(s.waiting, same)) {
		return // it is being heard, or will be
	}
	s.waiting = slices.DeleteFunc(s.waiting, same)
	if s.trial != nil && e.Action != rules.Stop {
		s.trial()
	}
	if s.now != nil && (s.now.Alert == e.Alert || e.Action != rules.Stop && graver(e, *s.now)) {
		if s.now.Alert != e.Alert {
			s.waiting = append(s.waiting, *s.now) // it is heard afterwards, from its beginning
		}
		s.now = nil
		s.stop()
	}
	if e.Action == rules.Start || e.Action == rules.Replace || e.Action == rules.Remind {
		s.waiting = append(s.waiting, e)
		slices.SortStableFunc(s.waiting, func(a, b rules.Effect) int { return rank(a) - rank(b) })
	}
	s.wake.Set()
}

func rank(e rules.Effect) int {
	return slices.Index([]contract.Tier{contract.TierEmergency, contract.TierAdvisory, contract.TierDrill}, e.Look.Tier)
}

func graver(a, b rules.Effect) bool { return rank(a) < rank(b) }

// Run plays until ctx ends.
func (s *Speaker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		e, playing, ok := s.next(ctx)
		if !ok {
			select {
			case <-ctx.Done():
			case <-s.wake:
			}
			continue
		}
		err := s.play(playing, e)
		s.mu.Lock()
		ended := s.now != e // it was stopped, or something graver goes first
		if !ended {
			s.now = nil
			s.stop()
		}
		s.mu.Unlock()
		if !ended && ctx.Err() == nil {
			s.options.Done(e.Alert, e.Revision, err)
		}
	}
}

func (s *Speaker) next(ctx context.Context) (*rules.Effect, context.Context, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil, nil, false
	}
	e := s.waiting[0]
	s.waiting = s.waiting[1:]
	playing, stop := context.WithCancel(ctx)
	s.now, s.stop = &e, stop
	return &e, playing, true
}

func (s *Speaker) play(ctx context.Context, e *rules.Effect) error {
	samples := Announcement(e.Look.Sound, s.messages(ctx, e))
	if len(samples) == 0 || e.Look.Sound == "none" {
		return nil
	}
	s.player.Lock() // what was tried ends first: two at once may both be refused by a sound card
	defer s.player.Unlock()
	return s.options.Player.Play(ctx, Louder(samples, s.options.Level(e.Look.Tier)))
}

// ErrBusy is returned by Try while an alert is heard, or something else is tried.
var ErrBusy = errors.New("something else is being heard")

// Try plays samples that are no alert, and returns once they have been played to their end, or with
// the reason why not. It gives way at once to an alert, with ErrBusy.
func (s *Speaker) Try(ctx context.Context, samples []int16) error {
	s.mu.Lock()
	if s.now != nil || len(s.waiting) > 0 || s.trial != nil {
		s.mu.Unlock()
		return ErrBusy
	}
	playing, stop := context.WithCancelCause(ctx)
	s.trial = func() { stop(ErrBusy) }
	s.mu.Unlock()
	s.player.Lock()
	err := s.options.Player.Play(playing, samples)
	s.player.Unlock()
	gaveWay := errors.Is(context.Cause(playing), ErrBusy)
	s.mu.Lock()
	s.trial = nil
	s.mu.Unlock()
	stop(nil)
	if err != nil && gaveWay {
		return ErrBusy
	}
	return err
}

// messages are the lines that can be spoken.
func (s *Speaker) messages(ctx context.Context, e *rules.Effect) (out [][]int16) {
	for _, line := range Lines(e.Body.Texts, e.Look) {
		samples, err := s.options.Speech.Speak(ctx, line.Language, line.Text)
		if err != nil {
			s.options.Unspoken(line.Language, err)
			continue
		}
		if len(samples) > 0 {
			out = append(out, samples)
		}
	}
	return out
}

// Command plays by a program that reads a WAV file from its input, such as aplay -q -.
type Command []string

// Play runs the program and waits for its end.
func (c Command) Play(ctx context.Context, samples []int16) error {
	if len(c) == 0 {
		return errors.New("no program plays sound here")
	}
	cmd := exec.CommandContext(ctx, c[0], c[1:]...)
	cmd.Stdin = bytes.NewReader(WAV(samples))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("playing with %s: %w: %.200s", c[0], err, out)
	}
	return nil
}
