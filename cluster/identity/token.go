package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/foreign"
)

// ErrToken is returned for text that is not a join token.
var ErrToken = errors.New("not a join token")

// ErrWrongDistrict: the peer belongs to another district than the token.
var ErrWrongDistrict = errors.New("another district")

const tokenPrefix = "almenara-join-1."

// Token invites one node into a district. Its text is what an administrator
// carries to the new box; who has it can join once, until it expires. The
// state machine keeps only its Hash, so that a backup does not leak it.
type Token struct {
	_           struct{} `cbor:",toarray"`
	District    string   // district id
	Addrs       []string // internode addresses of nodes that can admit, host:port
	Fingerprint []byte   // SHA-256 of the authority's certificate: the new node trusts no other
	Secret      []byte   // 32 random bytes
}

// NewToken makes a token with a fresh secret. The caller commits its Hash with
// an expiry before giving the text away; Cluster.Invite does the same with the
// addresses filled in.
func NewToken(d *District, addrs []string) Token {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	sum := sha256.Sum256(d.CA.Raw)
	return Token{District: d.ID, Addrs: addrs, Fingerprint: sum[:], Secret: secret}
}

// Hash is the SHA-256 of the secret, in hex: the token's name in the state machine.
func (t Token) Hash() string {
	sum := sha256.Sum256(t.Secret)
	return hex.EncodeToString(sum[:])
}

// String is the text to carry to the new node. It is a secret.
func (t Token) String() string {
	b, err := cbor.Marshal(t)
	if err != nil {
		return "" // strings and bytes always encode
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ParseToken reads what String wrote; surrounding space is ignored. It returns
// ErrToken for anything else.
func ParseToken(s string) (Token, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(s), tokenPrefix)
	if !ok || len(text) > 8<<10 {
		return Token{}, fmt.Errorf("reading join token: %w", ErrToken)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Token{}, fmt.Errorf("reading join token: %w: %w", ErrToken, err)
	}
	var t Token
	if err := foreign.Decode(b, &t); err != nil {
		return Token{}, fmt.Errorf("reading join token: %w: %w", ErrToken, err)
	}
	if len(t.Secret) != 32 || len(t.Fingerprint) != sha256.Size || len(t.Addrs) == 0 || len(t.Addrs) > 64 {
		return Token{}, fmt.Errorf("reading join token: %w", ErrToken)
	}
	return t, nil
}
