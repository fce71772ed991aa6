package signin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"almenara/cluster/command"
	"almenara/node/signin/passkeys"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/signin"
)

// mostPasskeyName is how long the name of a passkey may be, in characters.
const mostPasskeyName = 60

// Passkey is a passkey as its person sees it.
type Passkey struct {
	ID          []byte
	Name, Host  string    // Host is the name under which it works
	Added, Used time.Time // Used is zero where it was not
}

// Passkeys are those of who has a session.
func (s *SignIn) Passkeys(w Who) (out []Passkey, err error) {
	_, c, err := s.o.Records.Person(w.Caller.Name)
	if errors.Is(err, signin.ErrNone) {
		return nil, nil
	}
	for _, k := range c.Passkeys {
		one := Passkey{ID: k.ID, Name: k.Name, Host: k.Host, Added: time.UnixMilli(k.AddedAt)}
		if k.UsedAt > 0 {
			one.Used = time.UnixMilli(k.UsedAt)
		}
		out = append(out, one)
	}
	return out, err
}

// AskPasskey is what a passkey is to sign that is to let somebody in from a browser.
func (s *SignIn) AskPasskey(browser string) []byte {
	return s.passkeys.Challenge(passkeys.ToSignIn, []byte(browser))
}

// NewPasskey is what a new passkey of who has a session is to sign, how authenticators tell the person from
// others, and the passkeys that there are.
func (s *SignIn) NewPasskey(w Who) (challenge, person []byte, have []Passkey, err error) {
	have, err = s.Passkeys(w)
	sum := sha256.Sum256([]byte("almenara person " + s.o.District + "\n" + w.Caller.Name))
	return s.passkeys.Challenge(passkeys.ToAdd, w.hash), sum[:], have, err
}

// AddPasskey keeps a new passkey, whose name the person chose, and ends all sessions of the person. answer is
// the browser's. It answers recovery codes where this is the first second factor; they are told only here. It
// needs a majority.
func (s *SignIn) AddPasskey(ctx context.Context, w Who, name, answer, password string, at passkeys.Page, address string) (codes []string, err error) {
	if name = strings.TrimSpace(name); name == "" || utf8.RuneCountInString(name) > mostPasskeyName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return nil, wire.Problemf(wire.KindRefused, "a passkey has a name of 1 to %d characters", mostPasskeyName).Because(why.PasskeyName, mostPasskeyName)
	}
	if err := s.Again(ctx, w, password, address); err != nil {
		return nil, err
	}
	made, err := s.passkeys.Added(answer, w.hash, at)
	if err != nil {
		return nil, notTaken(err)
	}
	_, c, err := s.o.Records.Person(w.Caller.Name)
	if err != nil {
		return nil, err
	}
	all, err := s.o.Records.PasskeyUsers()
	if err != nil {
		return nil, err
	}
	if _, known := all[string(made.ID)]; known {
		return nil, notTaken(errors.New("there is such a passkey already"))
	}
	defer s.holders.forget()
	if len(c.Passkeys) >= signin.MaxPasskeys {
		return nil, wire.Problemf(wire.KindRefused, "there are %d passkeys already; remove one first", signin.MaxPasskeys).Because(why.PasskeysMany, signin.MaxPasskeys)
	}
	var hashes [][]byte
	if !c.SecondFactor() {
		codes, hashes = newRecoveryCodes()
	}
	return codes, s.put(ctx, w.Caller.Name, w.Caller.Name, "", func(c *signin.Credential) {
		c.Passkeys = append(slices.Clone(c.Passkeys), signin.Passkey{
			ID: made.ID, Key: made.Key, Host: at.Host, Name: name, AddedAt: s.o.Clock().UnixMilli(), Count: made.Count, Asked: made.Asked.UnixMilli(), Flags: made.Flags,
		})
		if hashes != nil {
			c.Recovery = hashes
		}
	})
}

