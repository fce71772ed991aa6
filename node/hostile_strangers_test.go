package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// One device that told of 220,000 revisions of one alert took 200 MB for good.
func TestStrangers_BoundTheRevisionsOfOneAlert(t *testing.T) {
	var s strangers
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	const id = alert.ID("7qggodrwesnbuxamkutppyfgoa")
	for rev := range alert.Revision(strangersEach) {
		require.True(t, s.admit("lift-1", telling{id, rev}, now))
	}
	require.False(t, s.admit("lift-1", telling{id, 1000}, now))
	require.True(t, s.admit("lift-1", telling{id, 3}, now), "what was taken once")
	require.True(t, s.admit("lift-2", telling{id, 1000}, now), "of another device")
	require.True(t, s.admit("lift-1", telling{id, 1000}, now.Add(strangersEvery)))
}

func TestDesk_KnowsTheRevisionsThatItHasSeen(t *testing.T) {
	d := newDesk()
	a, _, err := alert.FromJSON([]byte(`{"info":[{"language":"en","category":["Met"],"event":"Rain","urgency":"Immediate",
		"severity":"Severe","certainty":"Observed","headline":"Rain","area":[{"areaDesc":"here"}]}]}`),
		"almenara.test", "one", time.Now().UTC())
	require.NoError(t, err)
	entry := alert.EntryOf(a, a.Digest().String(), time.Now(), "fact")
	d.add(&message{fact: "fact", alert: a, entry: entry})
	require.True(t, d.knows(telling{entry.Key.ID(), entry.Revision}))
	require.False(t, d.knows(telling{entry.Key.ID(), entry.Revision + 1}))
	require.False(t, d.knows(telling{"7qggodrwesnbuxamkutppyfgoa", entry.Revision}))
}
