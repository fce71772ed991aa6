package alerts

import (
	"almenara/node/situation"
)

// Lives is what is in force as the builder takes it.
func Lives(inForce []Live) []situation.Live {
	out := make([]situation.Live, 0, len(inForce))
	for _, l := range inForce {
		s := situation.Live{Active: l.Active, CAP: l.Message.Alert, Message: l.Message.Addressing()}
		for _, other := range l.Also {
			s.Also = append(s.Also, other.Addressing())
		}
		out = append(out, s)
	}
	return out
}
