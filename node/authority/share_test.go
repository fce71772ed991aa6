package authority_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/node/authority"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/rights"
)

// Whoever manages one estate makes as many members and blocks there as they like: an alert to all the others stays one to
// the district, for which a second person is needed. One to a gate of each estate is none.
func TestAttack_OneEstateMakesTheDistrictNoSmaller(t *testing.T) {
	index, n := lookup.New(), uint32(0)
	put := func(format string, args ...any) {
		index.Put(n, &audience.Member{ID: fmt.Sprint("m", n), Kind: audience.KindScreen, Place: audience.Path(fmt.Sprintf(format, args...))})
		n++
	}
	for estate := range 10 {
		for block := range 4 {
			put("d/e%d/b%d", estate, block)
		}
	}
	rules := authority.New(authority.Sources{
		Agreed: func() (agreed.Authority, error) {
			return agreed.Authority{Policy: rights.Policy{Rules: []rights.PolicyRule{{District: true, Approvals: 1}}}}, nil
		},
		Users:    func() ([]storage.User, error) { return nil, nil },
		Audience: func() *lookup.Index { return index }, Alone: func() authority.Loneliness { return authority.Loneliness{} }, Clock: time.Now, Sender: func() string { return "almenara.d" },
		Recent: func(string, alert.Status, time.Time) []authority.Message { return nil },
	})
	asks := func(selection string) bool {
		limit, err := audience.Parse(selection)
		require.NoError(t, err)
		ruling, err := rules.Check(authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}, authority.Send, authority.About{
			Direct: true, Made: true,
			Message: authority.Message{
				Key: alert.Key{Sender: "almenara.d", Identifier: "x"}, MsgType: alert.MsgTypeAlert, Status: alert.StatusActual,
				Infos:   []alert.Info{{Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed"}},
				Targets: func() ([]audience.Target, error) { return []audience.Target{{Select: limit.String()}}, nil },
			},
		})
		require.NoError(t, err)
		return ruling.Approvals == 1
	}
	others := "not place under d/e0"
	require.True(t, asks(others))
	for block := range 400 {
		for range 5 {
			put("d/e0/made-up-%d", block)
		}
	}
	require.True(t, asks(others), "2000 members in 400 blocks of one estate make the others no smaller part")
	require.False(t, asks("place under d/e1 or place under d/e2 or place under d/e3"))
	gates := "place under d/e0/b0"
	for estate := range 9 {
		gates += fmt.Sprintf(" or place under d/e%d/b0", estate+1)
	}
	require.False(t, asks(gates), "a gate of each estate is not the district")
}
