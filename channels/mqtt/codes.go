package mqtt

// code is an MQTT 5 reason code (§2.4). For 3.1.1 clients it is translated where
// that version has a code at all.
type code byte

const (
	codeSuccess        code = 0x00
	codeWithWill       code = 0x04
	codeNoSubscription code = 0x11
	codeUnspecified    code = 0x80
	codeMalformed      code = 0x81
	codeProtocol       code = 0x82
	codeImplementation code = 0x83
	codeVersion        code = 0x84
	codeClientID       code = 0x85
	codeCredential     code = 0x86
	codeNotAuthorized  code = 0x87
	codeUnavailable    code = 0x88
	codeStopping       code = 0x8B
	codeAuthMethod     code = 0x8C
	codeKeepAlive      code = 0x8D
	codeTakenOver      code = 0x8E
	codeFilter         code = 0x8F
	codeUnknownID      code = 0x92
	codeReceiveMaximum code = 0x93
	codeTopicAlias     code = 0x94
	codeTooLarge       code = 0x95
	codeQuota          code = 0x97
	codeAdministrative code = 0x98
	codePayload        code = 0x99
	codeShared         code = 0x9E
	codeSubscriptionID code = 0xA1
)

// connackV3 is the CONNACK return code of MQTT 3.1.1 (§3.2.2.3) for c; 0 where
// the connection can only be closed.
func (c code) connackV3() byte {
	switch c {
	case codeVersion:
		return 1
	case codeClientID:
		return 2
	case codeUnavailable:
		return 3
	case codeCredential:
		return 4
	case codeNotAuthorized, codeAuthMethod:
		return 5
	}
	return 0
}

// fault is what a client did wrong: why, and the code that it is told.
type fault struct {
	code code
	text string
}

// Error is the reason in words.
func (f *fault) Error() string { return f.text }

var (
	errMalformed    = &fault{codeMalformed, "malformed packet"}
	errTooLarge     = &fault{codeTooLarge, "packet over the limit"}
	errUnexpected   = &fault{codeProtocol, "packet not expected here"}
	errTopicAlias   = &fault{codeTopicAlias, "topic alias, though none was offered"}
	errReceiveMax   = &fault{codeReceiveMaximum, "more unacknowledged publishes than the receive maximum"}
	errExchanges    = &fault{codeQuota, "too many unfinished QoS 2 exchanges"}
	errForeignTopic = &fault{codeNotAuthorized, "publish outside the device's own topics"}
)
