// Package signin lets people in at pages: it verifies passwords and second factors, begins and ends
// sessions, and says who a session's cookie is of. It gives nobody a right: a session is its user,
// with the user's roles, and node/authority decides. It may import no pages, no routes and no
// channels.
//
// Sessions are on record in the district, so that they open on every node, also on one that is alone.
// Who signs in at a node that is alone has a session there only, in its memory.
package signin

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/secret"
	"almenara/node/signin/passkeys"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/noderecord"
	"almenara/storage/signin"
)

// Lasts is how long a session lasts: a shift.
const Lasts = 12 * time.Hour

// IdleFor is after how much time without a request a person is asked for the password again before
// something is sent.
const IdleFor = 15 * time.Minute

// beginTime is how long a session waits to be agreed on; then it is one of this node only.
const beginTime = 3 * time.Second

// Records are what is agreed of people; *agreed.Reader is one.
type Records interface {
	Person(name string) (storage.User, signin.Credential, error)
	Session(hash []byte, now int64) (signin.Session, storage.User, bool, error)
	User(name string) (storage.User, bool, error)
	PasskeyUsers() (map[string]string, error) // names of users by the ids of their passkeys
}

// Changer has changes agreed on; *records.Proposer is one.
type Changer interface {
	Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
}

// Options say what a SignIn needs. None may be nil.
type Options struct {
	Records  Records
	Changer  Changer
	Agreed   func(ctx context.Context) error                                   // waits until what is read here is all that was agreed on before
	Identify func(ctx context.Context, token string) (authority.Caller, error) // who a token is of
	Clock    func() time.Time
	District string // its name, which authenticator programs show

	KeyID string // of this node's signing key, by which it asks passkeys
	Key   ed25519.PrivateKey
	Keys  func() ([]noderecord.PublicKey, error) // of all nodes of the district
	Dir   string                                 // data folder; "" forgets at the next start which sessions ended here alone

	HashKiB uint32 // memory that the hash of a new password takes; 0 is 32 MiB, and less is for tests that are not about it
}

// SignIn lets people in. Its methods may be called from any goroutine. Errors are *wire.Problem for
// what the person did wrong or must know.
type SignIn struct {
	o        Options
	hashes   *hasher
	attempts *attempts
	codes    *codeGuesses
	here     *here
	passkeys *passkeys.Verifier
	holders  *holders
	signOuts *signOuts
}

// New makes one. Nothing runs.
func New(o Options) *SignIn {
	s := &SignIn{
		o: o, hashes: newHasher(o.HashKiB), attempts: newAttempts(o.Clock), codes: newCodeGuesses(o.Clock), here: newHere(o.Clock),
		holders:  &holders{read: o.Records.PasskeyUsers, clock: o.Clock},
		passkeys: passkeys.New(passkeys.Options{KeyID: o.KeyID, Key: o.Key, Keys: o.Keys, Clock: o.Clock}), signOuts: &signOuts{dir: o.Dir},
	}
	s.here.recall(s.signOuts.read())
	return s
}

// Attempt is what somebody typed.
type Attempt struct {
	Name, Password string
	Code           string // of the second factor, or a recovery code; "" where there is none
	Address        string // whence, as in http.Request.RemoteAddr

	Passkey string        // the answer of a passkey, in the place of password and code; "" where there is none
	Browser string        // what the browser holds for which the answer was asked
	At      passkeys.Page // where the browser has the page open
}

// Begun is a session that has begun.
type Begun struct {
	Cookie   string // for the browser; nowhere else
	Until    time.Time
	OnlyHere bool // no other node knows it: there was no majority
}

// wrong is the answer to whatever does not fit: it does not say what.
func wrong() error {
	return wire.Problemf(wire.KindUnauthenticated, "name, password or code is wrong").Because(why.SignInWrong)
}

