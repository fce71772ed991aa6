package fsm

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert/capxml"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

func scenario(id string) rights.Scenario {
	return rights.Scenario{ID: id, Title: "Flood", Alert: []byte("{}"), Lifetime: 60_000}
}

func TestAuthority_IsKeptWithTheIndexOfItsLastChange(t *testing.T) {
	s, r := newScript(t), newRig(t)
	require.Zero(t, must(r.read.Authority()).Version)
	r.one(s.add(&command.PutUser{User: storage.User{Name: "amy"}}))
	require.Zero(t, must(r.read.Authority()).Version)
	require.NoError(t, r.one(s.add(&command.PutScenario{Scenario: scenario("flood")})).Error())
	require.EqualValues(t, 2, must(r.read.Authority()).Version)
	at := epoch.UnixMilli() // the script's clock is minutes later
	l := rights.Licence{ID: "l1", Operator: "amy", Scenarios: []string{"flood", rights.AnyScenario}, Place: "tm", Until: at + rights.MaxLicence, GrantedBy: "forged"}
	require.NoError(t, r.one(s.add(&command.PutLicence{Licence: l})).Error())
	require.ErrorIs(t, r.one(s.add(&command.PutLicence{Licence: l})).Error(), command.ErrConflict, "also no other end for it")
	policy := rights.Policy{Rules: []rights.PolicyRule{{Severity: "Severe", Approvals: 1}}}
	require.NoError(t, r.one(s.add(&command.PutPolicy{Policy: policy})).Error())
	require.NoError(t, r.one(s.add(&command.RevokeLicence{ID: "l1"})).Error())
	require.NoError(t, r.one(s.add(&command.RemoveScenario{ID: "flood"})).Error())
	require.ErrorIs(t, r.one(s.add(&command.RemoveScenario{ID: "flood"})).Error(), command.ErrNotFound)

	a := must(r.read.Authority())
	require.EqualValues(t, 7, a.Version)
	require.Equal(t, policy, a.Policy)
	require.Empty(t, a.Scenarios)
	require.Len(t, a.Licences, 1)
	require.Equal(t, "amy", a.Licences[0].GrantedBy, "who proposed it")
	require.True(t, a.Licences[0].Revoked)

	again := newRig(t)
	again.all(s.logs)
	require.Equal(t, again.hash(), r.hash())
	r.reopen()
	require.Equal(t, a, must(r.read.Authority()))
}

func TestAuthority_LicencesThatCannotBe(t *testing.T) {
	s, r := newScript(t), newRig(t)
	r.one(s.add(&command.PutUser{User: storage.User{Name: "amy"}}))
	r.one(s.add(&command.PutUser{User: storage.User{Name: "gone"}}))
	r.one(s.add(&command.RevokeUser{Name: "gone"}))
	r.one(s.add(&command.PutScenario{Scenario: scenario("flood")}))
	now := epoch.UnixMilli()
	for name, c := range map[string]struct {
		change func(*rights.Licence)
		want   error
	}{
		"no such user":   {func(l *rights.Licence) { l.Operator = "bob" }, command.ErrNotFound},
		"revoked user":   {func(l *rights.Licence) { l.Operator = "gone" }, command.ErrNotFound},
		"no scenario":    {func(l *rights.Licence) { l.Scenarios = []string{"flood", "fire"} }, command.ErrNotFound},
		"past":           {func(l *rights.Licence) { l.Until = now }, command.ErrInvalid},
		"over 90 days":   {func(l *rights.Licence) { l.Until = now + rights.MaxLicence + 3_600_000 }, command.ErrInvalid},
		"one that works": {func(*rights.Licence) {}, nil},
	} {
		l := rights.Licence{ID: "l1", Operator: "amy", Scenarios: []string{"flood"}, Place: "tm", Until: now + 3_600_000}
		c.change(&l)
		if c.want == nil {
			require.NoError(t, r.one(s.add(&command.PutLicence{Licence: l})).Error(), name)
			require.NoError(t, r.one(s.add(&command.RevokeLicence{ID: "l1"})).Error())
			continue
		}
		l.ID = "l2"
		require.ErrorIs(t, r.one(s.add(&command.PutLicence{Licence: l})).Error(), c.want, name)
	}
	require.Len(t, must(r.read.Authority()).Licences, 1)
}

func (o *origin) approval(t *testing.T, of fact.Signed, digest, by string) fact.Signed {
	id := of.ID()
	body, err := factbody.Approval{Fact: id[:], Digest: digest, By: by, At: epoch.UnixMilli(), Expires: epoch.Add(time.Hour).UnixMilli()}.Encode()
	require.NoError(t, err)
	return o.sign(t, fact.KindApproval, fact.Alerts, body)
}

func TestApproval_IsFoldedInAnyOrderAndAfterARestart(t *testing.T) {
	a, b := newOrigin("node-a"), newOrigin("node-b")
	held := a.alert(t, "A1", func(i *factbody.Issue) { i.Approvals, i.Scenario, i.Policy = 1, "flood", 3 })
	msg, _, err := capxml.Parse(capMessage("A1", "Alert", "Rainstorm", ""))
	require.NoError(t, err)
	stamp := b.approval(t, held, msg.Digest().String(), "bob")
	for _, order := range [][]fact.Signed{{held, stamp}, {stamp, held}} {
		s, r := newScript(t), newRig(t)
		out := r.adopt(s, order[0])
		require.Equal(t, command.Adopted, out[0].Outcome)
		require.Empty(t, r.inForce(epoch.Add(time.Minute)))
		r.reopen()
		r.adopt(s, order[1])
		require.Len(t, r.inForce(epoch.Add(time.Minute)), 1)
		r.reopen()
		require.Len(t, r.inForce(epoch.Add(time.Minute)), 1)
		kept := must(r.read.KeptFacts(fact.KindApproval, 0, 0, 0))
		require.Len(t, kept, 1)
		require.Equal(t, kept, must(r.read.KeptBefore(fact.KindApproval, 0, 0, 9)))
		at, ok, err := r.read.AgreedAt(kept[0].Index)
		require.NoError(t, err)
		require.True(t, ok)
		lines := must(r.audit(1, lastLine(r).N, 1000))
		require.Equal(t, lines[slices.IndexFunc(lines, func(e audit.Entry) bool { return e.Index == kept[0].Index })].At, at.UnixMilli())
		_, ok, err = r.read.AgreedAt(kept[0].Index + 2)
		require.NoError(t, err)
		require.False(t, ok)
	}
	s, r := newScript(t), newRig(t)
	r.adopt(s, held)
	require.Contains(t, lastLine(r).Summary, "scenario flood, incident \"\", needs 1 approvals, policy 3")
	bad := b.sign(t, fact.KindApproval, fact.Alerts, []byte("?"))
	require.Equal(t, command.Adopted, r.adopt(s, stamp)[0].Outcome)
	require.Equal(t, command.Rejected, r.adopt(s, bad)[0].Outcome)
}
