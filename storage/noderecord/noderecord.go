// Package noderecord has the records of the district and its nodes: who belongs to it, with which key,
// which tokens let new ones in, and the key ring that devices get. It may import nothing of ours but
// storage.
package noderecord

import "almenara/storage"

// Node is a node of the district as the others reach it.
type Node struct {
	ID        string   `cbor:"1,keyasint"` // raft server id
	Name      string   `cbor:"2,keyasint"`
	Internode string   `cbor:"3,keyasint"` // host:port
	API       string   `cbor:"4,keyasint"`
	MQTT      []string `cbor:"5,keyasint,omitempty"`
	KeyID     string   `cbor:"6,keyasint"` // of its signing key
	PublicKey []byte   `cbor:"7,keyasint"` // Ed25519
	Removed   bool     `cbor:"8,keyasint,omitempty"`
	// Version is the highest version of commands that it said it understands when it was
	// admitted; 0 where it was not asked. Version 3 of commands.
	Version uint64 `cbor:"9,keyasint,omitempty"`
}

// JoinToken lets one new node in, once.
type JoinToken struct {
	Hash    []byte `cbor:"1,keyasint"`           // SHA-256 of the token
	Expires int64  `cbor:"2,keyasint"`           // ms since 1970, compared with the time in the command
	By      string `cbor:"3,keyasint"`           // who made it; set by the state machine
	UsedBy  string `cbor:"4,keyasint,omitempty"` // node id; "": not used yet
	UsedAt  int64  `cbor:"5,keyasint,omitempty"` // ms since 1970
}

// KeyRing is the district's key ring as devices get it on /keys, and its keys.
type KeyRing struct {
	Signed string      `cbor:"1,keyasint"` // JWS compact, by the root key
	Keys   []PublicKey `cbor:"2,keyasint"`
}

// PublicKey is one node's signing key.
type PublicKey struct {
	ID        string `cbor:"1,keyasint"`
	Node      string `cbor:"2,keyasint"`
	Key       []byte `cbor:"3,keyasint"` // Ed25519
	NotBefore int64  `cbor:"4,keyasint"` // ms since 1970
	NotAfter  int64  `cbor:"5,keyasint"` // ms since 1970
}

// District is the district itself.
type District struct {
	ID            string `cbor:"1,keyasint"`
	Name          string `cbor:"2,keyasint"`
	RootPublicKey []byte `cbor:"3,keyasint"` // Ed25519
	CACert        string `cbor:"4,keyasint"` // PEM
	Incarnation   uint64 `cbor:"5,keyasint"` // grows by recovery after lost quorum; fences the old majority
}

var (
	prefJoinToken = []byte("jtk/")
	prefNode      = []byte("nod/")
	keyKeyRing    = []byte("key")
	keyDistrict   = []byte("dst")
)

// The tables of nodes and of tokens with which they come, and where the key ring and the district lie.
var (
	Nodes      = storage.Table[string, Node]{Prefix: prefNode, Of: func(n Node) string { return n.ID }}
	JoinTokens = storage.Table[[]byte, JoinToken]{Prefix: prefJoinToken, Of: func(j JoinToken) []byte { return j.Hash }}

	KeyRingRecord  = storage.Single[KeyRing]{Key: keyKeyRing}
	DistrictRecord = storage.Single[District]{Key: keyDistrict}
)
