package authority_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/rights"
)

// Where levels are named, a person sends nothing directly that is planned. What is urgent, a drill, what a
// central system sends, and what every level has passed go on as ever.
func TestCheck_PlannedNoticesGoThroughLevels(t *testing.T) {
	chain := &rights.Chain{Levels: []rights.Level{{Role: authority.RoleApprover, Count: 1}}}
	amy := authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}
	system := authority.Caller{Name: "hko", Roles: []string{authority.RoleComposer}, System: true}
	for name, c := range map[string]struct {
		policy, scenario *rights.Chain
		by               authority.Caller
		status           alert.Status
		urgency          []string
		passed           bool
		action           authority.Action
		refused          bool
	}{
		"planned":                   {policy: chain, urgency: []string{"Future", "Past"}, refused: true},
		"planned by a scenario":     {scenario: chain, urgency: []string{"Future"}, refused: true},
		"no levels":                 {urgency: []string{"Future"}},
		"expected":                  {policy: chain, urgency: []string{"Expected"}},
		"unknown":                   {policy: chain, urgency: []string{"Unknown"}},
		"urgent in one text":        {policy: chain, urgency: []string{"Future", "Immediate"}},
		"a drill":                   {policy: chain, urgency: []string{"Future"}, status: alert.StatusExercise},
		"of a system":               {policy: chain, urgency: []string{"Future"}, by: system},
		"passed":                    {policy: chain, scenario: chain, urgency: []string{"Future"}, passed: true},
		"an Update of what is sent": {policy: chain, urgency: []string{"Future"}, action: authority.Update},
	} {
		rules := authority.New(authority.Sources{
			Agreed:   func() (agreed.Authority, error) { return agreed.Authority{Policy: rights.Policy{Chain: c.policy}}, nil },
			Users:    func() ([]storage.User, error) { return nil, nil },
			Audience: lookup.New, Alone: func() authority.Loneliness { return authority.Loneliness{} }, Clock: time.Now, Sender: func() string { return "almenara.d" },
		})
		var infos []alert.Info
		for _, u := range c.urgency {
			infos = append(infos, alert.Info{Urgency: u, Severity: "Minor", Certainty: "Likely"})
		}
		by, status, action := c.by, c.status, c.action
		if by.Name == "" {
			by = amy
		}
		if status == "" {
			status = alert.StatusActual
		}
		if action == "" {
			action = authority.Send
		}
		_, err := rules.Check(by, action, authority.About{
			Direct: true, Made: true, Passed: c.passed, Scenario: rights.Scenario{Chain: c.scenario},
			Message: authority.Message{Key: alert.Key{Sender: "almenara.d", Identifier: "x"}, MsgType: alert.MsgTypeAlert, Status: status, Infos: infos, Targets: func() ([]audience.Target, error) { return nil, nil }},
		})
		if !c.refused {
			require.NoError(t, err, name)
			continue
		}
		var p *wire.Problem
		require.ErrorAs(t, err, &p, name)
		require.Equal(t, wire.KindRefused, p.Kind)
		require.Contains(t, p.Sentence, "write it as a notice")
	}
}
