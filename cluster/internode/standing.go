package internode

import (
	"context"
	"net/http"

	"almenara/cluster/identity"
)

// Standing is how a node stands to its district, as it says itself.
type Standing uint8

// The standings.
const (
	StandingUnknown     Standing = iota // it does not say: older software, or it could not be asked
	StandingAgrees                      // it has a leader, and a majority with it
	StandingAlone                       // it has not
	StandingQuarantined                 // it takes no part in agreeing any more
)

var standingWords = [...]string{
	StandingUnknown: "unknown", StandingAgrees: "agrees", StandingAlone: "alone", StandingQuarantined: "quarantined",
}

// String is the standing's word in logs.
func (s Standing) String() string {
	if int(s) >= len(standingWords) {
		return standingWords[StandingUnknown]
	}
	return standingWords[s]
}

// pathStanding is served to every node of the district, of any incarnation, member or
// not, by quarantined nodes too: whoever is about to begin the district anew asks it.
const pathStanding = "/cluster/standing"

// serveStanding answers with one byte.
func (h *Handovers) serveStanding(w http.ResponseWriter) {
	_, _ = w.Write([]byte{byte(h.standing())})
}

// askStanding asks the node at addr; what it does not say is StandingUnknown.
func askStanding(ctx context.Context, id *identity.Identity, addr string) Standing {
	h := NewHandover(id, addr)
	defer h.Close()
	answer, err := h.Call(ctx, pathStanding, nil)
	if err != nil || len(answer) != 1 || Standing(answer[0]) > StandingQuarantined {
		return StandingUnknown
	}
	return Standing(answer[0])
}
