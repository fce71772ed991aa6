package stories

import (
	"slices"

	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// State is the one word for what the alert is good for at this moment. It says the same of
// what is over while the book has it and when only the log does: what devices never showed
// is recorded, and has not expired.
func (f *Finder) State(s *Story) wire.State {
	m := s.Current()
	switch {
	case len(s.Cancels) > 0:
		return wire.StateCancelled
	case m == nil:
		return wire.StateRecorded
	case s.OnBook:
		standing, _ := f.book.Standing(m, f.clock())
		return StateOf(standing)
	case !alert.Presentable(s.Status) || slices.Contains(s.Pending, m.Fact):
		return wire.StateRecorded
	}
	return wire.StateExpired
}

// StateOf is the word of answers for a standing.
func StateOf(s board.Standing) wire.State {
	switch s {
	case board.InForce:
		return wire.StateInForce
	case board.Future:
		return wire.StateFuture
	case board.Superseded, board.Contradicted:
		return wire.StateSuperseded
	case board.Cancelled, board.Ends:
		return wire.StateCancelled
	case board.Expired:
		return wire.StateExpired
	case board.Pending:
		return wire.StatePending
	default: // what never stood: NotPresentable, Lapsed
		return wire.StateRecorded
	}
}

// EffectOf is what a message with that standing does to people.
func EffectOf(s board.Standing, of board.Entry) wire.Effect {
	switch {
	case s == board.InForce:
		return wire.EffectWarns
	case s == board.Future:
		return wire.EffectLater
	case s == board.Pending:
		return wire.EffectWaits
	case s == board.Ends:
		return wire.EffectEnds
	case s == board.NotPresentable && of.MsgType != alert.MsgTypeCancel && !alert.Presentable(of.Status):
		return wire.EffectKept
	}
	return wire.EffectNone
}
