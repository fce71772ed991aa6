package approvals_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/alone"
	"almenara/node/authority"
	"almenara/node/spokencode"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/factbody"
	"almenara/storage/rights"
	"almenara/storage/signin"
)

// persons are those who can sign in, with the secrets of their second factors.
type persons map[string]signedUp

type signedUp struct {
	user   storage.User
	secret string
}

// Person implements approvals.Persons.
func (p persons) Person(name string) (storage.User, signin.Credential, error) {
	one, known := p[name]
	if !known {
		return storage.User{}, signin.Credential{}, signin.ErrNone
	}
	return one.user, signin.Credential{User: name, TOTP: []byte(one.secret)}, nil
}

func person(name, secret string, roles ...string) signedUp {
	return signedUp{storage.User{Name: name, Roles: roles}, secret}
}

var (
	amy = authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}} // wrote it
	ben = authority.Caller{Name: "ben", Roles: []string{authority.RoleComposer}} // on duty
	bob = authority.Caller{Name: "bob", Roles: []string{authority.RoleApprover}}
)

// newSpoken is a court with an alert that waits, and bob, who may approve it; it gives the alert's id.
func newSpoken(t *testing.T) (*court, string) {
	t.Helper()
	c := newCourt(t, rights.Policy{})
	c.persons["bob"] = person("bob", "12345678901234567890", authority.RoleApprover)
	c.persons["amy"] = person("amy", "amyamyamyamyamyamyam", authority.RoleApprover)
	c.persons["cat"] = person("cat", "catcatcatcatcatcatca", authority.RoleViewer)
	c.persons["dan"] = person("dan", "", authority.RoleApprover)
	held := saying("held", alert.Info{
		Event: "Fire", Severity: "Extreme", Urgency: "Immediate", Certainty: "Observed", Expires: alert.NewDateTime(noon.Add(time.Hour)),
	})
	c.lay(t, "held", held, factbody.Issue{Targets: to(t, here), Author: "amy", Approvals: 2})
	return c, string(held.Key().ID())
}

// codeOf is the code that a node which has the alert shows to somebody.
func (c *court) codeOf(t *testing.T, by authority.Caller, id string) string {
	t.Helper()
	out, err := c.SpokenCode(t.Context(), by, acts.AskCode{Alert: id, Digest: c.heldMessage().Entry.Digest})
	require.NoError(t, err)
	require.Equal(t, by.Name, out.For)
	require.True(t, out.Until.After(noon))
	return out.Code
}

func (c *court) typed(t *testing.T, by authority.Caller, id, name, code string) error {
	t.Helper()
	_, err := c.ApproveSpoken(t.Context(), by, id, acts.TypeApproval{For: name, Code: code, Reason: "by radio"}, wire.WaitLocal)
	return err
}

func refused(t *testing.T, err error, kind, says string) {
	t.Helper()
	var problem *wire.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, kind, problem.Kind, problem.Sentence)
	require.Contains(t, problem.Sentence, says)
}

// Bob reads out a code, and ben types it in at a node that is alone: the record says all of it.
func TestSpoken_ApprovesInTheNameOfWhoeverReadItOut(t *testing.T) {
	for name, code := range map[string]func(c *court, id string) string{
		"the alert is on bob's page": func(c *court, id string) string { return c.codeOf(t, bob, id) },
		"bob's node does not have it": func(c *court, _ string) string {
			out, err := c.SpokenCode(t.Context(), bob, acts.AskCode{Number: spokencode.Number(c.heldMessage().Entry.Digest)})
			require.NoError(t, err)
			return out.Code
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, id := newSpoken(t)
			c.isolate(alone.StaleAfter)
			digits := code(c, id)
			require.NoError(t, c.typed(t, ben, id, "bob", digits[:3]+" "+digits[3:]))
			require.Len(t, c.facts, 1)
			given, err := factbody.DecodeApproval(c.facts[0])
			require.NoError(t, err)
			require.Equal(t, []any{"bob", "ben", digits, "by radio", c.heldMessage().Entry.Digest}, []any{given.By, given.Typed, given.Code, given.Reason, given.Digest})
			require.EqualValues(t, factbody.TypedVersion, factbody.ApprovalVersion(c.facts[0]))
		})
	}
}

func TestSpoken_TheAuthorTypesItIn(t *testing.T) {
	c, id := newSpoken(t)
	require.NoError(t, c.typed(t, amy, id, "bob", c.codeOf(t, bob, id)), "somebody else still approved it")
}

