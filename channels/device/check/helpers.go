package check

import (
	"encoding/json"
	"time"

	"almenara/channels/contract"
)

// willSession reads the session number of a will.
func willSession(payload []byte) (session uint64, state string) {
	var s contract.State
	_ = json.Unmarshal(payload, &s)
	return s.Session, s.State
}

// apart reports whether two times are more than this apart.
func apart(a, b time.Time, most time.Duration) bool {
	d := a.Sub(b)
	return d > most || d < -most
}
