package authority_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

func personalReport() wire.Report {
	at := func(s int) time.Time { return time.Date(2026, 7, 20, 12, 0, s, 0, time.UTC) }
	all := wire.Spread{Of: 12, Count: 11, First: at(1), Half: at(2), Ninety: at(3), Last: at(9), NodeClock: 1}
	few := wire.Spread{Of: 4, Count: 3, First: at(1), Half: at(2), Last: at(9)}
	return wire.Report{
		Alert: personal(), Begun: at(0), Reached: all, Stopped: &all, DarkTotal: 6, Answers: []wire.Count{{Name: "safe", Count: 7}, {Name: "I am Chan", Count: 1}},
		Curve:  []wire.CurvePoint{{At: at(1), Count: 1}, {At: at(2), Count: 6}, {At: at(3), Count: 9}, {At: at(9), Count: 11}},
		Kinds:  []wire.ReportKind{{Kind: "person", Reached: all}, {Kind: "phone", Reached: few}},
		Groups: []wire.ReportGroup{{Place: "a", Kind: "person", Reached: all}, {Place: "b", Kind: "person", Reached: few}},
		Events: []wire.ReportEvent{
			{At: at(0), What: wire.HappenedTaken, By: "amy", Reached: &few}, {At: at(1), What: wire.HappenedFirst}, {At: at(2), What: wire.HappenedHalf}, {At: at(9), What: wire.HappenedLast},
		},
		Slowest: []wire.ReportRow{{Member: "r-1", At: at(9)}}, Dark: []wire.ReportRow{{Member: "r-2"}},
	}
}

// A report tells who does not operate alerts as little of single persons as the alert itself.
func TestMinimalReport_TellsNothingOfSingleMembers(t *testing.T) {
	r := personalReport()
	authority.MinimalReport(authority.Caller{Roles: []string{authority.RoleViewer}}, &r)
	at := r.Begun.Add
	all := wire.Spread{Of: 10, Count: 10, Half: at(2 * time.Second), Ninety: at(3 * time.Second)}
	require.EqualValues(t, 5, r.RoundedTo)
	require.EqualValues(t, 5, r.Alert.RoundedTo)
	require.Equal(t, all, r.Reached)
	require.Equal(t, all, *r.Stopped)
	require.Equal(t, []wire.CurvePoint{{At: at(2 * time.Second), Count: 5}, {At: at(9 * time.Second), Count: 10}}, r.Curve)
	require.Empty(t, r.Slowest)
	require.Empty(t, r.Dark)
	require.EqualValues(t, 5, r.DarkTotal)
	require.Equal(t, []wire.Count{{Name: "safe", Count: 5}}, r.Answers)
	require.Equal(t, []wire.ReportGroup{{Place: "a", Kind: "person", Reached: all}}, r.Groups)
	require.Len(t, r.Kinds, 1)
	require.Equal(t, []wire.ReportEvent{
		{At: at(0), What: wire.HappenedTaken, By: "amy", Reached: &wire.Spread{}}, {At: at(2 * time.Second), What: wire.HappenedHalf},
	}, r.Events)
	require.EqualValues(t, 3, personalReport().Events[0].Reached.Count)

	for name, by := range map[string]authority.Caller{"an operator": {Roles: []string{authority.RoleComposer}}, "an administrator": {Roles: []string{authority.RoleAdministrator}}} {
		r := personalReport()
		authority.MinimalReport(by, &r)
		require.Equal(t, personalReport(), r, name)
	}
	public := personalReport()
	public.Alert.Personal = false
	r = public
	authority.MinimalReport(authority.Caller{Roles: []string{authority.RoleViewer}}, &r)
	require.Equal(t, public.Reached, r.Reached)
	require.NotEmpty(t, r.Dark)
}
