package authority_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/splits"
)

func personal() wire.Alert {
	rungs := wire.Rungs{Queued: 9, Sent: 7, Presented: 4, Acknowledged: 1}
	return wire.Alert{
		Personal: true, Select: "has care", Rungs: rungs, Joined: 2, Duplicates: []string{"x"},
		Addressed: wire.Counts{Total: 7, Removed: 1, ByKind: []wire.Count{{Name: "person", Count: 6}}, ByPlace: []wire.Count{{Name: "a", Count: 4}, {Name: "b", Count: 2}}},
		Messages:  []wire.Message{{Addressed: 7, Joined: 2, Rungs: &rungs}, {MsgType: "Cancel"}},
		ByGroup:   []wire.GroupRow{{Place: "a", Kind: "person", Rungs: wire.Rungs{Queued: 6, Presented: 3}}, {Place: "b", Kind: "person", Rungs: wire.Rungs{Queued: 3}}},
	}
}

// Whoever operates alerts sees every count as it is. Everybody else gets all counts of an alert
// that was addressed by what is known of persons rounded alike, so that no difference of two of
// them is exact.
func TestMinimalAlert_RoundsEveryCountOfWhatIsPersonal(t *testing.T) {
	for _, role := range authority.Roles() {
		by, a := authority.Caller{Roles: []string{role}}, personal()
		authority.MinimalAlert(by, &a)
		switch role {
		case authority.RoleViewer, authority.RoleAuditor, authority.RoleDeviceManager:
			rungs := wire.Rungs{Queued: 5, Sent: 5}
			require.Equal(t, wire.Alert{
				Personal: true, Select: "has care", RoundedTo: 5, Rungs: rungs, Duplicates: []string{},
				Addressed: wire.Counts{Total: 5, ByKind: []wire.Count{{Name: "person", Count: 5}}},
				Messages:  []wire.Message{{Addressed: 5, Rungs: &rungs}, {MsgType: "Cancel"}},
				ByGroup:   []wire.GroupRow{{Place: "a", Kind: "person", Rungs: wire.Rungs{Queued: 5}}},
			}, a, role)
		default:
			require.Equal(t, personal(), a, role)
		}
	}
	viewer := authority.Caller{Roles: []string{authority.RoleViewer}}
	public := personal()
	public.Personal, public.Select, public.Duplicates, public.PersonalDuplicates = false, "kind = person", []string{"x", "y"}, []string{"x"}
	a := public
	authority.MinimalAlert(viewer, &a)
	require.Equal(t, []string{"y"}, a.Duplicates, "that it is for some of those whom a tag chose would tell who they are")
	a.Duplicates = public.Duplicates
	require.Equal(t, public, a, "kinds, places and ids are known to everybody")
	named := personal()
	named.Select = "id = r-1 and has care"
	authority.MinimalAlert(viewer, &named)
	require.Empty(t, named.Select)
}

func TestMinimalEvent_LeavesTheOthersEventAsItIs(t *testing.T) {
	rungs := wire.Rungs{Queued: 9, Presented: 1}
	e := wire.Event{Personal: true, Rungs: &rungs}
	authority.MinimalEvent(authority.Caller{Roles: []string{authority.RoleViewer}}, &e)
	require.Equal(t, wire.Rungs{Queued: 5}, *e.Rungs)
	require.EqualValues(t, 5, e.RoundedTo)
	require.EqualValues(t, 9, rungs.Queued, "another reader may have it, too")
	e = wire.Event{Personal: true, Rungs: &rungs}
	authority.MinimalEvent(authority.Caller{Roles: []string{authority.RoleApprover}}, &e)
	require.EqualValues(t, 9, e.Rungs.Queued)
}

// That something was reported says where, by the alert that it belongs to.
func TestMinimalEvent_DoesNotTellWhoIsLimitedOfWhichAlertAReportIs(t *testing.T) {
	limited := authority.Caller{Roles: []string{authority.RoleComposer}, Places: []string{"d/one"}}
	for _, c := range []struct {
		by   authority.Caller
		e    wire.Event
		want string
	}{
		{limited, wire.Event{Type: reported.Event, Alert: "a"}, ""},
		{limited, wire.Event{Type: "receipts", Alert: "a"}, "a"},
		{authority.Caller{Roles: limited.Roles}, wire.Event{Type: reported.Event, Alert: "a"}, "a"},
	} {
		authority.MinimalEvent(c.by, &c.e)
		require.Equal(t, c.want, c.e.Alert)
	}
}

func TestMinimalSplit_RoundsTheSumToo(t *testing.T) {
	of := func() splits.Split {
		return splits.Split{LateReceipts: 13, Alerts: []splits.SplitAlert{
			{Personal: true, Addressed: 3, Receipts: 6, Told: []splits.SplitTold{{Node: "a", Devices: 2}}},
			{Addressed: 3, Receipts: 7, Told: []splits.SplitTold{{Node: "a", Devices: 2}}},
		}}
	}
	s := of()
	authority.MinimalSplit(authority.Caller{Roles: []string{authority.RoleViewer}}, &s)
	require.Equal(t, splits.Split{LateReceipts: 10, Alerts: []splits.SplitAlert{
		{Personal: true, RoundedTo: 5, Receipts: 5, Told: []splits.SplitTold{{Node: "a"}}},
		{Addressed: 3, Receipts: 7, Told: []splits.SplitTold{{Node: "a", Devices: 2}}},
	}}, s)
	s = of()
	authority.MinimalSplit(authority.Caller{Roles: []string{authority.RoleComposer}}, &s)
	require.Equal(t, of(), s)
}

// Who is asked for an approval is for those who operate alerts; that one is missing is for everybody.
func TestMinimalAlert_KeepsWhoIsAskedFromOthers(t *testing.T) {
	asked := &wire.Approvals{Needed: 2, MayApprove: []string{"ben"}, Next: "ben", NextUntil: time.Unix(9, 0), Missed: 1}
	for role, sees := range map[string]bool{authority.RoleViewer: false, authority.RoleDeviceManager: false, authority.RoleComposer: true, authority.RoleApprover: true} {
		out := wire.Alert{Approvals: asked, Messages: []wire.Message{{Approvals: asked}, {}}}
		authority.MinimalAlert(authority.Caller{Roles: []string{role}}, &out)
		for _, a := range []*wire.Approvals{out.Approvals, out.Messages[0].Approvals} {
			require.Equal(t, sees, a.MayApprove != nil || a.Next != "" || !a.NextUntil.IsZero() || a.Missed > 0, role)
			require.Equal(t, 2, a.Needed)
		}
	}
	require.Equal(t, "ben", asked.Next, "it may be shared with other readers")
}
