package signin_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/secret"
	"almenara/node/signin"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

func TestBegin_ASessionOpensOnEveryNode(t *testing.T) {
	d, n := signedUp(t)
	begun, err := n.begin(t, "")
	require.NoError(t, err)
	require.False(t, begun.OnlyHere)
	require.True(t, n.opens(t, begun.Cookie))
	require.True(t, d.node().opens(t, begun.Cookie))
	require.False(t, n.opens(t, begun.Cookie+"x"))
	require.False(t, n.opens(t, ""))

	d.pass(signin.Lasts)
	require.False(t, n.opens(t, begun.Cookie))
}

// Whoever guesses must not learn what of it was right.
func TestBegin_SaysTheSameOfWhateverIsWrong(t *testing.T) {
	_, n := signedUp(t)
	said := map[string]bool{}
	for _, a := range []signin.Attempt{
		{Name: "amy", Password: "wrong horse battery", Address: "10.0.0.1:1"},
		{Name: "eve", Password: password, Address: "10.0.0.2:1"},
		{Name: "", Password: "", Address: "10.0.0.3:1"},
	} {
		_, err := n.Begin(t.Context(), a)
		said[refused(t, err, wire.KindUnauthenticated).Sentence] = true
	}
	require.Len(t, said, 1)
}

func TestFirst_WorksOnceWithATokenAlone(t *testing.T) {
	_, n := signedUp(t)
	_, err := n.First(t.Context(), "amy's token", "another horse battery", home)
	refused(t, err, wire.KindConflict)
	_, err = n.First(t.Context(), "eve's token", "another horse battery", home)
	refused(t, err, wire.KindUnauthenticated)
	_, err = n.begin(t, "")
	require.NoError(t, err, "the first password stayed")
}

func TestPassword_WhatIsNone(t *testing.T) {
	d := newDistrict(t)
	n := d.node()
	for _, bad := range []string{"", "too short", "aaaaaaaaaaaa", "two\nlines of text", string(make([]byte, 300))} {
		_, err := n.First(t.Context(), "amy's token", bad, home)
		refused(t, err, wire.KindRefused)
	}
	_, err := n.First(t.Context(), "amy's token", "密碼要有十個字才可以用", home)
	require.NoError(t, err)
}

func TestRevocation_HoldsAtOnceOnEveryNode(t *testing.T) {
	for name, revoke := range map[string]func(*district, *node, signin.Who) error{
		"signed out":            func(_ *district, n *node, w signin.Who) error { return n.End(t.Context(), w) },
		"signed out everywhere": func(_ *district, n *node, w signin.Who) error { return n.EndAll(t.Context(), w) },
		"password changed": func(_ *district, n *node, w signin.Who) error {
			return n.ChangePassword(t.Context(), w, password, "another horse battery", home)
		},
		"password set by somebody": func(_ *district, n *node, _ signin.Who) error {
			return n.SetPassword(t.Context(), authority.Caller{Name: "root"}, "amy", "another horse battery", false)
		},
		"roles changed": func(d *district, _ *node, _ signin.Who) error {
			u := amy()
			u.Roles = append(u.Roles, authority.RoleApprover)
			_, err := d.change("root", &command.PutUser{User: u})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, n := signedUp(t)
			other := d.node()
			begun, err := n.begin(t, "")
			require.NoError(t, err)
			who, err := n.Find(begun.Cookie)
			require.NoError(t, err)
			require.NoError(t, revoke(d, n, who))
			require.False(t, n.opens(t, begun.Cookie))
			require.False(t, other.opens(t, begun.Cookie))
		})
	}
}

// A node that is alone lets in whoever it let in before, and whoever can prove it, here only.
func TestAlone(t *testing.T) {
	d, n := signedUp(t)
	before, err := n.begin(t, "")
	require.NoError(t, err)
	lone, other := d.node(), d.node()
	lone.alone = true
	require.True(t, lone.opens(t, before.Cookie))

	begun, err := lone.begin(t, "")
	require.NoError(t, err)
	require.True(t, begun.OnlyHere)
	require.True(t, lone.opens(t, begun.Cookie))
	require.False(t, other.opens(t, begun.Cookie))
	who, err := lone.Find(begun.Cookie)
	require.NoError(t, err)
	require.True(t, who.OnlyHere)

	lone.alone = false
	require.NoError(t, other.EndAll(t.Context(), who))
	require.False(t, lone.opens(t, begun.Cookie), "what is agreed ends it, too")
	_, err = other.First(t.Context(), "amy's token", password, home)
	refused(t, err, wire.KindConflict)
}