// Begin verifies an attempt and begins a session. Where there is no majority, the session is one of
// this node only, and a recovery code is refused, because nobody could tell the district that it was
// used.
func (s *SignIn) Begin(ctx context.Context, a Attempt) (Begun, error) {
	u, c, begin, succeeded, err := s.proven(ctx, a)
	if err != nil {
		return Begun{}, err
	}
	out := Begun{Until: s.o.Clock().Add(Lasts)}
	cookie, hash := secret.New()
	out.Cookie = cookie
	begin.Session = signin.Session{Hash: hash, User: u.Name, Until: out.Until.UnixMilli()}
	if out.OnlyHere, err = s.agree(ctx, u, c, begin); err != nil {
		return Begun{}, err
	}
	succeeded()
	s.here.seen(hash)
	return out, nil
}

// proven verifies an attempt: who it is, and what of it is used up by the session that it begins.
func (s *SignIn) proven(ctx context.Context, a Attempt) (u storage.User, c signin.Credential, begin *command.BeginSession, succeeded func(), err error) {
	if a.Passkey != "" {
		var used *command.UsedPasskey
		u, c, used, succeeded, err = s.byPasskey(ctx, a)
		return u, c, &command.BeginSession{Was: c.Index, Passkey: used}, succeeded, err
	}
	if succeeded, err = s.attempts.begin(ctx, a.Address, a.Name); err != nil {
		return u, c, nil, nil, err
	}
	if u, c, err = s.verify(ctx, a.Name, a.Password); err != nil {
		return u, c, nil, nil, err
	}
	begin = &command.BeginSession{Was: c.Index}
	if !c.SecondFactor() {
		return u, c, begin, succeeded, nil
	}
	if err = s.secondFactor(u, c, a.Code, begin); err != nil {
		return u, c, nil, nil, err
	}
	return u, c, begin, succeeded, nil
}

// secondFactor verifies the code of who has typed the right password, and says in begin what of it is used up.
func (s *SignIn) secondFactor(u storage.User, c signin.Credential, code string, begin *command.BeginSession) error {
	if recovery := recoveryHash(code); holds(c.Recovery, recovery) { // nobody guesses it
		begin.Recovery = recovery
		return nil
	}
	if code = plainCode(code); len(c.TOTP) == 0 || len(code) != codeDigits {
		return wrong()
	}
	right, err := s.codes.begin(u.Name, c.Index)
	if err != nil {
		return err
	}
	if begin.Step = stepOf(c.TOTP, code, s.o.Clock(), max(c.LastStep, s.here.lastStep(u))); begin.Step == 0 {
		return wrong()
	}
	right()
	return nil
}

// agree has a session agreed on, or keeps it here where there is no majority.
func (s *SignIn) agree(ctx context.Context, u storage.User, c signin.Credential, begin *command.BeginSession) (onlyHere bool, err error) {
	short, cancel := context.WithTimeout(ctx, beginTime)
	defer cancel()
	_, err = s.o.Changer.Change(short, u.Name, begin)
	var p *wire.Problem
	switch {
	case err == nil:
		return false, nil
	case !errors.As(err, &p) && !errors.Is(err, context.DeadlineExceeded):
		return false, err
	case p != nil && p.Kind == wire.KindConflict, p != nil && p.Kind == wire.KindNotFound:
		return false, wrong() // the code was used, or the person changed, at this moment
	case p != nil && p.Why.Reason == why.RecordUnfit: // what others know forbids it, so that nothing is begun here alone
		if k := begin.Passkey; k != nil {
			return false, copied(c, k.ID)
		}
		return false, wrong()
	case p != nil && p.Kind != wire.KindNoQuorum && p.Kind != wire.KindBusy && p.Kind != wire.KindUnknownOutcome && p.Kind != wire.KindRefused:
		return false, err
	}
	if begin.Recovery != nil {
		return false, wire.Problemf(wire.KindNoQuorum, "a recovery code can be used only where a majority of the district's nodes can be reached; use the code of the second factor").Because(why.RecoveryAlone)
	}
	rights, err := signin.Rights(u, c)
	if err != nil {
		return false, err
	}
	begin.Session.Rights, begin.Session.BegunAt = rights, s.o.Clock().UnixMilli()
	return true, s.here.begin(u, begin.Session, begin)
}

