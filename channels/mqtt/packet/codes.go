package packet

// Code is an MQTT 5 reason code (§2.4). For 3.1.1 clients it is translated where
// that version has a code at all.
type Code byte

// The reason codes that the gateway gives or understands.
const (
	CodeSuccess        Code = 0x00
	CodeWithWill       Code = 0x04
	CodeNoSubscription Code = 0x11
	CodeUnspecified    Code = 0x80
	CodeMalformed      Code = 0x81
	CodeProtocol       Code = 0x82
	CodeImplementation Code = 0x83
	CodeVersion        Code = 0x84
	CodeClientID       Code = 0x85
	CodeCredential     Code = 0x86
	CodeNotAuthorized  Code = 0x87
	CodeUnavailable    Code = 0x88
	CodeStopping       Code = 0x8B
	CodeAuthMethod     Code = 0x8C
	CodeKeepAlive      Code = 0x8D
	CodeTakenOver      Code = 0x8E
	CodeFilter         Code = 0x8F
	CodeUnknownID      Code = 0x92
	CodeReceiveMaximum Code = 0x93
	CodeTopicAlias     Code = 0x94
	CodeTooLarge       Code = 0x95
	CodeQuota          Code = 0x97
	CodeAdministrative Code = 0x98
	CodePayload        Code = 0x99
	CodeShared         Code = 0x9E
	CodeSubscriptionID Code = 0xA1
)

// ConnackV3 is the CONNACK return code of MQTT 3.1.1 (§3.2.2.3) for c; 0 where
// the connection can only be closed.
func (c Code) ConnackV3() byte {
	switch c {
	case CodeVersion:
		return 1
	case CodeClientID:
		return 2
	case CodeUnavailable:
		return 3
	case CodeCredential:
		return 4
	case CodeNotAuthorized, CodeAuthMethod:
		return 5
	}
	return 0
}

// Fault is what a client did wrong: why, and the code that it is told.
type Fault struct {
	Code Code
	Text string
}

// Error is the reason in words.
func (f *Fault) Error() string { return f.Text }

// What every client can do wrong.
var (
	ErrMalformed      = &Fault{CodeMalformed, "malformed packet"}
	ErrTooLarge       = &Fault{CodeTooLarge, "packet over the limit"}
	ErrUnexpected     = &Fault{CodeProtocol, "packet not expected here"}
	ErrTopicAlias     = &Fault{CodeTopicAlias, "topic alias, though none was offered"}
	ErrReceiveMaximum = &Fault{CodeReceiveMaximum, "more unacknowledged publishes than the receive maximum"}
)
