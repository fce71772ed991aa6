// Package signin keeps in the store how people sign in to pages: passwords, second factors and
// sessions. It may import nothing of ours but storage.
package signin

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefCredential = []byte("cre/")
	prefSession    = []byte("ses/")
)

// Limits of the records.
const (
	MaxPassword   = 256            // bytes of a password's hash with its salt and cost
	MaxSecret     = 64             // bytes of a second factor's secret
	MaxRecovery   = 16             // recovery codes of one person
	MaxPasskeys   = 10             // of one person
	MaxPasskeyID  = 1023           // bytes (WebAuthn 3, §5.1)
	MaxPasskeyKey = 1024           // bytes
	MaxSession    = 24 * 3600_000  // ms that a session may last
	MaxSessions   = 16             // sessions of one person at a time; the oldest ends for the next
	forgottenFrom = 24 * 3_600_000 // ms after its end from which on a session is deleted
)

// Credential is how a person proves who it is, besides the token.
type Credential struct {
	User     string   `cbor:"1,keyasint"`
	Token    []byte   `cbor:"2,keyasint"`           // the user's TokenHash when it was set: a later user of the same name has none of it
	Password string   `cbor:"3,keyasint"`           // argon2id, PHC string
	TOTP     []byte   `cbor:"4,keyasint,omitempty"` // secret of the second factor (RFC 6238); empty: there is none
	LastStep uint64   `cbor:"5,keyasint,omitempty"` // of TOTP, the last that was used; none before it counts any more
	Recovery [][]byte `cbor:"6,keyasint,omitempty"` // SHA-256 of the recovery codes that are left
	Index    uint64   `cbor:"7,keyasint"`           // raft index of the last change of what ends sessions; set by the state machine
	SetAt    int64    `cbor:"8,keyasint"`           // ms since 1970, of that change; set by the state machine

	Passkeys []Passkey `cbor:"9,keyasint,omitempty"` // version 14 of commands
}

// Passkey is a key pair of a person's telephone, computer or security key (WebAuthn); its private half never
// leaves that.
type Passkey struct {
	ID      []byte `cbor:"1,keyasint"`
	Key     []byte `cbor:"2,keyasint"`           // public, COSE
	Host    string `cbor:"3,keyasint"`           // its RP ID: the name under which the console was open, and no other
	Name    string `cbor:"4,keyasint"`           // that the person gave it
	AddedAt int64  `cbor:"5,keyasint"`           // ms since 1970
	Count   uint32 `cbor:"6,keyasint,omitempty"` // of uses, as it said last; 0: it does not count
	Asked   int64  `cbor:"7,keyasint,omitempty"` // ms since 1970, when that was asked for which it answered last; no answer to what was asked before counts any more
	UsedAt  int64  `cbor:"8,keyasint,omitempty"` // ms since 1970, of its last use that was agreed on; set by the state machine
	Flags   uint8  `cbor:"9,keyasint,omitempty"` // of WebAuthn, as it was added: whether it may be copied to other devices of the person
}

// SecondFactor reports whether a password alone lets nobody in.
func (c Credential) SecondFactor() bool { return len(c.TOTP) > 0 || len(c.Passkeys) > 0 }

// Session is one browser of a person who has signed in. Only the hash of what the browser holds is
// on record.
type Session struct {
	Hash    []byte `cbor:"1,keyasint"` // SHA-256 of the cookie
	User    string `cbor:"2,keyasint"`
	Rights  []byte `cbor:"3,keyasint"` // Rights of the user when it began; set by the state machine
	BegunAt int64  `cbor:"4,keyasint"` // ms since 1970; set by the state machine
	Until   int64  `cbor:"5,keyasint"` // ms since 1970
	Ended   bool   `cbor:"6,keyasint,omitempty"`
}

// The tables.
var (
	Credentials = storage.Table[string, Credential]{Prefix: prefCredential, Of: func(c Credential) string { return c.User }}
	Sessions    = storage.Table[[]byte, Session]{Prefix: prefSession, Of: func(s Session) []byte { return s.Hash }, Gone: func(s Session) bool { return s.Ended }}
)

// ErrNone: the person cannot sign in by password: nobody of this name, revoked, or no password set.
var ErrNone = errors.New("no such credential")

var encoding, _ = cbor.CoreDetEncOptions().EncMode()

// Rights is a digest of all that a session was begun with. When anything of it changes (the user was
// revoked or given other roles, the password was changed, all sessions were ended) the session
// does not open any more, whatever else is on record of it.
func Rights(u storage.User, c Credential) ([]byte, error) {
	raw, err := encoding.Marshal(u)
	if err != nil {
		return nil, fmt.Errorf("encoding a user: %w", err)
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(raw, c.Index))
	return sum[:], nil
}

// Of reads a person with the credential. ErrNone where that person cannot sign in.
func Of(t *storage.Txn, name string) (storage.User, Credential, error) {
	u, known, err := storage.Users.Get(t, name)
	if err != nil {
		return u, Credential{}, err
	}
	c, set, err := Credentials.Get(t, name)
	if err != nil {
		return u, c, err
	}
	if !known || u.Revoked || u.System() || !set || !bytes.Equal(c.Token, u.TokenHash) {
		return u, Credential{}, ErrNone
	}
	return u, c, nil
}

// Opens reports whether the session lets its user in at now, ms since 1970.
func (s Session) Opens(u storage.User, c Credential, now int64) bool {
	rights, err := Rights(u, c)
	return err == nil && !s.Ended && now < s.Until && bytes.Equal(rights, s.Rights)
}

// Find reads the session of a hash, with its user; false where it does not let anybody in.
func Find(t *storage.Txn, hash []byte, now int64) (s Session, u storage.User, ok bool, err error) {
	s, known, err := Sessions.Get(t, hash)
	if err != nil || !known {
		return s, u, false, err
	}
	u, c, err := Of(t, s.User)
	if errors.Is(err, ErrNone) {
		return s, u, false, nil
	}
	return s, u, err == nil && s.Opens(u, c, now), err
}

// Begin writes a session that begins at now, ends the oldest of the same user where there would be
// too many, and deletes those that ended long ago. Those open nothing, so it would do no harm if one
// came back.
func Begin(t *storage.Txn, s Session, now int64) error {
	all, err := Sessions.All(t)
	if err != nil {
		return err
	}
	var own []Session
	for _, old := range all {
		switch {
		case old.Until+forgottenFrom < now:
			if err := Sessions.Delete(t, old.Hash); err != nil {
				return err
			}
		case old.User == s.User && !old.Ended:
			own = append(own, old)
		}
	}
	slices.SortStableFunc(own, func(a, b Session) int { return int(max(-1, min(1, a.BegunAt-b.BegunAt))) })
	for len(own) >= MaxSessions {
		own[0].Ended = true
		if err := Sessions.Put(t, own[0]); err != nil {
			return err
		}
		own = own[1:]
	}
	return Sessions.Put(t, s)
}
