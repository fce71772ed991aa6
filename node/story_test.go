package node_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// TestDistrict tells the stories of a healthy district of three nodes, one after the
// other. Each has places and devices of its own.
func TestDistrict(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	for _, story := range []struct {
		name string
		tell func(*district)
	}{
		{"warns its devices and knows who got it", warns},
		{"takes a message once", takesOnce},
		{"refuses a contradiction and says so in the audit", refusesContradictions},
		{"tells a selection from another", refusesOtherSelections},
		{"replaces by an update", replaces},
		{"stops by a cancel, also who was away", cancels},
		{"lets nothing come after a cancel", cancelWins},
		{"begins and ends on time", keepsTime},
		{"never broadcasts what is over", recordsLate},
		{"drills without alarming anybody", drills},
		{"tests without showing", tests},
		{"keeps drafts and system messages to itself", keepsInside},
		{"keeps private messages private", keepsPrivate},
		{"keeps restricted messages from the public", keepsRestricted},
		{"warns who comes later", warnsLatecomers},
		{"warns whom an import brings", warnsImported},
		{"reads geocodes, outlines and members without a position", readsAreas},
		{"refuses what it cannot read", refusesUnreadable},
		{"takes an area that holds nobody", takesEmptyArea},
		{"counts a receipt once", countsOnce},
		{"bears a device that tells of alerts nobody knows", bearsStrangers},
		{"shows the ladder of each member", showsLadder},
		{"tells readers live", tellsLive},
		{"lets a sender speak for itself only", keepsSendersApart},
		{"shows a change where it was asked for", showsChanges},
		{"forgets a token at once", forgetsTokens},
		{"drops a revoked device everywhere", dropsDevices},
		{"takes a join token once", takesTokenOnce},
		{"ends a drill without ending the real thing", tellsDrillsApart},
		{"lets the real thing follow a cancelled drill", followsDrills},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(d.in(t)) })
	}
	t.Run("is the same on every node", func(t *testing.T) { d.in(t).sameEverywhere() })
}

// sameEverywhere proves that the nodes agree: on the state at one index, and on an
// audit chain that nobody altered.
func (d *district) sameEverywhere() {
	d.t.Helper()
	d.eventually("equal state", func() bool {
		hashes := map[string]bool{}
		for _, i := range d.live() {
			s, err := d.nodes[i].Services().Status.Status(d.t.Context(), true)
			require.NoError(d.t, err)
			hashes[s.StateHash] = true
		}
		return len(hashes) == 1
	})
	d.eventually("equal audit", func() bool {
		heads := map[string]bool{}
		for _, i := range d.live() {
			_, report := d.audit(i)
			require.True(d.t, report.OK())
			heads[report.Head] = true
		}
		return len(heads) == 1
	})
}

func warns(d *district) {
	here, there := d.estate("warned"), d.estate("not-warned")
	addressed := append(d.enrol("screen", here.Block, 3), d.enrol("phone", here.Block, 3)...)
	fleet := d.fleet(append(addressed, d.enrol("screen", there.Block, 3)...)...)

	rain := warning("black-rain", polygon(here.Area))
	sent := d.post(d.follower(), rain, "", "committed")
	require.Equal(d.t, wire.StateInForce, sent.State)
	require.Equal(d.t, wire.ReplicationCommitted, sent.Replication)
	require.EqualValues(d.t, 6, sent.Addressed.Total)

	fleet.proven(revisionOf(sent), 6)
	d.everywhere(sent.Alert, "all receipts", func(a wire.Alert) bool {
		return a.Rungs.Presented == 6 && a.Rungs.Queued == 6 && a.Replication == wire.ReplicationCommitted
	})
	fleet.settle()
	require.Equal(d.t, []int{1, 1, 1, 1, 1, 1, 0, 0, 0}, fleet.starts(revisionOf(sent)))
	require.Equal(d.t, []string{"zh-HK", "en"}, languages(fleet, sent))

	raw, err := d.client(0).AlertMessage(d.ctx(), sent.Alert)
	require.NoError(d.t, err)
	require.Equal(d.t, string(rain.xml()), string(raw), "the original bytes")
}
