package contract

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The typ header (RFC 7515 §4.1.9) of each payload. It is signed with the payload
// and checked, so that one kind cannot be passed off as another.
const (
	TypeManifest = "almenara-manifest"
	TypeBody     = "almenara-body"
	TypeCommand  = "almenara-command"
	TypeKeys     = "almenara-keys"
)

// MaxSigned is the size of the largest signed payload that a device reads, in
// bytes of the compact serialization. Nodes stay below it (see channels.MaxBody).
const MaxSigned = 64 << 10

// ErrSignature is returned for everything that does not verify: a wrong
// signature, an algorithm other than EdDSA, the wrong typ, a payload that is not
// what its typ says.
var ErrSignature = errors.New("signature does not verify")

// Payload is what a node's key may sign.
type Payload interface{ Manifest | Body | Command }

// Signer signs payloads with one key. It may be used from any goroutine.
type Signer struct {
	KeyID string // as the key ring names it, see KeyID
	Key   ed25519.PrivateKey
}

// Sign writes v, a Manifest, Body, Command or KeyRing, as JWS in compact
// serialization (RFC 7515) with EdDSA (RFC 8037). The header carries KeyID and the
// typ that belongs to v. The signature is deterministic.
func (s Signer) Sign(v any) ([]byte, error) {
	typ, _, err := describe(v)
	if err != nil {
		return nil, err
	}
	payload, err := encode(v)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", typ, err)
	}
	key := jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: s.Key, KeyID: s.KeyID}}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", typ, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", typ, err)
	}
	compact, err := signed.CompactSerialize()
	return []byte(compact), err
}

// SignedSize is how long Sign's result is for a payload of n bytes of JSON signed
// by this signer, at most.
func (s Signer) SignedSize(n int) int {
	header := len(`{"alg":"EdDSA","kid":"","typ":""}`) + len(s.KeyID) + len(TypeManifest)
	return base64Len(header) + 1 + base64Len(n) + 1 + base64Len(ed25519.SignatureSize)
}

func base64Len(n int) int { return (n*8 + 5) / 6 }

// encode writes JSON with <, > and & as they are: nothing of it becomes HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// describe tells the typ of a payload, and when it says that it was signed. It
// refuses payloads without what every device needs of them.
func describe(v any) (typ string, at time.Time, err error) {
	switch p := v.(type) {
	case Manifest:
		return TypeManifest, p.Time, p.check()
	case Body:
		return TypeBody, p.Time, p.check()
	case Command:
		return TypeCommand, p.Time, p.check()
	case KeyRing:
		return TypeKeys, p.Time, p.check()
	}
	return "", time.Time{}, fmt.Errorf("%T is not a payload of the contract", v)
}

// Open verifies a payload that a node signed and decodes it. The key must be in
// the ring, and valid at the time the payload gives for itself. It returns
// ErrUnknownKey, ErrKeyTime or ErrSignature, and never panics on foreign bytes.
func Open[T Payload](ring Ring, jws []byte) (T, error) {
	var none T
	signed, kid, err := parse(jws)
	if err != nil {
		return none, err
	}
	key, known := ring.keys[kid]
	if !known {
		return none, fmt.Errorf("%w %.70q", ErrUnknownKey, kid)
	}
	v, at, err := verify[T](signed, key.public)
	if err != nil {
		return none, err
	}
	if _, err := ring.Lookup(kid, at); err != nil {
		return none, err
	}
	return v, nil
}

// OpenKeys verifies a key ring with the district's root key, which the device got
// at enrolment, and returns it ready for use. A ring signed by any other key, also
// by a node's, is refused with ErrSignature.
func OpenKeys(root ed25519.PublicKey, jws []byte) (Ring, error) {
	keys, err := OpenKeyRing(root, jws)
	if err != nil {
		return Ring{}, err
	}
	return NewRing(keys)
}

// OpenKeyRing verifies a key ring as OpenKeys does and returns it as it was written,
// with the node that each key belongs to.
func OpenKeyRing(root ed25519.PublicKey, jws []byte) (KeyRing, error) {
	signed, _, err := parse(jws)
	if err != nil {
		return KeyRing{}, err
	}
	if len(root) != ed25519.PublicKeySize {
		return KeyRing{}, fmt.Errorf("%w: no root key", ErrSignature)
	}
	keys, _, err := verify[KeyRing](signed, root)
	return keys, err
}

// parse reads the serialization and lets only EdDSA through: an attacker's "none"
// or an HS256 keyed with the public key ends here (RFC 8725 §3.1).
func parse(jws []byte) (*jose.JSONWebSignature, string, error) {
	if len(jws) > MaxSigned {
		return nil, "", fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrSignature, len(jws), MaxSigned)
	}
	signed, err := jose.ParseSignedCompact(string(jws), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return signed, signed.Signatures[0].Protected.KeyID, nil
}

// verify checks typ and signature before it looks at the payload.
func verify[T Payload | KeyRing](signed *jose.JSONWebSignature, public ed25519.PublicKey) (T, time.Time, error) {
	var v, none T
	want := typeOf(v)
	if typ, _ := signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string); typ != want {
		return none, time.Time{}, fmt.Errorf("%w: typ is %.70q, expected %s", ErrSignature, typ, want)
	}
	if !usable(public) {
		return none, time.Time{}, fmt.Errorf("%w: under such a key anything would", ErrSignature)
	}
	payload, err := signed.Verify(public)
	if err != nil {
		return none, time.Time{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := json.Unmarshal(payload, &v); err != nil {
		return none, time.Time{}, fmt.Errorf("%w: reading %s: %w", ErrSignature, want, err)
	}
	_, at, err := describe(v)
	if err != nil {
		return none, time.Time{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return v, at, nil
}

func typeOf(v any) string {
	typ, _, _ := describe(v)
	return typ
}

// ClaimedRevision reads what an unverified body says of itself; 0 when nothing.
func ClaimedRevision(jws []byte) uint64 {
	parts := bytes.Split(jws, []byte("."))
	if len(jws) > MaxSigned || len(parts) != 3 {
		return 0
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(parts[1]))
	if err != nil {
		return 0
	}
	var claim struct {
		Revision uint64 `json:"revision"`
	}
	if json.Unmarshal(raw, &claim) != nil {
		return 0
	}
	return claim.Revision
}
