package devicecmd

import (
	"context"
	"errors"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/speaker"
)

// tryMost is how long a sound of half a second may take, with a program that has to start first.
const tryMost = 15 * time.Second

// trySound carries out test and identify on a box that makes sound. What it plays to be tested nobody
// hears; proves says whether its end proves that it was played, which is not so for what a network takes.
func (b *box) trySound(ctx context.Context, sp *speaker.Speaker, c contract.Command, proves bool) {
	ctx, cancel := context.WithTimeout(ctx, tryMost)
	defer cancel()
	switch c.Do {
	case contract.DoIdentify:
		if err := sp.Try(ctx, speaker.Chirp()); err != nil && !errors.Is(err, speaker.ErrBusy) {
			b.say("sound", err.Error())
		}
	case contract.DoTest:
		device.LocalOf(b.device).Tested(soundResult(c.ID, sp.Try(ctx, speaker.Silence()), proves))
	}
}

func soundResult(id string, err error, proves bool) contract.Tested {
	switch {
	case errors.Is(err, speaker.ErrBusy):
		return contract.Tested{ID: id, Result: contract.TestBusy, Why: err.Error()}
	case err != nil:
		return contract.Tested{ID: id, Result: contract.TestFailed, Why: err.Error()}
	case !proves:
		return contract.Tested{ID: id, Result: contract.TestUnproven, Why: "speakers behind a multicast group do not answer"}
	}
	return contract.Tested{ID: id, Result: contract.TestPassed, Exercised: []string{contract.ExercisedSound}}
}

// trySign carries out test on a box with a sign: whether the sign can be reached, without writing to it.
// An LED sign of the Alpha protocol has neither a dim frame nor an answer, so nothing is proven.
func (b *box) trySign(s *signBox, c contract.Command) {
	if c.Do != contract.DoTest {
		return
	}
	tested := contract.Tested{ID: c.ID, Result: contract.TestUnproven, Why: "the sign can be reached, and does not answer"}
	if err := s.reach(); err != nil {
		tested.Result, tested.Why = contract.TestFailed, err.Error()
	}
	device.LocalOf(b.device).Tested(tested)
}
