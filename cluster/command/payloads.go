package command

import (
	"fmt"
	"slices"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/noderecord"
)

// AdoptFacts gives facts their place in the log. Its version is that of the newest
// kind among them. The proposer has checked the signatures. Repeats do no harm, so a request id is of no use here. Its answer is an
// AdoptResult.
type AdoptFacts struct {
	Facts []fact.Signed `cbor:"1,keyasint"`
}

// PutMembers adds and changes members. It is refused as a whole when one of them is
// not valid.
type PutMembers struct {
	Members [][]byte `cbor:"1,keyasint"` // audience.EncodeMember
}

// RemoveMembers removes members; those that do not exist are passed over.
type RemoveMembers struct {
	IDs []string `cbor:"1,keyasint"`
}

// StageMembers brings one chunk of a bulk import. Chunks come in order from 0; one
// that was staged already is a repeat and changes nothing.
type StageMembers struct {
	Import  string   `cbor:"1,keyasint"`
	Chunk   uint32   `cbor:"2,keyasint"`
	Members [][]byte `cbor:"3,keyasint"` // audience.EncodeMember
}

// ActivateImport makes a staged import inevitable. Nothing of it holds before, and
// whatever is written to a member afterwards wins over it. With Replace, members
// that are not in the import are removed at its end.
type ActivateImport struct {
	Import  string `cbor:"1,keyasint"`
	Chunks  uint32 `cbor:"2,keyasint"` // how many chunks there must be
	Replace bool   `cbor:"3,keyasint,omitempty"`
}

// FoldImport takes the next step of an active import: chunk by chunk, then, with
// Replace, the removal. Chunk names the step (member.Import.Next); a repeat changes
// nothing, so any node may go on after a crash. Its answer is an ImportResult.
type FoldImport struct {
	Import string `cbor:"1,keyasint"`
	Chunk  uint32 `cbor:"2,keyasint"`
}

// DropImport takes a step of giving up an import that is not active: it deletes up
// to DropStep chunks, and the import with the last one. Its answer is an
// ImportResult.
type DropImport struct {
	Import string `cbor:"1,keyasint"`
}

// DropStep is how many chunks one DropImport deletes.
const DropStep = 1000

// PutPlaces adds and changes places.
type PutPlaces struct {
	Places []audience.Place `cbor:"1,keyasint"`
}

// RemovePlaces removes places; members there keep their path.
type RemovePlaces struct {
	Paths []audience.Path `cbor:"1,keyasint"`
}

// PutDevices enrols devices, also known and revoked ones anew. It is refused as a
// whole when a member does not exist, or one of New is enrolled already and not revoked.
// Ordinal, EnrolledAt and By are filled in.
type PutDevices struct {
	Devices []storage.Device `cbor:"1,keyasint"`
	New     []string         `cbor:"2,keyasint,omitempty"` // ids, of version 3; software before that replaced every device
}

// RevokeDevice revokes a device.
type RevokeDevice struct {
	ID string `cbor:"1,keyasint"`
}

// PutUser adds or changes a user or a token.
type PutUser struct {
	User storage.User `cbor:"1,keyasint"`
	// Change gives a user who exists, with this token, other roles, senders, places and kind; the
	// rest stays. The last administrator stays one. Version 7.
	Change bool `cbor:"2,keyasint,omitempty"`
}

// RevokeUser revokes a user with all tokens.
type RevokeUser struct {
	Name string `cbor:"1,keyasint"`
}

// PutNode adds or changes a node. A removed id never comes back.
type PutNode struct {
	Node noderecord.Node `cbor:"1,keyasint"`
}

// RemoveNode removes a node for ever.
type RemoveNode struct {
	ID string `cbor:"1,keyasint"`
}

// PutJoinToken lets one new node in, once.
type PutJoinToken struct {
	Hash    []byte `cbor:"1,keyasint"` // SHA-256 of the token
	Expires int64  `cbor:"2,keyasint"` // ms since 1970
}

// UseJoinToken uses a join token up. Only one node ever succeeds; the same node may
// repeat it. Expiry is compared with the command's time.
type UseJoinToken struct {
	Hash   []byte `cbor:"1,keyasint"`
	NodeID string `cbor:"2,keyasint"`
}

// PutKeyRing replaces the key ring.
type PutKeyRing struct {
	KeyRing noderecord.KeyRing `cbor:"1,keyasint"`
}

// PutDistrict replaces the district's own record. Its incarnation never goes back.
type PutDistrict struct {
	District noderecord.District `cbor:"1,keyasint"`
}