// A code is good once, for one message, in one name, for some minutes.
func TestSpoken_IsGoodForNothingElse(t *testing.T) {
	const wrong = "this is no code of "
	for name, try := range map[string]func(c *court, id string) (kind, says string, err error){
		"used before": func(c *court, id string) (string, string, error) {
			code := c.codeOf(t, bob, id)
			c.approveBy("bob")
			return wire.KindConflict, "a code is good once", c.typed(t, ben, id, "bob", code)
		},
		"of another message": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, wrong, c.typed(t, ben, id, "bob", spokencode.OfDigest([]byte("12345678901234567890"), "bob", "other", noon).Digits)
		},
		"in another name": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, wrong, c.typed(t, ben, id, "cat", c.codeOf(t, bob, id))
		},
		"too old": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, wrong, c.typed(t, ben, id, "bob", spokencode.OfDigest([]byte("12345678901234567890"), "bob", c.heldMessage().Entry.Digest, noon.Add(-20*time.Minute)).Digits)
		},
		"made up": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, wrong, c.typed(t, ben, id, "bob", "000000")
		},
		"of nobody": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, wrong, c.typed(t, ben, id, "eve", "000000")
		},
		"nothing": func(c *court, id string) (string, string, error) {
			return wire.KindMalformed, "six digits are needed", c.typed(t, ben, id, "bob", " ")
		},
		"without an own secret": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, wrong, c.typed(t, ben, id, "dan", spokencode.OfDigest(nil, "dan", c.heldMessage().Entry.Digest, noon).Digits)
		},
		"of the author": func(c *court, id string) (string, string, error) {
			return wire.KindForbidden, "somebody else must approve", c.typed(t, ben, id, "amy", spokencode.OfDigest([]byte("amyamyamyamyamyamyam"), "amy", c.heldMessage().Entry.Digest, noon).Digits)
		},
		"of a viewer": func(c *court, id string) (string, string, error) {
			return wire.KindForbidden, "cat does not have", c.typed(t, ben, id, "cat", spokencode.OfDigest([]byte("catcatcatcatcatcatca"), "cat", c.heldMessage().Entry.Digest, noon).Digits)
		},
		"one's own": func(c *court, id string) (string, string, error) {
			return wire.KindRefused, "no code of their own", c.typed(t, bob, id, "bob", c.codeOf(t, bob, id))
		},
		"typed by a viewer": func(c *court, id string) (string, string, error) {
			return wire.KindForbidden, "eve does not have", c.typed(t, authority.Caller{Name: "eve", Roles: []string{authority.RoleViewer}}, id, "bob", c.codeOf(t, bob, id))
		},
		"typed by a system": func(c *court, id string) (string, string, error) {
			return wire.KindForbidden, "only a person", c.typed(t, authority.Caller{Name: "hko", System: true, Roles: []string{authority.RoleComposer}}, id, "bob", c.codeOf(t, bob, id))
		},
		"by an old policy": func(c *court, id string) (string, string, error) {
			code := c.codeOf(t, bob, id)
			c.isolate(alone.StaleAfter + 1)
			return wire.KindRefused, "older than 72 hours", c.typed(t, ben, id, "bob", code)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, id := newSpoken(t)
			kind, says, err := try(c, id)
			refused(t, err, kind, says)
			require.Empty(t, c.facts)
		})
	}
}

// After five wrong codes the right one is not heard either.
func TestSpoken_GuessesAreBounded(t *testing.T) {
	c, id := newSpoken(t)
	code := c.codeOf(t, bob, id)
	for range 5 {
		refused(t, c.typed(t, ben, id, "bob", "000000"), wire.KindRefused, "no code of bob")
	}
	refused(t, c.typed(t, ben, id, "bob", code), wire.KindOverBudget, "too many wrong codes")
	refused(t, c.typed(t, amy, id, "bob", code), wire.KindOverBudget, "too many wrong codes")
	require.Empty(t, c.facts)
}

func TestSpokenCode_IsForWhoMayApprove(t *testing.T) {
	c, id := newSpoken(t)
	for what, try := range map[string]struct {
		by         authority.Caller
		in         acts.AskCode
		kind, says string
	}{
		"a viewer":                 {authority.Caller{Name: "cat", Roles: []string{authority.RoleViewer}}, acts.AskCode{Alert: id}, wire.KindForbidden, "cat does not have"},
		"the author":               {authority.Caller{Name: "amy", Roles: []string{authority.RoleApprover}}, acts.AskCode{Alert: id}, wire.KindForbidden, "somebody else must approve"},
		"a system":                 {authority.Caller{Name: "hko", System: true, Roles: []string{authority.RoleApprover}}, acts.AskCode{Number: "12345678"}, wire.KindForbidden, "only a person"},
		"of another place":         {authority.Caller{Name: "bob", Roles: bob.Roles, Places: []string{there}}, acts.AskCode{Alert: id}, wire.KindForbidden, "outside d/there"},
		"another digest":           {bob, acts.AskCode{Alert: id, Digest: "x"}, wire.KindConflict, "read it again"},
		"both":                     {bob, acts.AskCode{Alert: id, Number: "12345678"}, wire.KindMalformed, "for one of both"},
		"neither":                  {bob, acts.AskCode{}, wire.KindMalformed, "for one of both"},
		"a short number":           {bob, acts.AskCode{Number: "1234 567"}, wire.KindMalformed, "eight digits"},
		"without a second factor":  {authority.Caller{Name: "dan", Roles: bob.Roles}, acts.AskCode{Alert: id}, wire.KindRefused, "dan has no second factor"},
		"who never had a password": {authority.Caller{Name: "new", Roles: bob.Roles}, acts.AskCode{Number: "12345678"}, wire.KindRefused, "new has no second factor"},
	} {
		_, err := c.SpokenCode(t.Context(), try.by, try.in)
		refused(t, err, try.kind, try.says)
		require.Empty(t, c.facts, what)
	}
}

// Software that does not know who typed it in would pass over that.
func TestSpoken_WaitsUntilAllUnderstandIt(t *testing.T) {
	c, id := newSpoken(t)
	c.old = errors.New("one node is old")
	require.ErrorIs(t, c.typed(t, ben, id, "bob", c.codeOf(t, bob, id)), c.old)
	require.Empty(t, c.facts)
	require.Equal(t, []uint64{factbody.TypedVersion}, c.asked)
}

func TestApproval_TakesNoReasonWithoutEnd(t *testing.T) {
	c, id := newSpoken(t)
	_, err := c.ApproveAlert(context.Background(), bob, id, wire.Approve{Reason: string(make([]rune, 501))}, wire.WaitLocal)
	refused(t, err, wire.KindMalformed, "at most 500 characters")
	require.Empty(t, c.facts)
}
