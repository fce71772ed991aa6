package passkeys

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"almenara/storage/signin"
)

// Page is where a browser has a page open.
type Page struct {
	Host   string // its name without a port: the RP ID. "" where passkeys do not work there
	Origin string // scheme, name and port
}

// mostAnswer is the longest answer of a browser, in bytes.
const mostAnswer = 32 << 10

// Answer is what a browser gave that a passkey has signed; nothing of it is verified.
type Answer struct {
	ID     []byte
	parsed *protocol.ParsedCredentialAssertionData
}

// Read reads an answer.
func Read(text string) (Answer, error) {
	if len(text) > mostAnswer {
		return Answer{}, errors.New("the answer is too long")
	}
	p, err := protocol.ParseCredentialRequestResponseBytes([]byte(text))
	if err != nil {
		return Answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	return Answer{p.RawID, p}, nil
}

// Said is what a passkey has proven.
type Said struct {
	Asked    time.Time // when that was asked for which it answers
	Verified bool      // it has verified who the person is, by a fingerprint or a PIN; else it lets nobody in
	Count    uint32    // of uses; 0: it does not count
}

// Answered verifies the answer of a passkey to what was asked of the browser bound on the page at. Whether it
// was used before, and whether it counts backwards, is for the caller.
func (v *Verifier) Answered(a Answer, k signin.Passkey, bound []byte, at Page) (Said, error) {
	client := a.parsed.Response.CollectedClientData
	asked, err := v.challenged(client.Challenge, ToSignIn, bound)
	if err != nil {
		return Said{}, err
	}
	if at.Host == "" || k.Host != at.Host {
		return Said{}, fmt.Errorf("it is of the name %s", k.Host)
	}
	if err := a.parsed.Verify(client.Challenge, at.Host, "", []string{at.Origin}, nil, nil, protocol.TopOriginImplicitVerificationMode, false, false, true, k.Key, protocol.SignaturePolicy{}); err != nil {
		return Said{}, fmt.Errorf("verifying the answer: %w", err)
	}
	data := a.parsed.Response.AuthenticatorData
	return Said{asked, data.Flags.UserVerified(), data.Counter}, nil
}

// challenged is when the challenge, in base64url, was made.
func (v *Verifier) challenged(text string, p Purpose, bound []byte) (time.Time, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return time.Time{}, ErrChallenge
	}
	return v.asked(raw, p, bound)
}

// Made is a new passkey.
type Made struct {
	ID, Key []byte
	Count   uint32
	Flags   uint8
	Asked   time.Time
}

// Algorithms are those of the keys that are taken, in the order in which they are asked for: Ed25519, ECDSA with
// P-256, RSA (COSE numbers).
var Algorithms = []int{-8, -7, -257}

// Added verifies a new passkey that was asked for on the page at of the session bound. Who made the
// authenticator is not asked: no attestation is verified but its form.
func (v *Verifier) Added(text string, bound []byte, at Page) (Made, error) {
	if len(text) > mostAnswer {
		return Made{}, errors.New("the answer is too long")
	}
	p, err := protocol.ParseCredentialCreationResponseBytes([]byte(text))
	if err != nil {
		return Made{}, fmt.Errorf("reading the answer: %w", err)
	}
	client := p.Response.CollectedClientData
	asked, err := v.challenged(client.Challenge, ToAdd, bound)
	if err != nil {
		return Made{}, err
	}
	if at.Host == "" {
		return Made{}, errors.New("passkeys do not work here")
	}
	var wanted []protocol.CredentialParameter
	for _, one := range Algorithms {
		wanted = append(wanted, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.COSEAlgorithmIdentifier(one)})
	}
	if _, err := p.Verify(client.Challenge, at.Host, []string{at.Origin}, nil, nil, protocol.TopOriginImplicitVerificationMode, false, false, true, nil, wanted, protocol.AttestationPolicy{}, protocol.SignaturePolicy{}); err != nil {
		return Made{}, fmt.Errorf("verifying the answer: %w", err)
	}
	data := p.Response.AttestationObject.AuthData
	if !data.Flags.UserVerified() { // it would let nobody in
		return Made{}, errors.New("it did not verify who the person is")
	}
	return Made{ID: data.AttData.CredentialID, Key: data.AttData.CredentialPublicKey, Count: data.Counter, Flags: uint8(data.Flags), Asked: asked}, nil
}
