// Package signins applies the commands about how people sign in: passwords, second factors, sessions.
// What a command does follows from the records, the command and its time alone. It may import
// nothing of ours but command and storage.
package signins

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/signin"
)

// Entry is where a command stands in the log.
type Entry struct {
	Txn   *storage.Txn
	Index uint64
	At    int64 // ms since 1970, of the command
}

// Apply applies the payload if it is one of these commands; else known is false. The summary is for
// the audit; "" writes no line. An error is one of the store.
func (e Entry) Apply(payload command.Payload) (r command.Result, summary string, known bool, err error) {
	switch p := payload.(type) {
	case *command.PutCredential:
		r, summary, err = e.putCredential(p)
	case *command.BeginSession:
		r, summary, err = e.beginSession(p)
	case *command.EndSession:
		r, summary, err = e.endSession(p)
	case *command.EndSessions:
		r, summary, err = e.endSessions(p)
	default:
		return r, "", false, nil
	}
	return r, summary, true, err
}

// refuse is the answer to a command that changed nothing.
func refuse(kind command.Kind, code, format string, args ...any) (command.Result, string, error) {
	return command.Refuse(kind, code, format, args...), "", nil
}

// done is the answer to a command that was applied.
func done(format string, args ...any) (command.Result, string, error) {
	return command.OK(nil), fmt.Sprintf(format, args...), nil
}

// failed passes on a storage error.
func failed(err error) (command.Result, string, error) { return command.Result{}, "", err }

func (e Entry) putCredential(p *command.PutCredential) (command.Result, string, error) {
	c := p.Credential
	u, known, err := storage.Users.Get(e.Txn, c.User)
	if err != nil {
		return failed(err)
	}
	if !known || u.Revoked || !bytes.Equal(u.TokenHash, c.Token) {
		return refuse(command.KindNotFound, "user-none", "user %q does not exist", c.User)
	}
	if u.System() {
		return refuse(command.KindInvalid, "user-no-person", "%q is a central system; only a person signs in", c.User)
	}
	_, old, err := signin.Of(e.Txn, c.User)
	if err != nil && !errors.Is(err, signin.ErrNone) {
		return failed(err)
	}
	if old.Index != p.Was {
		return refuse(command.KindConflict, "sign-in-meanwhile", "how %q signs in was changed meanwhile", c.User)
	}
	if bytes.Equal(c.TOTP, old.TOTP) && (old.SecondFactor() || !c.SecondFactor()) { // what was used meanwhile stays used; a first passkey comes with codes
		c.LastStep, c.Recovery = old.LastStep, old.Recovery
	}
	passkeys := ""
	if len(c.Passkeys) > 0 || len(old.Passkeys) > 0 { // as software writes it that knows none: every node's audit is the same
		passkeys = fmt.Sprintf(", %d passkeys", len(c.Passkeys))
	}
	for i := range c.Passkeys {
		if before := find(old.Passkeys, c.Passkeys[i].ID); before != nil {
			c.Passkeys[i].Count, c.Passkeys[i].Asked, c.Passkeys[i].UsedAt = before.Count, before.Asked, before.UsedAt
		}
	}
	c.Index, c.SetAt = e.Index, e.At
	if err := signin.Credentials.Put(e.Txn, c); err != nil {
		return failed(err)
	}
	return done("%s, second factor %t, %d recovery codes%s", c.User, len(c.TOTP) > 0, len(c.Recovery), passkeys)
}

func (e Entry) beginSession(p *command.BeginSession) (command.Result, string, error) {
	s := p.Session
	u, c, err := signin.Of(e.Txn, s.User)
	switch {
	case errors.Is(err, signin.ErrNone):
		return refuse(command.KindNotFound, "sign-in-none", "%q cannot sign in", s.User)
	case err != nil:
		return failed(err)
	case c.Index != p.Was:
		return refuse(command.KindConflict, "sign-in-meanwhile", "how %q signs in was changed meanwhile", s.User)
	case s.Until <= e.At || s.Until > e.At+signin.MaxSession:
		return refuse(command.KindInvalid, "session-long", "a session ends within a day from now")
	}
	if p.Passkey != nil {
		if r, refused := e.usePasskey(&c, p.Passkey); refused {
			return r, "", nil
		}
		if err := signin.Credentials.Put(e.Txn, c); err != nil {
			return failed(err)
		}
	} else if c.SecondFactor() {
		left := slices.DeleteFunc(slices.Clone(c.Recovery), func(h []byte) bool { return bytes.Equal(h, p.Recovery) })
		switch {
		case len(c.TOTP) > 0 && p.Step > c.LastStep:
			c.LastStep = p.Step
		case len(left) < len(c.Recovery):
			c.Recovery = left
		default:
			return refuse(command.KindConflict, "code-used", "the code was used before")
		}
		if err := signin.Credentials.Put(e.Txn, c); err != nil {
			return failed(err)
		}
	}
	if s.Rights, err = signin.Rights(u, c); err != nil {
		return failed(err)
	}
	s.BegunAt = e.At
	if err := signin.Begin(e.Txn, s, e.At); err != nil {
		return failed(err)
	}
	return done("%s, session %x until %d, recovery code %t", s.User, s.Hash[:4], s.Until, len(p.Recovery) > 0)
}

// find is the passkey of an id among some; nil where there is none.
func find(all []signin.Passkey, id []byte) *signin.Passkey {
	for i := range all {
		if bytes.Equal(all[i].ID, id) {
			return &all[i]
		}
	}
	return nil
}

// usePasskey notes that a passkey was used, unless it was removed, its answer is not newer than one that was
// used, or it counts backwards, which a copy of it does.
func (e Entry) usePasskey(c *signin.Credential, used *command.UsedPasskey) (r command.Result, refused bool) {
	k := find(c.Passkeys, used.ID)
	switch {
	case k == nil:
		return command.Refuse(command.KindNotFound, "passkey-none", "%q has no such passkey", c.User), true
	case used.Asked <= k.Asked:
		return command.Refuse(command.KindConflict, "passkey-used", "the answer of the passkey was used before"), true
	case (used.Count > 0 || k.Count > 0) && used.Count <= k.Count:
		return command.Refuse(command.KindInvalid, "passkey-backwards", "the passkey %q of %q counts backwards; there may be a copy of it", k.Name, c.User), true
	}
	k.Asked, k.Count, k.UsedAt = used.Asked, used.Count, e.At
	return r, false
}

func (e Entry) endSession(p *command.EndSession) (command.Result, string, error) {
	s, known, err := signin.Sessions.Get(e.Txn, p.Hash)
	if err != nil || !known || s.Ended {
		return command.OK(nil), "", err
	}
	s.Ended = true
	if err := signin.Sessions.Put(e.Txn, s); err != nil {
		return failed(err)
	}
	return done("%s, session %x", s.User, s.Hash[:4])
}

func (e Entry) endSessions(p *command.EndSessions) (command.Result, string, error) {
	_, c, err := signin.Of(e.Txn, p.User)
	switch {
	case errors.Is(err, signin.ErrNone):
		return refuse(command.KindNotFound, "session-none", "%q cannot sign in, and has no session", p.User)
	case err != nil:
		return failed(err)
	}
	c.Index, c.SetAt = e.Index, e.At
	if err := signin.Credentials.Put(e.Txn, c); err != nil {
		return failed(err)
	}
	return done("%s", p.User)
}