func TestAlone_SigningOutHoldsHereAndIsToldLater(t *testing.T) {
	d, n := signedUp(t)
	begun, err := n.begin(t, "")
	require.NoError(t, err)
	who, err := n.Find(begun.Cookie)
	require.NoError(t, err)
	n.alone = true
	refused(t, n.End(t.Context(), who), wire.KindNoQuorum)
	require.False(t, n.opens(t, begun.Cookie))
	refused(t, n.TellEnded(t.Context()), wire.KindNoQuorum)
	other := d.node()
	require.True(t, other.opens(t, begun.Cookie), "nobody could tell")
	n.alone = false
	require.NoError(t, n.TellEnded(t.Context()))
	require.False(t, other.opens(t, begun.Cookie))
}

// A node that is started again while it is alone has not forgotten who signed out there, and tells the others.
func TestAttack_SigningOutAloneOutlivesAStart(t *testing.T) {
	d, elsewhere := signedUp(t)
	dir := t.TempDir()
	n := d.nodeIn(dir)
	var cookies []string
	for range 2 {
		begun, err := elsewhere.begin(t, "")
		require.NoError(t, err)
		cookies = append(cookies, begun.Cookie)
	}
	who, err := n.Find(cookies[0])
	require.NoError(t, err)
	n.alone = true
	require.Equal(t, why.SignedOutHere, refused(t, n.End(t.Context(), who), wire.KindNoQuorum).Why.Reason)

	n = d.nodeIn(dir)
	n.alone = true
	require.False(t, n.opens(t, cookies[0]))
	require.True(t, n.opens(t, cookies[1]), "of another browser")
	require.True(t, elsewhere.opens(t, cookies[0]), "nobody could tell")
	n = d.nodeIn(dir)
	require.NoError(t, n.TellEnded(t.Context()))
	require.False(t, elsewhere.opens(t, cookies[0]))
	require.True(t, elsewhere.opens(t, cookies[1]))

	n = d.nodeIn(dir)
	n.alone = true
	require.NoError(t, n.TellEnded(t.Context()), "it was told")
}

func TestSignOuts_OfADamagedFileAreNone(t *testing.T) {
	d, elsewhere := signedUp(t)
	begun, err := elsewhere.begin(t, "")
	require.NoError(t, err)
	for _, damaged := range []string{"", "{", `{"hash":1}`, `[{"hash":"?"}]`, "[null,{}]", `[{"hash":"AAAA","user":"amy","until":"2999-01-01T00:00:00Z"}]`} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "sign-outs.json"), []byte(damaged), 0o600))
		n := d.nodeIn(dir)
		require.True(t, n.opens(t, begun.Cookie), damaged)
		require.NoError(t, n.TellEnded(t.Context()))
	}
}

func withSecondFactor(t *testing.T, d *district, n *node) (key string, codes []string) {
	t.Helper()
	begun, err := n.begin(t, "")
	require.NoError(t, err)
	who, err := n.Find(begun.Cookie)
	require.NoError(t, err)
	factor := n.NewSecondFactor(who)
	require.Contains(t, factor.URI, "otpauth://totp/Almenara%20Tuen%20Mun:amy?secret="+factor.Secret)
	_, err = n.SetSecondFactor(t.Context(), who, factor.Secret, "000000", password, home)
	refused(t, err, wire.KindRefused)
	codes, err = n.SetSecondFactor(t.Context(), who, factor.Secret, signin.CodeAt(factor.Secret, d.clock()), password, home)
	require.NoError(t, err)
	require.Len(t, codes, 10)
	require.False(t, n.opens(t, begun.Cookie), "whoever was in without it is out")
	return factor.Secret, codes
}

func TestSecondFactor_EachCodeOpensOnce(t *testing.T) {
	d, n := signedUp(t)
	key, recovery := withSecondFactor(t, d, n)
	other := d.node()
	bad := func(n *node, code, why string) {
		t.Helper()
		_, err := n.begin(t, code)
		refused(t, err, wire.KindUnauthenticated)
	}
	good := func(n *node, code string) {
		t.Helper()
		_, err := n.begin(t, code)
		require.NoError(t, err)
	}
	bad(n, "", "none")
	bad(n, signin.CodeAt(key, d.clock()), "the one that was shown at the beginning")
	d.pass(30 * time.Second)
	good(n, " "+signin.CodeAt(key, d.clock())[:3]+" "+signin.CodeAt(key, d.clock())[3:])
	bad(other, signin.CodeAt(key, d.clock()), "used at another node")
	good(other, signin.CodeAt(key, d.clock().Add(30*time.Second))) // a telephone that is fast
	d.pass(5 * time.Minute)
	bad(n, signin.CodeAt(key, d.clock().Add(-90*time.Second)), "too old")

	good(n, recovery[3])
	bad(other, recovery[3], "used")
	good(other, recovery[4])

	d.pass(time.Hour)
	n.alone = true
	code := signin.CodeAt(key, d.clock())
	good(n, code)
	bad(n, code, "used here, where nobody agrees")
	_, err := n.begin(t, recovery[5])
	refused(t, err, wire.KindNoQuorum)
}

