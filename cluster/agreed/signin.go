package agreed

import (
	"bytes"
	"errors"
	"slices"

	"almenara/storage"
	"almenara/storage/signin"
)

// Person reads a person who may sign in, with the credential; signin.ErrNone where nobody of the name
// can.
func (r *Reader) Person(name string) (u storage.User, c signin.Credential, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		u, c, err = signin.Of(t, name)
		return err
	})
	return u, c, err
}

// PasskeyHolder reads whose passkey it is; false where nobody has it who can sign in. It reads all credentials: a
// district has hundreds.
func (r *Reader) PasskeyHolder(id []byte) (u storage.User, c signin.Credential, known bool, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		all, err := signin.Credentials.All(t)
		if err != nil {
			return err
		}
		for _, one := range all {
			if slices.ContainsFunc(one.Passkeys, func(k signin.Passkey) bool { return bytes.Equal(k.ID, id) }) {
				if u, c, err = signin.Of(t, one.User); errors.Is(err, signin.ErrNone) {
					return nil
				}
				known = err == nil
				return err
			}
		}
		return nil
	})
	return u, c, known, err
}

// Session reads the session of a cookie's hash, with its user; false where it lets nobody in at now,
// ms since 1970.
func (r *Reader) Session(hash []byte, now int64) (s signin.Session, u storage.User, ok bool, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		s, u, ok, err = signin.Find(t, hash, now)
		return err
	})
	return s, u, ok, err
}
