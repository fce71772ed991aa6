package answers

import (
	"errors"

	"almenara/channels/mqtt/packet"
)

// Why a publish is refused for good. MQTT 5 devices are told so; 3.1.1 devices get an ordinary
// acknowledgement, as they would send it for ever otherwise. After any other error the device sends again.
var (
	ErrUnwanted = errors.New("publish is not wanted here")
	ErrPayload  = errors.New("payload is not as the contract says")
	ErrTooMany  = errors.New("the device sends more than it may")
)

// Refusal is the code of what is refused for good; false for any other error, and for none.
func Refusal(err error) (packet.Code, bool) {
	switch {
	case errors.Is(err, ErrUnwanted):
		return packet.CodeImplementation, true
	case errors.Is(err, ErrPayload):
		return packet.CodePayload, true
	case errors.Is(err, ErrTooMany):
		return packet.CodeQuota, true
	}
	return 0, false
}
