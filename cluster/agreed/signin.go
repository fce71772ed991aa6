package agreed

import (
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

// PasskeyUsers reads who has which passkey: names of users by its id. It reads all credentials: a district has hundreds.
func (r *Reader) PasskeyUsers() (map[string]string, error) {
	out := map[string]string{}
	err := r.state.Store().View(func(t *storage.Txn) error {
		return signin.Credentials.Each(t, func(c signin.Credential) error {
			for _, k := range c.Passkeys {
				out[string(k.ID)] = c.User
			}
			return nil
		})
	})
	return out, err
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
