package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Key is the identity of a CAP message: the triplet (sender, identifier, sent)
// that CAP 1.2 §3.2.1 also uses in references. Sent is kept as the instant, so
// that two spellings of one offset are one key.
type Key struct {
	Sender     string
	Identifier string
	Sent       DateTime
}

// Key returns the triplet of the message.
func (a *Alert) Key() Key {
	return Key{Sender: a.Sender, Identifier: a.Identifier, Sent: a.Sent}
}

// String gives the key as references spells it: sender,identifier,sent.
func (k Key) String() string {
	return k.Sender + "," + k.Identifier + "," + k.Sent.String()
}

// Complete reports whether all three parts are there and can stand in a
// references element: no white space, comma, < or & (CAP 1.2 §3.2.1).
func (k Key) Complete() bool {
	return k.Sender != "" && k.Identifier != "" && !k.Sent.IsZero() &&
		!strings.ContainsFunc(k.Sender+k.Identifier, ForbiddenInName)
}

// ParseKey reads sender,identifier,sent as CAP 1.2 §3.2.1 references spells it.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, ",")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return Key{}, fmt.Errorf("%q is not a reference: sender,identifier,sent is expected", Clip(s))
	}
	sent, err := ParseDateTime(parts[2])
	if err != nil {
		return Key{}, fmt.Errorf("reading reference %q: %w", Clip(s), err)
	}
	return Key{Sender: parts[0], Identifier: parts[1], Sent: sent}, nil
}

// MarshalText writes the key as references spells it; the zero key is empty.
func (k Key) MarshalText() ([]byte, error) {
	if k == (Key{}) {
		return nil, nil
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *Key) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*k = Key{}
		return nil
	}
	*k, err = ParseKey(string(b))
	return err
}

// Same reports whether both keys name one message.
func (k Key) Same(o Key) bool {
	return k.Sender == o.Sender && k.Identifier == o.Identifier && k.Sent.Time().Equal(o.Sent.Time())
}

// Compare orders keys by sent, then sender, then identifier: the order in which
// revisions of one alert follow each other, the same on every node.
func (k Key) Compare(o Key) int {
	return cmp.Or(k.Sent.Time().Compare(o.Sent.Time()),
		strings.Compare(k.Sender, o.Sender), strings.Compare(k.Identifier, o.Identifier))
}

// IncidentSender is the sender of incident keys, which no message has.
const IncidentSender = "almenara.incident"

// IncidentKey is what Alerts that were made from one scenario for one incident have in
// common, wherever they were made: the root of their alert. The key begins when time
// does, so that it names the alert; the status keeps a drill from being the real thing.
func IncidentKey(scenario, incident string, status Status) Key {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s", status, scenario, incident))
	return Key{Sender: IncidentSender, Identifier: idEncoding.EncodeToString(sum[:20]), Sent: NewDateTime(time.Unix(0, 0).UTC())}
}

// ID names one alert in a district, across its updates: it is derived from the
// key of the first message of the chain. It is safe in an MQTT topic and in a URL.
type ID string

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ID derives the alert id from the key: 26 letters and digits, 128 bits of SHA-256.
func (k Key) ID() ID {
	sum := k.sum()
	return ID(idEncoding.EncodeToString(sum[:16]))
}

// sum hashes the key. A NUL cannot occur in XML, so the fields cannot run together.
func (k Key) sum() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", k.Sender, k.Identifier, k.Sent.Time().Unix()))
}

// ParseID checks that s is an alert id.
func ParseID(s string) (ID, error) {
	raw, err := idEncoding.DecodeString(s)
	if err != nil || len(raw) != 16 {
		return "", fmt.Errorf("%q is not an alert id: 26 letters a-z and digits 2-7 are expected", s)
	}
	return ID(s), nil
}

// BeginsID reports whether an alert id may begin so.
func BeginsID(s string) bool {
	return len(s) <= 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Revision orders the messages of one alert; a higher one replaces a lower one.
// It is derived from the message alone, so isolated nodes agree on it.
type Revision uint64

// Revision is the sending time in milliseconds since 1970, pushed past the
// sending time of everything the message references (a sender's clock may have
// been set back). The last three digits come from the key, so that two messages
// of one second differ. It fits a JSON number. It is what the message claims: the state
// machine's records go by it. What devices are told is RevisionAt.
func (a *Alert) Revision() Revision {
	sent := a.Sent.Time()
	for _, ref := range a.References {
		if next := ref.Sent.Time().Add(time.Second); next.After(sent) {
			sent = next
		}
	}
	return revisionOf(a, sent)
}

// ForbiddenInName is what §3.2.1 keeps out of identifier and sender, and what
// would break a references triplet.
func ForbiddenInName(r rune) bool {
	return unicode.IsSpace(r) || r == ',' || r == '<' || r == '&'
}
