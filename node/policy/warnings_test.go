package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/policy"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	"almenara/node/wire/caution"
	"almenara/storage/audience"
)

var own = policy.Own{Sender: func() string { return "almenara.d" }, Place: func() string { return "d" }}

// What would be found out in the night, when it is sent, is said when it is checked.
func TestPutScenario_WarnsOfNobody(t *testing.T) {
	log := recordstest.New(t, clock)
	s := policy.NewScenarios(log.State, log, own, clock)
	unsigned := 0
	warned := func(change func(*wire.Scenario)) []string {
		t.Helper()
		in := wire.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form), Minutes: 60, Select: "place under d/b1 and kind = screen"}
		if change != nil {
			change(&in)
		}
		out, err := s.PutScenario(t.Context(), chief, in, true)
		require.NoError(t, err)
		unsigned = 0
		for _, w := range out.Words {
			if w.Rule == caution.WordSource {
				unsigned++
			}
		}
		return out.Warnings.Texts()
	}
	_, err := log.Propose(t.Context(), "chief", &command.PutPlaces{Places: []audience.Place{{Path: "d"}, {Path: "d/b1"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"it selects nobody now, and is refused when it is sent so", "no member fits place under d/b1", "no member fits kind = screen"}, warned(nil))
	require.Equal(t, 1, unsigned, "people would read almenara.d")
	require.Equal(t, []string{"it selects nobody now, and is refused when it is sent so", "d/b2 is no place of the district: a place is its whole path, district first"},
		warned(func(s *wire.Scenario) { s.Select = "place = d/b2" }))
	_, err = log.Propose(t.Context(), "chief", &command.PutPlaces{Places: []audience.Place{{Path: "d", Names: []audience.Text{{Language: "en", Text: "The district"}}}}})
	require.NoError(t, err)
	lift := audience.Member{ID: "lift", Kind: audience.KindScreen, Place: "d/b1"}
	_, err = log.Propose(t.Context(), "chief", &command.PutMembers{Members: [][]byte{audience.EncodeMember(&lift)}})
	require.NoError(t, err)
	require.Empty(t, warned(nil), "somebody is there")
	require.Zero(t, unsigned, "the district's name is written into it")
}