// Whoever has found out a password does not guess the code, from whatever addresses; the person still comes in by what
// nobody guesses, and by the code as soon as the password is another one.
func TestAttack_WhoKnowsThePasswordGuessesNoCode(t *testing.T) {
	d, n := signedUp(t)
	key, recovery := withSecondFactor(t, d, n)
	d.pass(time.Minute)
	try := func(from int, code string) error {
		_, err := n.Begin(t.Context(), signin.Attempt{Name: "amy", Password: password, Code: code, Address: fmt.Sprintf("10.1.0.%d:1", from)})
		return err
	}
	right := signin.CodeAt(key, d.clock())
	wrong := "000000"
	for _, around := range []time.Duration{-30, 0, 30} {
		if signin.CodeAt(key, d.clock().Add(around*time.Second)) == wrong {
			wrong = "111111"
		}
	}
	for i := range 5 {
		for j := range 4 { // so many are not slowed down
			refused(t, try(5*i+j, wrong), wire.KindUnauthenticated)
		}
		require.NoError(t, try(5*i+4, recovery[i]), "the person is let in by what nobody guesses")
	}
	require.Equal(t, why.SignInCodes, refused(t, try(31, right), wire.KindOverBudget).Why.Reason)
	refused(t, try(32, ""), wire.KindUnauthenticated)
	require.NoError(t, try(33, recovery[5]))
	require.NoError(t, n.SetPassword(t.Context(), authority.Caller{Name: "root"}, "amy", password, false))
	require.NoError(t, try(34, right), "with another password")
	for i := range 40 { // who is right has not guessed
		d.pass(30 * time.Second)
		require.NoError(t, try(40+i, signin.CodeAt(key, d.clock())))
	}
}

// Whoever administers can let in who lost both telephone and codes.
func TestSetPassword_TakesTheSecondFactorAway(t *testing.T) {
	d, n := signedUp(t)
	withSecondFactor(t, d, n)
	root := authority.Caller{Name: "root"}
	require.NoError(t, n.SetPassword(t.Context(), root, "amy", password, false))
	_, err := n.begin(t, "")
	refused(t, err, wire.KindUnauthenticated)
	require.NoError(t, n.SetPassword(t.Context(), root, "amy", password, true))
	_, err = n.begin(t, "")
	require.NoError(t, err)
	refused(t, n.SetPassword(t.Context(), root, "eve", password, false), wire.KindNotFound)
}

func TestIdle_NeedsThePasswordAgain(t *testing.T) {
	d, n := signedUp(t)
	begun, err := n.begin(t, "")
	require.NoError(t, err)
	idle := func(n *node) bool {
		who, err := n.Find(begun.Cookie)
		require.NoError(t, err)
		return who.Idle
	}
	for range 4 {
		d.pass(10 * time.Minute)
		require.False(t, idle(n))
		who, err := n.Find(begun.Cookie)
		require.NoError(t, err)
		n.Seen(who)
	}
	require.True(t, idle(d.node()), "another node knows nothing of what was done here")
	d.pass(signin.IdleFor + time.Second)
	require.True(t, idle(n))
	who, err := n.Find(begun.Cookie)
	require.NoError(t, err)
	n.Seen(who)
	require.True(t, idle(n), "a request alone proves nothing")
	refused(t, n.Again(t.Context(), who, "wrong horse battery", home), wire.KindUnauthenticated)
	require.True(t, idle(n))
	require.NoError(t, n.Again(t.Context(), who, password, home))
	require.False(t, idle(n))
}

func TestUser_OfTheSameNameHasNothingOfTheFormer(t *testing.T) {
	d, n := signedUp(t)
	u := amy()
	u.Revoked = true
	_, err := d.change("root", &command.PutUser{User: u})
	require.NoError(t, err)
	_, err = n.begin(t, "")
	refused(t, err, wire.KindUnauthenticated)
	next := amy()
	next.TokenHash = secret.Hash("the next amy's token")
	_, err = d.change("root", &command.PutUser{User: next})
	require.NoError(t, err)
	_, err = n.begin(t, "")
	refused(t, err, wire.KindUnauthenticated)
}
