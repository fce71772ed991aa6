package command

import (
	"fmt"

	"almenara/storage/signin"
)

// PutCredential sets or changes how a person signs in, and ends all sessions of that person. It is
// refused where somebody changed it since Was was read. Index and SetAt are filled in.
type PutCredential struct {
	Credential signin.Credential `cbor:"1,keyasint"`
	Was        uint64            `cbor:"2,keyasint,omitempty"` // Index of the credential that it replaces; 0: there was none
}

// BeginSession begins a session with a credential that the proposer has verified. It uses up what
// was shown besides the password, and is refused where that was used before, or where the credential
// was changed since. Rights and BegunAt are filled in.
type BeginSession struct {
	Session  signin.Session `cbor:"1,keyasint"`
	Was      uint64         `cbor:"2,keyasint"`           // Index of the credential that was verified
	Step     uint64         `cbor:"3,keyasint,omitempty"` // of TOTP, whose code was shown; 0: none
	Recovery []byte         `cbor:"4,keyasint,omitempty"` // hash of the recovery code that was shown; empty: none
	Passkey  *UsedPasskey   `cbor:"5,keyasint,omitempty"` // that answered; version 14
}

// UsedPasskey is a passkey's answer, which the proposer has verified.
type UsedPasskey struct {
	ID    []byte `cbor:"1,keyasint"`
	Asked int64  `cbor:"2,keyasint"`           // ms since 1970, when that was asked for which it answers: each answer counts once
	Count uint32 `cbor:"3,keyasint,omitempty"` // of uses, as it says; 0: it does not count
}

// EndSession ends one session. One that ended before, or is not known, is passed over.
type EndSession struct {
	Hash []byte `cbor:"1,keyasint"`
}

// EndSessions ends all sessions of a person, also those that only one node knows.
type EndSessions struct {
	User string `cbor:"1,keyasint"`
}

func (*PutCredential) Type() Type { return TypePutCredential } // Type names the payload.
func (*BeginSession) Type() Type  { return TypeBeginSession }  // Type names the payload.
func (*EndSession) Type() Type    { return TypeEndSession }    // Type names the payload.
func (*EndSessions) Type() Type   { return TypeEndSessions }   // Type names the payload.

func (p *PutCredential) check() error {
	c := p.Credential
	if err := checkName("user", c.User); err != nil {
		return err
	}
	if err := checkHash(c.Token); err != nil {
		return err
	}
	if c.Password == "" || len(c.Password) > signin.MaxPassword || len(c.TOTP) > signin.MaxSecret {
		return fmt.Errorf("%w: credential of %s: password or second factor", ErrMalformed, c.User)
	}
	if err := checkCount("recovery codes", len(c.Recovery), signin.MaxRecovery); err != nil {
		return err
	}
	for _, code := range c.Recovery {
		if err := checkHash(code); err != nil {
			return err
		}
	}
	return checkPasskeys(c.Passkeys)
}

func checkPasskeys(all []signin.Passkey) error {
	if err := checkCount("passkeys", len(all), signin.MaxPasskeys); err != nil {
		return err
	}
	for _, k := range all {
		if len(k.ID) == 0 || len(k.ID) > signin.MaxPasskeyID || len(k.Key) == 0 || len(k.Key) > signin.MaxPasskeyKey || k.Host == "" || k.Name == "" {
			return fmt.Errorf("%w: a passkey with an id of %d and a key of %d bytes", ErrMalformed, len(k.ID), len(k.Key))
		}
		if err := checkTexts(k.Host, k.Name); err != nil {
			return err
		}
	}
	return nil
}

func (p *BeginSession) check() error {
	if err := checkHash(p.Session.Hash); err != nil {
		return err
	}
	if len(p.Recovery) > 0 {
		if err := checkHash(p.Recovery); err != nil {
			return err
		}
	}
	if k := p.Passkey; k != nil && (len(k.ID) == 0 || len(k.ID) > signin.MaxPasskeyID || k.Asked <= 0) {
		return fmt.Errorf("%w: a passkey with an id of %d bytes", ErrMalformed, len(k.ID))
	}
	if p.Session.Ended || len(p.Session.Rights) > 0 || p.Session.Until <= 0 {
		return fmt.Errorf("%w: session of %s that does not begin", ErrMalformed, p.Session.User)
	}
	return checkName("user", p.Session.User)
}

func (p *EndSession) check() error  { return checkHash(p.Hash) }
func (p *EndSessions) check() error { return checkName("user", p.User) }