// verify finds the person whose password it is. It takes as long for nobody.
func (s *SignIn) verify(ctx context.Context, name, password string) (storage.User, signin.Credential, error) {
	u, c, err := s.o.Records.Person(name)
	none := errors.Is(err, signin.ErrNone)
	if err != nil && !none {
		return u, c, err
	}
	against := c.Password
	if none {
		against = s.hashes.nobodys()
	}
	good, err := s.hashes.is(ctx, password, against)
	if err != nil {
		return u, c, err
	}
	if none || !good {
		return u, c, wrong()
	}
	return u, c, nil
}

// Who is a person whose session it is.
type Who struct {
	Caller   authority.Caller
	Until    time.Time
	OnlyHere bool
	Idle     bool // the password is needed again before something is sent

	hash []byte
}

// Find says who the cookie of a request is of. A *wire.Problem (unauthenticated) where its session
// lets nobody in: it ended, ran out, or the person's rights are others now.
func (s *SignIn) Find(cookie string) (Who, error) {
	hash := secret.Hash(cookie)
	now := s.o.Clock()
	session, u, ok, err := s.o.Records.Session(hash, now.UnixMilli())
	if err != nil {
		return Who{}, err
	}
	local := false
	if !ok {
		if session, local = s.here.find(hash); local {
			var c signin.Credential
			u, c, err = s.o.Records.Person(session.User)
			if err != nil && !errors.Is(err, signin.ErrNone) {
				return Who{}, err
			}
			ok = err == nil && session.Opens(u, c, now.UnixMilli())
		}
	}
	if !ok || s.here.ended(hash) {
		return Who{}, wire.Problemf(wire.KindUnauthenticated, "the session has ended; sign in again").Because(why.SessionEnded)
	}
	idle := s.here.idle(hash, time.UnixMilli(session.BegunAt))
	return Who{
		Caller: authority.Caller{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, System: u.System()},
		Until:  time.UnixMilli(session.Until), OnlyHere: local, Idle: idle, hash: hash,
	}, nil
}

// Seen notes that the person did something just now. What a page asks for by itself is none of that.
func (s *SignIn) Seen(w Who) {
	if !w.Idle {
		s.here.seen(w.hash)
	}
}

// Again verifies the password of who has a session and was idle.
func (s *SignIn) Again(ctx context.Context, w Who, password, address string) error {
	succeeded, err := s.attempts.begin(ctx, address, w.Caller.Name)
	if err != nil {
		return err
	}
	if _, _, err := s.verify(ctx, w.Caller.Name, password); err != nil {
		return err
	}
	succeeded()
	s.here.seen(w.hash)
	return nil
}

// End ends the session, at once on this node and, as soon as it is agreed on, on all.
func (s *SignIn) End(ctx context.Context, w Who) error {
	s.here.end(w.hash, w.Caller.Name)
	_, err := s.o.Changer.Change(ctx, w.Caller.Name, &command.EndSession{Hash: w.hash})
	if err == nil {
		s.here.told(string(w.hash))
		return nil
	}
	kept := s.signOuts.keep(s.here.unagreed)
	if w.OnlyHere { // it may be on record all the same, where the answer to its beginning was lost
		return kept
	}
	return errors.Join(onlyHere(err), kept)
}

// TellEnded has it agreed on that sessions ended which ended here while there was no majority. It is
// called again and again.
func (s *SignIn) TellEnded(ctx context.Context) error {
	ended := s.here.unagreed()
	for _, o := range ended {
		if _, err := s.o.Changer.Change(ctx, o.User, &command.EndSession{Hash: o.Hash}); err != nil {
			return err
		}
		s.here.told(string(o.Hash))
	}
	if len(ended) == 0 {
		return nil
	}
	return s.signOuts.keep(s.here.unagreed)
}

// EndAll ends all sessions of the person on all nodes, also those that only one node knows. It needs
// a majority.
func (s *SignIn) EndAll(ctx context.Context, w Who) error {
	_, err := s.o.Changer.Change(ctx, w.Caller.Name, &command.EndSessions{User: w.Caller.Name})
	return err
}
