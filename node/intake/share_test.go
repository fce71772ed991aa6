package intake

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/records"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

// TestPolicy_KnowsAShareOfTheDistrict addresses parts of a district of six members in three
// places.
func TestPolicy_KnowsAShareOfTheDistrict(t *testing.T) {
	t.Parallel()
	half, whole := rights.PolicyRule{Share: 50, Approvals: 1}, rights.PolicyRule{District: true, Approvals: 2}
	for name, c := range map[string]struct {
		places []string
		before []string // what the same author has just sent
		author string   // of that
		want   uint32
		says   string // of why
	}{
		"a third":                           {places: []string{here}},
		"two thirds":                        {places: []string{"d"}, want: 1, says: "it addresses 67 % of the district's members (4 members), and"},
		"everybody":                         {places: []string{"d", "e"}, want: 2, says: "it addresses 100 % of the district's members (6 members), and the policy asks for 2 approvals from 80 %"},
		"a third after a third":             {places: []string{here}, before: []string{there}, author: "duty", want: 1, says: "67 % of the district's members (4 members, of whom 2 by what its author sent in the 10 minutes before, which is added), and"},
		"a third after two thirds":          {places: []string{"e"}, before: []string{"d"}, author: "duty", want: 2, says: "100 % of the district's members (6 members, of whom 4 by"},
		"a third after another's":           {places: []string{"e"}, before: []string{"d"}, author: "amy"},
		"a third after the same of its own": {places: []string{here}, before: []string{here}, author: "duty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			court := newCourt(t, rights.Policy{Rules: []rights.PolicyRule{half, whole}})
			if c.author != "" {
				var infos []alert.Info
				for range c.before {
					infos = append(infos, block("Severe", "Immediate", "Observed"))
				}
				court.lay("before", saying("before", -1, infos...), factbody.Issue{Targets: to(t, c.before...), Author: c.author})
			}
			var infos []alert.Info
			for range c.places {
				infos = append(infos, block("Severe", "Immediate", "Observed"))
			}
			by := authority.Caller{Name: "duty", Roles: composer}
			r, err := court.rule(incoming{by: by, alert: saying("m", 0, infos...), direct: true}, to(t, c.places...))
			require.NoError(t, err)
			require.Equal(t, c.want, r.Approvals)
			switch {
			case c.want == 0:
				require.Nil(t, r.Demand)
			default:
				require.Contains(t, authority.DemandOut(r.Demand).Sentence, c.says)
				require.Equal(t, c.want, r.Demand.Rule.Approvals)
			}
			by.System = true
			r, err = court.rule(incoming{by: by, alert: saying("m", 0, infos...), direct: true}, to(t, c.places...))
			require.NoError(t, err)
			require.Zero(t, r.Approvals, "a system needs nobody")
		})
	}
}

// TestUser_FromBeforeThereWereKinds keeps an observatory warning through an upgrade.
func TestUser_FromBeforeThereWereKinds(t *testing.T) {
	require.True(t, storage.User{Senders: []string{"hko"}}.System(), "what it could do it still can")
	require.False(t, storage.User{}.System())
	require.False(t, storage.User{Kind: storage.UserPerson, Senders: []string{"hko"}}.System())
	require.True(t, storage.User{Kind: storage.UserSystem, Senders: []string{"hko"}}.System())

	court := newCourt(t, rights.Policy{})
	require.Empty(t, records.AssumedSystems(court.store))
	require.NoError(t, court.store.Update(func(txn *storage.Txn) error {
		return storage.Users.Put(txn, storage.User{Name: "old", Roles: composer, Senders: []string{"hko"}})
	}))
	require.Contains(t, records.AssumedSystems(court.store)[0].Text, "old may warn without a second person")
	require.Equal(t, "{Extreme  0 false  1}", rights.PolicyRule{Severity: "Extreme", Approvals: 1}.String(),
		"the audit is the same on software that knows no share")
}
