package read_test

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
)

// What devices were given last decides, and it is worked out once for each change of that.
func TestContradictions_AreOfWhatDevicesWereGiven(t *testing.T) {
	l := newLibrary(t)
	item := func(id alert.ID, sender, response string, status alert.Status, members ...uint32) channels.Item {
		return channels.Item{
			Alert: id, Status: status, Parts: []channels.Part{{To: roaring.BitmapOf(members...)}},
			Message: &alert.Alert{Sender: sender, Infos: []alert.Info{{Event: "Fire", Categories: []string{"Fire"}, ResponseTypes: []string{response}, Severity: "Severe", Urgency: "Immediate"}}},
		}
	}
	found := func() int {
		out, err := l.Contradictions(t.Context())
		require.NoError(t, err)
		require.NotNil(t, out.Contradictions)
		require.Zero(t, out.More)
		return len(out.Contradictions)
	}
	require.Zero(t, found(), "nothing was given yet")
	leave, stay := item("leave", "city", "Evacuate", alert.StatusActual, 1, 2), item("stay", "ministry", "Shelter", alert.StatusActual, 2, 3)
	l.given = &channels.Situation{InForce: []channels.Item{leave, stay, item("drill", "city", "Shelter", alert.StatusExercise, 1, 2)}}
	require.Equal(t, 1, found(), "a drill contradicts nobody")
	out, err := l.Contradictions(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"leave", "stay", "response"}, []string{out.Contradictions[0].Says[0].Alert, out.Contradictions[0].Says[1].Alert, out.Contradictions[0].Why})
	l.given = &channels.Situation{InForce: []channels.Item{leave, item("stay", "ministry", "Shelter", alert.StatusActual, 3)}}
	require.Zero(t, found(), "they are for others now")
}
