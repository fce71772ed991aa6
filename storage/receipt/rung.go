package receipt

import "fmt"

var rungNames = [...]string{
	Queued: "queued", Sent: "sent", Delivered: "delivered", Verified: "verified",
	Presented: "presented", Acknowledged: "acknowledged",
	Failed: "failed", Expired: "expired", Cancelled: "cancelled", Refused: "refused",
}

// ranks orders the rungs: a higher rank may replace a lower one. An end replaces
// what came before presentation; proof of presentation replaces an end, because
// every end claims that the alert was not presented. Among ends, what the endpoint
// itself said outranks what a node concluded.
var ranks = [...]uint8{
	Queued: 1, Sent: 2, Delivered: 3, Verified: 4,
	Expired: 5, Cancelled: 6, Failed: 7, Refused: 8,
	Presented: 9, Acknowledged: 10,
}

// floors says what an end proves of the ladder. Expired and Cancelled may be
// concluded by a node that never reached the endpoint. Failed may come from a
// gateway on the way. Only an endpoint that has the alert can refuse it.
var floors = [...]Rung{Expired: Queued, Cancelled: Queued, Failed: Sent, Refused: Delivered}

// valid reports whether r is one of the ten rungs.
func (r Rung) valid() bool { return r >= Queued && r <= Refused }

// Ends reports whether the rung ends the ladder: Failed, Expired, Cancelled,
// Refused.
func (r Rung) Ends() bool { return r >= Failed && r <= Refused }

// String is the rung as the device contract writes it.
func (r Rung) String() string {
	if !r.valid() {
		return fmt.Sprintf("rung %d", uint8(r))
	}
	return rungNames[r]
}

// ParseRung reads what String writes. Every error wraps ErrInvalid.
func ParseRung(s string) (Rung, error) {
	for r := Queued; r <= Refused; r++ {
		if rungNames[r] == s {
			return r, nil
		}
	}
	return 0, fmt.Errorf("%w: %q is not a rung", ErrInvalid, s)
}

// MarshalText writes the rung as the device contract does.
func (r Rung) MarshalText() ([]byte, error) {
	if !r.valid() {
		return nil, fmt.Errorf("%w: rung %d", ErrInvalid, uint8(r))
	}
	return []byte(rungNames[r]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (r *Rung) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRung(string(b))
	return err
}

// Climbs reports whether knowing next adds to knowing old; the zero Rung stands
// for knowing nothing. Ends never replace Presented or Acknowledged, but these
// replace ends. It is a strict total order, so taking the highest of any set gives
// the same result in any order.
func Climbs(old, next Rung) bool { return next.rank() > old.rank() }

func (r Rung) rank() uint8 {
	if !r.valid() {
		return 0
	}
	return ranks[r]
}

// Implies reports whether knowing r proves lower too: each of the first six rungs
// implies those below it, and every rung implies itself. Failed implies Sent,
// Refused implies Delivered, Expired and Cancelled imply Queued only.
func (r Rung) Implies(lower Rung) bool {
	if !r.valid() || !lower.valid() {
		return false
	}
	if r == lower {
		return true
	}
	if r.Ends() {
		r = floors[r]
	}
	return !lower.Ends() && lower <= r
}