// RemovePasskey removes one of the person's own, and ends all sessions of the person. It needs a majority.
func (s *SignIn) RemovePasskey(ctx context.Context, w Who, id []byte, password, address string) error {
	if err := s.Again(ctx, w, password, address); err != nil {
		return err
	}
	is := func(k signin.Passkey) bool { return bytes.Equal(k.ID, id) }
	_, c, err := s.o.Records.Person(w.Caller.Name)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(c.Passkeys, is) {
		return wire.Problemf(wire.KindNotFound, "there is no such passkey any more").Because(why.PasskeyGone)
	}
	return s.put(ctx, w.Caller.Name, w.Caller.Name, "", func(c *signin.Credential) {
		c.Passkeys = slices.DeleteFunc(slices.Clone(c.Passkeys), is)
		if !c.SecondFactor() {
			c.Recovery = nil
		}
	})
}

// notTaken is the problem of an answer that does not count; the sentence does not say more to a stranger.
func notTaken(err error) error {
	return wire.Problemf(wire.KindUnauthenticated, "the passkey was not accepted: %v", err).Because(why.PasskeyWrong)
}

// copied is the problem of a passkey that counts backwards, as one of two copies does.
func copied(c signin.Credential, id []byte) error {
	name := ""
	if i := slices.IndexFunc(c.Passkeys, func(k signin.Passkey) bool { return bytes.Equal(k.ID, id) }); i >= 0 {
		name = c.Passkeys[i].Name
	}
	return wire.Problemf(wire.KindUnauthenticated, "the passkey %q counts backwards: somebody may have a copy of it; sign in by password and code, and remove it", name).Because(why.PasskeyCopied, name)
}

// holder is whose passkey it is, and which one of that person's; -1 where nobody has it who can sign in.
func (s *SignIn) holder(id []byte) (u storage.User, c signin.Credential, i int, err error) {
	name, err := s.holders.of(id)
	if err != nil || name == "" {
		return u, c, -1, err
	}
	if u, c, err = s.o.Records.Person(name); errors.Is(err, signin.ErrNone) {
		return u, c, -1, nil
	}
	return u, c, slices.IndexFunc(c.Passkeys, func(k signin.Passkey) bool { return bytes.Equal(k.ID, id) }), err
}

// byPasskey verifies the answer of a passkey, which stands for password and second factor: the authenticator must
// have verified who the person is.
func (s *SignIn) byPasskey(ctx context.Context, a Attempt) (u storage.User, c signin.Credential, used *command.UsedPasskey, succeeded func(), err error) {
	answer, unread := passkeys.Read(a.Passkey)
	sum := sha256.Sum256(answer.ID)
	if succeeded, err = s.attempts.begin(ctx, a.Address, "passkey "+hex.EncodeToString(sum[:])); err != nil { // before anything is looked up
		return u, c, nil, nil, err
	}
	if unread != nil {
		return u, c, nil, nil, notTaken(errors.New("nobody has it"))
	}
	u, c, i, err := s.holder(answer.ID)
	if err == nil && i < 0 {
		err = notTaken(errors.New("nobody has it"))
	}
	if err != nil {
		return u, c, nil, nil, err
	}
	k := c.Passkeys[i]
	said, err := s.passkeys.Answered(answer, k, []byte(a.Browser), a.At)
	if err != nil {
		return u, c, nil, nil, notTaken(err)
	}
	if !said.Verified { // the key alone may have been found
		return u, c, nil, nil, notTaken(errors.New("it did not verify who the person is"))
	}
	if (said.Count > 0 || k.Count > 0) && said.Count <= k.Count {
		return u, c, nil, nil, copied(c, k.ID)
	}
	asked := said.Asked.UnixMilli()
	if asked <= max(k.Asked, s.here.lastAsked(k.ID)) {
		return u, c, nil, nil, notTaken(errors.New("it was used before"))
	}
	return u, c, &command.UsedPasskey{ID: k.ID, Asked: asked, Count: said.Count}, succeeded, nil
}
