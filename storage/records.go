package storage

// Device is an enrolled endpoint and how it proves who it is.
type Device struct {
	ID         string `cbor:"1,keyasint"` // MQTT client id and user name
	Kind       string `cbor:"2,keyasint"`
	Member     string `cbor:"3,keyasint"`           // member id
	Ordinal    uint32 `cbor:"4,keyasint"`           // of the member; set by the state machine
	SecretHash []byte `cbor:"5,keyasint"`           // SHA-256 of its random 256-bit secret
	Revoked    bool   `cbor:"6,keyasint,omitempty"` // must be refused, for ever or until enrolled anew
	EnrolledAt int64  `cbor:"7,keyasint"`           // ms since 1970; set by the state machine
	By         string `cbor:"8,keyasint"`           // who enrolled it; set by the state machine
}

// User is a person or a system that may call the API.
type User struct {
	Name         string   `cbor:"1,keyasint"`
	Roles        []string `cbor:"2,keyasint,omitempty"`
	TokenHash    []byte   `cbor:"3,keyasint,omitempty"` // SHA-256 of the bearer token; empty: none
	PasswordHash string   `cbor:"4,keyasint,omitempty"` // argon2id, PHC string; "": none
	Revoked      bool     `cbor:"5,keyasint,omitempty"`
	Senders      []string `cbor:"6,keyasint,omitempty"` // CAP senders it may speak for; empty: any
	// Places are those in which it may warn and approve; empty: all. Version 2 of commands.
	Places []string `cbor:"7,keyasint,omitempty"`
	// Kind is UserPerson or UserSystem. Empty is a record from before there were kinds, or
	// one without senders: see System. Version 3 of commands.
	Kind string `cbor:"8,keyasint,omitempty"`
}

// The kinds of a User.
const (
	UserPerson = "person"
	UserSystem = "system" // a central system: it speaks for its senders without a second person
)

// System reports whether the user is a central system. A user of some senders whose kind
// was never said is taken for one, as it was before there were kinds.
func (u User) System() bool {
	return u.Kind == UserSystem || u.Kind == "" && len(u.Senders) > 0
}

// Put writes a user and moves its token.
func (b UserTable) Put(t *Txn, u User) error {
	old, known, err := b.Get(t, u.Name)
	if err != nil {
		return err
	}
	if known && len(old.TokenHash) > 0 && string(old.TokenHash) != string(u.TokenHash) {
		if err := t.Set(Key(prefToken, old.TokenHash), []byte{}); err != nil {
			return err
		}
	}
	if len(u.TokenHash) > 0 {
		if err := t.Set(Key(prefToken, u.TokenHash), []byte(u.Name)); err != nil {
			return err
		}
	}
	return b.Table.Put(t, u)
}

// ByToken reads the user whose token has that SHA-256; false for unknown,
// replaced and revoked ones.
func (b UserTable) ByToken(t *Txn, hash []byte) (User, bool, error) {
	name, err := t.Get(Key(prefToken, hash))
	if err != nil || len(name) == 0 {
		return User{}, false, err
	}
	u, ok, err := b.Get(t, string(name))
	return u, ok && !u.Revoked && string(u.TokenHash) == string(hash), err
}

// TokenOwner is the name of the user that a token hash belongs to now; "" for none.
func (UserTable) TokenOwner(t *Txn, hash []byte) (string, error) {
	name, err := t.Get(Key(prefToken, hash))
	return string(name), err
}
