package apply_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/signin"
)

func sum(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

// people applies commands one after another at growing indexes.
type people struct {
	t     *testing.T
	to    *apply.Transaction
	index uint64
}

func (p *people) apply(payload command.Payload) command.Result {
	p.t.Helper()
	p.index++
	raw, err := p.to.Apply(p.index, command.Command{Actor: "amy", At: 1000 + int64(p.index), Version: command.Max(), Payload: payload})
	return result(p.t, raw, err)
}

func (p *people) must(payload command.Payload) uint64 {
	p.t.Helper()
	require.Equal(p.t, command.KindNone, p.apply(payload).Kind)
	return p.index
}

func (p *people) opens(cookie string) bool {
	p.t.Helper()
	_, _, ok, err := signin.Find(p.to.Txn, sum(cookie), 2000)
	require.NoError(p.t, err)
	return ok
}

func session(cookie string) signin.Session {
	return signin.Session{Hash: sum(cookie), User: "amy", Until: 5000}
}

var amy = storage.User{Name: "amy", Roles: []string{"composer"}, TokenHash: sum("token")}

// signedUp is amy with a password, and a second factor where totp says so.
func signedUp(t *testing.T, totp string) (*people, uint64) {
	p := &people{t: t, to: begun(t)}
	p.must(&command.PutUser{User: amy})
	c := signin.Credential{User: "amy", Token: amy.TokenHash, Password: "$argon2id$x"}
	if totp != "" {
		c.TOTP, c.Recovery = []byte(totp), [][]byte{sum("code 1"), sum("code 2")}
	}
	return p, p.must(&command.PutCredential{Credential: c})
}

// Whatever changes of a person's rights ends the sessions that were begun with them.
func TestSessions_EndWithWhatTheyWereBegunWith(t *testing.T) {
	for name, change := range map[string]func(p *people, was uint64){
		"other roles": func(p *people, _ uint64) {
			other := amy
			other.Roles = []string{"composer", "approver"}
			p.must(&command.PutUser{User: other})
		},
		"changed rights": func(p *people, _ uint64) {
			other := amy
			other.Places = []string{"tuen-mun"}
			p.must(&command.PutUser{User: other, Change: true})
		},
		"revoked": func(p *people, _ uint64) {
			p.must(&command.PutUser{User: storage.User{Name: "root", Roles: []string{"administrator"}}})
			p.must(&command.RevokeUser{Name: "amy"})
		},
		"revoked, and another of the name": func(p *people, _ uint64) {
			p.must(&command.RevokeUser{Name: "amy"})
			other := amy
			other.TokenHash = sum("another token")
			p.must(&command.PutUser{User: other})
		},
		"another password": func(p *people, was uint64) {
			p.must(&command.PutCredential{Credential: signin.Credential{User: "amy", Token: amy.TokenHash, Password: "$argon2id$y"}, Was: was})
		},
		"signed out everywhere": func(p *people, _ uint64) { p.must(&command.EndSessions{User: "amy"}) },
		"signed out":            func(p *people, _ uint64) { p.must(&command.EndSession{Hash: sum("cookie")}) },
	} {
		t.Run(name, func(t *testing.T) {
			p, was := signedUp(t, "")
			p.must(&command.BeginSession{Session: session("cookie"), Was: was})
			require.True(t, p.opens("cookie"))
			require.False(t, p.opens("another"))
			change(p, was)
			require.False(t, p.opens("cookie"))
		})
	}
}

func TestSessions_RunOut(t *testing.T) {
	p, was := signedUp(t, "")
	p.must(&command.BeginSession{Session: session("cookie"), Was: was})
	_, _, ok, err := signin.Find(p.to.Txn, sum("cookie"), 5000)
	require.NoError(t, err)
	require.False(t, ok)
	forever := session("forever")
	forever.Until = 1000 + 2*signin.MaxSession
	require.Equal(t, command.KindInvalid, p.apply(&command.BeginSession{Session: forever, Was: was}).Kind)
}

// A code that somebody looked at over a shoulder opens nothing a second time, on any node.
func TestBeginSession_UsesACodeOnce(t *testing.T) {
	p, was := signedUp(t, "secret")
	begin := func(cookie string, step uint64, recovery string) command.Kind {
		c := &command.BeginSession{Session: session(cookie), Was: was, Step: step}
		if recovery != "" {
			c.Recovery = sum(recovery)
		}
		return p.apply(c).Kind
	}
	require.Equal(t, command.KindConflict, begin("none", 0, ""), "the second factor is missing")
	require.Equal(t, command.KindNone, begin("a", 7, ""))
	require.Equal(t, command.KindConflict, begin("b", 7, ""))
	require.Equal(t, command.KindConflict, begin("c", 6, ""), "one before it")
	require.Equal(t, command.KindNone, begin("d", 8, ""))
	require.Equal(t, command.KindNone, begin("e", 0, "code 1"))
	require.Equal(t, command.KindConflict, begin("f", 0, "code 1"))
	require.Equal(t, command.KindNone, begin("g", 0, "code 2"))
	require.True(t, p.opens("a"), "using a code ends no other session")

	changed := p.must(&command.PutCredential{Credential: signin.Credential{
		User: "amy", Token: amy.TokenHash, Password: "$argon2id$y", TOTP: []byte("secret"), Recovery: [][]byte{sum("code 1")},
	}, Was: was})
	require.Equal(t, command.KindConflict, begin("h", 9, ""), "the password was changed since it was verified")
	was = changed
	require.Equal(t, command.KindConflict, begin("i", 8, ""), "a code that was used stays used")
	require.Equal(t, command.KindConflict, begin("j", 0, "code 1"))
}

// An answer of a passkey opens once, on whatever node: only one to what was asked later opens again, and one that
// counts backwards opens nothing. What others say of a key keeps what was used.
func TestBeginSession_UsesAnAnswerOfAPasskeyOnce(t *testing.T) {
	p, was := signedUp(t, "")
	amys := signin.Credential{User: "amy", Token: amy.TokenHash, Password: "$argon2id$y", Passkeys: []signin.Passkey{{ID: []byte("k1"), Key: []byte("k"), Host: "h", Name: "telephone", AddedAt: 1}}}
	was = p.must(&command.PutCredential{Credential: amys, Was: was})
	begin := func(cookie, id string, asked int64, count uint32) command.Kind {
		return p.apply(&command.BeginSession{Session: session(cookie), Was: was, Passkey: &command.UsedPasskey{ID: []byte(id), Asked: asked, Count: count}}).Kind
	}
	require.Equal(t, command.KindConflict, p.apply(&command.BeginSession{Session: session("none"), Was: was}).Kind, "the password alone")
	require.Equal(t, command.KindNotFound, begin("x", "k2", 100, 1), "another key")
	require.Equal(t, command.KindNone, begin("a", "k1", 100, 5))
	require.Equal(t, command.KindConflict, begin("b", "k1", 100, 6), "used before")
	require.Equal(t, command.KindConflict, begin("c", "k1", 99, 6), "asked for before that")
	require.Equal(t, command.KindInvalid, begin("d", "k1", 101, 5), "a copy counts as the key did")
	require.Equal(t, command.KindNone, begin("e", "k1", 101, 6))
	require.True(t, p.opens("a"), "using a key ends no other session")

	amys.Password, amys.Passkeys = "$argon2id$z", append(amys.Passkeys, signin.Passkey{ID: []byte("k3"), Key: []byte("k"), Host: "h", Name: "laptop", AddedAt: 2})
	changed := p.must(&command.PutCredential{Credential: amys, Was: was})
	require.Equal(t, command.KindConflict, begin("f", "k1", 102, 7), "what it was verified against has changed")
	was = changed
	require.Equal(t, command.KindConflict, begin("g", "k1", 101, 7), "what was used stays used")
	require.Equal(t, command.KindNone, begin("h", "k3", 1, 0))
	require.Equal(t, command.KindConflict, begin("i", "k3", 1, 0), "a key that does not count opens once, too")
}

func TestPutCredential_IsRefused(t *testing.T) {
	p, was := signedUp(t, "")
	p.must(&command.PutUser{User: storage.User{Name: "hko", Roles: []string{"composer"}, Senders: []string{"hko@x"}, Kind: storage.UserSystem, TokenHash: sum("hko")}})
	good := signin.Credential{User: "amy", Token: amy.TokenHash, Password: "$argon2id$y"}
	for name, c := range map[string]struct {
		credential signin.Credential
		was        uint64
		want       command.Kind
	}{
		"changed meanwhile":   {good, was + 1, command.KindConflict},
		"as if there were no": {good, 0, command.KindConflict},
		"nobody":              {signin.Credential{User: "eve", Token: sum("t"), Password: "x"}, 0, command.KindNotFound},
		"of a former user":    {signin.Credential{User: "amy", Token: sum("former"), Password: "x"}, was, command.KindNotFound},
		"a central system":    {signin.Credential{User: "hko", Token: sum("hko"), Password: "x"}, 0, command.KindInvalid},
	} {
		require.Equal(t, c.want, p.apply(&command.PutCredential{Credential: c.credential, Was: c.was}).Kind, name)
	}
	p.must(&command.PutCredential{Credential: good, Was: was})
}

func TestBeginSession_EndsTheOldestOfTooManyAndForgetsWhatIsLongOver(t *testing.T) {
	p, was := signedUp(t, "")
	for i := range signin.MaxSessions + 1 {
		p.must(&command.BeginSession{Session: session(string(rune('a' + i))), Was: was})
	}
	require.False(t, p.opens("a"))
	require.True(t, p.opens("b"))
	late := signin.Session{Hash: sum("late"), User: "amy", Until: 5000 + 2*signin.MaxSession}
	raw, err := p.to.Apply(p.index+1, command.Command{Actor: "amy", At: 5000 + signin.MaxSession + 1, Version: command.Max(), Payload: &command.BeginSession{Session: late, Was: was}})
	require.Equal(t, command.KindNone, result(t, raw, err).Kind)
	all, err := signin.Sessions.All(p.to.Txn)
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// What a user may do changes, and nothing else: neither who exists, nor the password, nor that somebody may
// add users.
func TestChangeUser_LeavesTheRestAndAnAdministrator(t *testing.T) {
	p := &people{t: t, to: begun(t)}
	before := amy
	before.PasswordHash = "$argon2id$old"
	p.must(&command.PutUser{User: before})
	root := storage.User{Name: "root", Roles: []string{"administrator"}, TokenHash: sum("root")}
	p.must(&command.PutUser{User: root})
	change := func(u storage.User) command.Kind { return p.apply(&command.PutUser{User: u, Change: true}).Kind }

	p.must(&command.PutUser{User: storage.User{Name: "amy", Roles: []string{"viewer"}, Places: []string{"tuen-mun"}, TokenHash: amy.TokenHash, PasswordHash: "$argon2id$other"}, Change: true})
	now, known, err := storage.Users.Get(p.to.Txn, "amy")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, storage.User{Name: "amy", Roles: []string{"viewer"}, Places: []string{"tuen-mun"}, TokenHash: amy.TokenHash, PasswordHash: "$argon2id$old"}, now)

	require.Equal(t, command.KindNotFound, change(storage.User{Name: "nobody", TokenHash: sum("x")}))
	require.Equal(t, command.KindConflict, change(storage.User{Name: "amy", Roles: []string{"viewer"}, TokenHash: sum("an older token")}))
	demoted := root
	demoted.Roles = []string{"viewer"}
	require.Equal(t, command.KindConflict, change(demoted), "nobody could ever be added again")
	second := amy
	second.Roles = []string{"administrator"}
	p.must(&command.PutUser{User: second, Change: true})
	p.must(&command.PutUser{User: demoted, Change: true})
	require.Equal(t, command.KindConflict, change(amy), "it is the last one now")
	p.must(&command.RevokeUser{Name: "root"})
	require.Equal(t, command.KindNotFound, change(root))
}
