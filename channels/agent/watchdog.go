package agent

import "time"

// When a browser is started anew. One that was just started is given time to load, and more each
// time that this was not enough: a browser that never works is not started for ever more often.
const (
	frozenMost   = 10 * time.Second // how long a page may be frozen
	pagelessMost = 30 * time.Second // how long the browser may show no page of ours
	restartPause = 30 * time.Second // between two restarts, at first
	restartMost  = 10 * time.Minute
)

// watchdog says when a browser has to be started anew: never while one page answers and paints,
// whatever others do, so that an emergency that people see is not taken from them.
type watchdog struct {
	since time.Time // since when there is something wrong, or it was started anew
	bad   bool
	last  time.Time // of the last restart; zero: none
	pause time.Duration
}

// due reports whether a browser whose display is as it says is to be started anew now. It is asked
// each second.
func (w *watchdog) due(now time.Time, display string) bool {
	most := pagelessMost
	switch display {
	case displayFrozen:
		most = frozenMost
	case displayNone:
	default:
		if w.bad {
			w.bad, w.since = false, now
		}
		if now.Sub(w.since) >= restartMost { // it has worked for long
			w.pause = 0
		}
		return false
	}
	if !w.bad {
		w.bad, w.since = true, now
	}
	if now.Sub(w.since) < most || !w.last.IsZero() && now.Sub(w.last) < w.pause {
		return false
	}
	w.since, w.last = now, now
	w.pause = min(max(2*w.pause, restartPause), restartMost)
	return true
}
