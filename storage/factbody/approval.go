package factbody

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage"
	"almenara/storage/alert/board"
)

// Approval is the body of an approval fact: a person stands by what one alert fact
// says.
type Approval struct {
	Fact    []byte `cbor:"1,keyasint"` // id of the alert fact, 32 bytes
	Digest  string `cbor:"2,keyasint"` // of the message's content, in hex
	By      string `cbor:"3,keyasint"` // user name, as the node that took it has authenticated
	Policy  uint64 `cbor:"4,keyasint"` // version of the policy that node knew
	At      int64  `cbor:"5,keyasint"` // ms since 1970, that node's clock
	Expires int64  `cbor:"6,keyasint"` // ms since 1970: counts together with approvals given before it
	Reason  string `cbor:"7,keyasint,omitempty"`
	// Typed is who typed it in, from a code that By read out; "": By approved it at a node. It needs
	// command version 6.
	Typed string `cbor:"8,keyasint,omitempty"`
	Code  string `cbor:"9,keyasint,omitempty"` // that code, which is good for nothing else
}

// Encode writes the record as canonical CBOR.
func (a Approval) Encode() ([]byte, error) { return storage.Canonical.Marshal(a) }

// DecodeApproval reads what Encode wrote. It never panics on foreign bytes.
func DecodeApproval(b []byte) (Approval, error) {
	var a Approval
	if err := cbor.Unmarshal(b, &a); err != nil {
		return Approval{}, fmt.Errorf("decoding approval: %w", err)
	}
	return a, nil
}

// OnBoard is what a board needs to know of the approval.
func (a Approval) OnBoard() board.Approval {
	return board.Approval{
		Fact: hex.EncodeToString(a.Fact), Digest: a.Digest, By: a.By,
		At: time.UnixMilli(a.At).UTC(), Expires: time.UnixMilli(a.Expires).UTC(), Reason: a.Reason, Typed: a.Typed,
	}
}

// TypedVersion is the command version that an approval needs which somebody else typed in.
const TypedVersion = 6

// ApprovalVersion is the lowest command version that can carry the body of an approval.
func ApprovalVersion(body []byte) uint64 {
	if a, err := DecodeApproval(body); err == nil && a.Typed+a.Code != "" {
		return TypedVersion
	}
	return 2
}
