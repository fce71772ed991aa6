// Package signal wakes one goroutine: what has come up since it last looked is one signal,
// however often it was given. It imports no package of ours.
package signal

// Signal is a channel of capacity 1. Receive from it to wait; New makes one.
type Signal chan struct{}

// New makes a signal that is not set.
func New() Signal { return make(Signal, 1) }

// Take reports whether the signal was given, and receives it then. It never waits.
func (s Signal) Take() bool {
	select {
	case <-s:
		return true
	default:
		return false
	}
}

// Set gives the signal. It never waits, and does nothing where it was given already and
// nobody has received it. It may be called from any goroutine.
func (s Signal) Set() {
	select {
	case s <- struct{}{}:
	default:
	}
}