// Type names the payload in the entry.
func (*AdoptFacts) Type() Type     { return TypeAdoptFacts }
func (*PutMembers) Type() Type     { return TypePutMembers }     // Type names the payload.
func (*RemoveMembers) Type() Type  { return TypeRemoveMembers }  // Type names the payload.
func (*StageMembers) Type() Type   { return TypeStageMembers }   // Type names the payload.
func (*ActivateImport) Type() Type { return TypeActivateImport } // Type names the payload.
func (*FoldImport) Type() Type     { return TypeFoldImport }     // Type names the payload.
func (*DropImport) Type() Type     { return TypeDropImport }     // Type names the payload.
func (*PutPlaces) Type() Type      { return TypePutPlaces }      // Type names the payload.
func (*RemovePlaces) Type() Type   { return TypeRemovePlaces }   // Type names the payload.
func (*PutDevices) Type() Type     { return TypePutDevices }     // Type names the payload.
func (*RevokeDevice) Type() Type   { return TypeRevokeDevice }   // Type names the payload.
func (*PutUser) Type() Type        { return TypePutUser }        // Type names the payload.
func (*RevokeUser) Type() Type     { return TypeRevokeUser }     // Type names the payload.
func (*PutNode) Type() Type        { return TypePutNode }        // Type names the payload.
func (*RemoveNode) Type() Type     { return TypeRemoveNode }     // Type names the payload.
func (*PutJoinToken) Type() Type   { return TypePutJoinToken }   // Type names the payload.
func (*UseJoinToken) Type() Type   { return TypeUseJoinToken }   // Type names the payload.
func (*PutKeyRing) Type() Type     { return TypePutKeyRing }     // Type names the payload.
func (*PutDistrict) Type() Type    { return TypePutDistrict }    // Type names the payload.

func (p *AdoptFacts) check() error {
	return checkCount("facts", len(p.Facts), MaxFacts)
}

func (p *PutMembers) check() error {
	return checkCount("members", len(p.Members), MaxMembers)
}

func (p *RemoveMembers) check() error {
	if err := checkCount("members", len(p.IDs), MaxMembers); err != nil {
		return err
	}
	return checkTexts(p.IDs...)
}

func (p *StageMembers) check() error {
	if err := checkCount("members", len(p.Members), MaxMembers); err != nil {
		return err
	}
	return checkID("import", p.Import)
}

func (p *ActivateImport) check() error { return checkID("import", p.Import) }
func (p *FoldImport) check() error     { return checkID("import", p.Import) }
func (p *DropImport) check() error     { return checkID("import", p.Import) }

func (p *PutPlaces) check() error {
	return checkCount("places", len(p.Places), MaxPlaces)
}

func (p *RemovePlaces) check() error {
	return checkCount("places", len(p.Paths), MaxPlaces)
}

func (p *PutDevices) check() error {
	if err := checkCount("devices", len(p.Devices), MaxMembers); err != nil {
		return err
	}
	for _, d := range p.Devices {
		if err := checkID("device", d.ID); err != nil {
			return err
		}
		if len(d.SecretHash) != hashLen {
			return fmt.Errorf("%w: device %s: secret hash of %d bytes", ErrMalformed, d.ID, len(d.SecretHash))
		}
		if err := checkTexts(d.Kind, d.Member); err != nil {
			return err
		}
	}
	return nil
}

func (p *RevokeDevice) check() error { return checkID("device", p.ID) }

func (p *PutUser) check() error {
	if err := checkName("user", p.User.Name); err != nil {
		return err
	}
	if n := len(p.User.TokenHash); n != 0 && n != hashLen {
		return fmt.Errorf("%w: user %s: token hash of %d bytes", ErrMalformed, p.User.Name, n)
	}
	if k := p.User.Kind; k != "" && k != storage.UserPerson && k != storage.UserSystem {
		return fmt.Errorf("%w: user %s: kind %q", ErrMalformed, p.User.Name, k)
	}
	return checkTexts(append(slices.Concat(p.User.Roles, p.User.Senders, p.User.Places), p.User.PasswordHash)...)
}

func (p *RevokeUser) check() error { return checkName("user", p.Name) }
func (p *PutNode) check() error {
	n := p.Node
	if err := checkTexts(append(n.MQTT, n.Name, n.Internode, n.API, n.KeyID)...); err != nil {
		return err
	}
	return checkID("node", n.ID)
}
func (p *RemoveNode) check() error { return checkID("node", p.ID) }

func (p *PutJoinToken) check() error { return checkHash(p.Hash) }

func (p *UseJoinToken) check() error {
	if err := checkHash(p.Hash); err != nil {
		return err
	}
	return checkID("node", p.NodeID)
}

func (p *PutKeyRing) check() error  { return checkCount("keys", len(p.KeyRing.Keys), MaxMembers) }
func (p *PutDistrict) check() error { return checkName("district", p.District.ID) }
