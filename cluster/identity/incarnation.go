package identity

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/foreign"
)

// ErrIncarnation is the error of a dial to a node of another incarnation of the
// district, and of a statement about one that the district's root key did not sign.
var ErrIncarnation = errors.New("another incarnation of the district")

// Incarnation is the district's own statement that it was begun anew from one node
// that was left, or from a backup: signed with the root key, kept in the identity of
// every node since. A district that never was has none, and counts as number 1.
//
// Nodes of two incarnations do not speak raft or RPC with each other, and the one
// with the lower stops raft for good. Two that were begun from the same one are told
// apart, and ordered, by Compare.
type Incarnation struct {
	_         struct{} `cbor:",toarray"`
	District  string   // district id
	Number    uint64   // one more than that of the node it was begun from
	By        string   // server id of the node it began with
	Why       string   // WhyRecover or WhyRestore
	At        int64    // ms since 1970, by that node's clock
	Index     uint64   // raft index that was certainly committed before
	Audit     uint64   // audit lines at Index, a beginning that every older node has too
	AuditHash []byte   // of the last of them; empty for none
	Nonce     []byte   // 16 random bytes: no two statements are equal
	Signature []byte   // Ed25519 by the root key, over the rest
}

// From what a district was begun anew.
const (
	WhyRecover = "recover" // the folder of a node that was left
	WhyRestore = "restore" // a backup
)

const (
	incarnationDomain   = "almenara incarnation 1\x00" // what the signature is for
	MaxIncarnationBytes = 1 << 10
)

// Sign fills in district and nonce, and signs with the district's root key.
func (i Incarnation) Sign(d *District) (*Incarnation, error) {
	i.District, i.Nonce = d.ID, make([]byte, 16)
	_, _ = rand.Read(i.Nonce) // never fails (crypto/rand)
	message, err := i.message()
	if err != nil {
		return nil, err
	}
	i.Signature = ed25519.Sign(d.RootKey, message)
	return &i, nil
}

// message is what is signed.
func (i Incarnation) message() ([]byte, error) {
	i.Signature = nil
	b, err := cbor.Marshal(i)
	if err != nil {
		return nil, fmt.Errorf("encoding incarnation: %w", err)
	}
	return append([]byte(incarnationDomain), b...), nil
}

// Verify returns ErrIncarnation unless the district's root key signed the statement.
func (i *Incarnation) Verify(d *District) error {
	message, err := i.message()
	if err != nil {
		return err
	}
	public := d.RootKey.Public().(ed25519.PublicKey)
	if i.District != d.ID || i.Number < 2 || !ed25519.Verify(public, message, i.Signature) {
		return fmt.Errorf("%w: its statement is not signed by this district", ErrIncarnation)
	}
	return nil
}

// Count is the number; 1 for nil.
func (i *Incarnation) Count() uint64 {
	if i == nil {
		return 1
	}
	return i.Number
}

// Time is when the incarnation began; zero for nil.
func (i *Incarnation) Time() time.Time {
	if i == nil {
		return time.Time{}
	}
	return time.UnixMilli(i.At)
}

// Compare orders incarnations: -1 where i gives way to o, 0 where they are one. The
// number decides; of two that were begun from the same one the one that had more of
// the log, and then chance, but the same on every node.
func (i *Incarnation) Compare(o *Incarnation) int {
	if i == nil || o == nil {
		return cmp.Compare(i.Count(), o.Count())
	}
	return cmp.Or(cmp.Compare(i.Number, o.Number), cmp.Compare(i.Index, o.Index), bytes.Compare(i.Nonce, o.Nonce))
}

// proto names one internode service of this incarnation in the ALPN hello. The first
// incarnation's names have no suffix: they are those of software that knew of none.
func (i *Incarnation) proto(service string) string {
	if i == nil {
		return service
	}
	sum := sha256.Sum256(i.Signature)
	return service + ";" + strconv.FormatUint(i.Number, 10) + "." + hex.EncodeToString(sum[:8])
}

// ServiceOf is the name of a service without the incarnation.
func ServiceOf(proto string) string {
	name, _, _ := strings.Cut(proto, ";")
	return name
}

// Hash names a statement, in hex.
func (i *Incarnation) Hash() string {
	sum := sha256.Sum256(i.Signature)
	return hex.EncodeToString(sum[:])
}

// Encode writes a statement; nothing for nil.
func (i *Incarnation) Encode() ([]byte, error) {
	if i == nil {
		return nil, nil
	}
	return cbor.Marshal(i)
}

// DecodeIncarnation reads what encode wrote; its signature is not checked yet.
func DecodeIncarnation(b []byte) (*Incarnation, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var i Incarnation
	if len(b) > MaxIncarnationBytes {
		return nil, fmt.Errorf("%w: statement of %d bytes", ErrIncarnation, len(b))
	}
	if err := foreign.Decode(b, &i); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIncarnation, err)
	}
	return &i, nil
}

// Text is the statement as it stands in files; "" for nil.
func (i *Incarnation) Text() string {
	b, err := i.Encode()
	if err != nil {
		return "" // strings, numbers and bytes always encode
	}
	return base64.StdEncoding.EncodeToString(b)
}

// ParseIncarnation reads what Text wrote and verifies it; nil for "".
func ParseIncarnation(text string, d *District) (*Incarnation, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("decoding incarnation: %w", err)
	}
	i, err := DecodeIncarnation(b)
	if err != nil || i == nil {
		return nil, err
	}
	return i, i.Verify(d)
}
