package signin

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/signin"
)

func holds(hashes [][]byte, hash []byte) bool {
	return slices.ContainsFunc(hashes, func(h []byte) bool { return bytes.Equal(h, hash) })
}

// First lets a person who has a token and no password yet choose one: the first administrator, and
// whoever was added since. It needs a majority.
func (s *SignIn) First(ctx context.Context, token, password, address string) (name string, err error) {
	succeeded, err := s.attempts.begin(ctx, address, "token")
	if err != nil {
		return "", err
	}
	by, err := s.o.Identify(ctx, token)
	if err != nil {
		return "", err
	}
	succeeded()
	_, _, err = s.o.Records.Person(by.Name)
	if err == nil {
		return "", wire.Problemf(wire.KindConflict, "%s has a password already; sign in with it, or have an administrator set another", by.Name).Because(why.HasPassword)
	}
	return by.Name, s.put(ctx, by.Name, by.Name, password, func(c *signin.Credential) {})
}

// SetPassword sets a person's password for somebody who may change users, takes the second factor and all
// passkeys away where without says so, and ends all sessions of that person. It needs a majority.
func (s *SignIn) SetPassword(ctx context.Context, by authority.Caller, name, password string, without bool) error {
	return s.put(ctx, by.Name, name, password, func(c *signin.Credential) {
		if without {
			c.TOTP, c.LastStep, c.Recovery, c.Passkeys = nil, 0, nil, nil
		}
	})
}

// ChangePassword changes the person's own password, and ends all sessions of that person. It needs a
// majority.
func (s *SignIn) ChangePassword(ctx context.Context, w Who, old, password, address string) error {
	if err := s.Again(ctx, w, old, address); err != nil {
		return err
	}
	return s.put(ctx, w.Caller.Name, w.Caller.Name, password, func(*signin.Credential) {})
}

// NewSecondFactor makes a second factor that does not count yet; nothing is kept.
func (s *SignIn) NewSecondFactor(w Who) SecondFactor {
	return newSecondFactor(s.o.District, w.Caller.Name)
}

// SetSecondFactor makes a second factor count whose code was shown, in the place of the one before, and
// ends all sessions of the person. It answers the recovery codes, which are told only here. It needs a
// majority.
func (s *SignIn) SetSecondFactor(ctx context.Context, w Who, text, code, password, address string) (codes []string, err error) {
	key, err := letters.DecodeString(text)
	if err != nil || len(key) < 16 || len(key) > signin.MaxSecret {
		return nil, wire.Problemf(wire.KindMalformed, "this is no secret of a second factor").Because(why.FormWrong)
	}
	step := stepOf(key, code, s.o.Clock(), 0)
	if step == 0 {
		return nil, wire.Problemf(wire.KindRefused, "the code does not fit the new second factor; the time of the telephone and of this node must be right").Because(why.FactorCodeWrong)
	}
	if err := s.Again(ctx, w, password, address); err != nil {
		return nil, err
	}
	codes, hashes := newRecoveryCodes()
	return codes, s.put(ctx, w.Caller.Name, w.Caller.Name, "", func(c *signin.Credential) {
		c.TOTP, c.LastStep, c.Recovery = key, step, hashes
	})
}

// put changes a person's credential; password "" keeps that of before.
func (s *SignIn) put(ctx context.Context, by, name, password string, change func(*signin.Credential)) error {
	if err := s.o.Agreed(ctx); err != nil { // or a person who was just added would not be known
		return err
	}
	u, c, err := s.o.Records.Person(name)
	if errors.Is(err, signin.ErrNone) {
		u, err = s.person(name)
	}
	if err != nil {
		return err
	}
	next := c
	if password != "" || c.Index == 0 {
		if err := checkPassword(name, password); err != nil {
			return err
		}
		if next.Password, err = s.hashes.make(ctx, password); err != nil {
			return err
		}
	}
	next.User, next.Token = name, u.TokenHash
	change(&next)
	_, err = s.o.Changer.Change(ctx, by, &command.PutCredential{Credential: next, Was: c.Index})
	return err
}

// person is a user who may have a password.
func (s *SignIn) person(name string) (storage.User, error) {
	u, known, err := s.o.Records.User(name)
	switch {
	case err != nil:
		return u, err
	case !known || u.Revoked:
		return u, wire.Problemf(wire.KindNotFound, "there is no user %s, or it was revoked", name).Because(why.NoUser, name)
	case u.System():
		return u, wire.Problemf(wire.KindRefused, "%s is a central system; only a person signs in", name).Because(why.PersonsOnly, name)
	}
	return u, nil
}
