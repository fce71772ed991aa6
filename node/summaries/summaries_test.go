package summaries_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/summaries"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/factlog"
)

// What is remembered holds as long as its stamp does.
func TestMemory_HoldsWhileNothingChanges(t *testing.T) {
	var m summaries.Memory
	now := []factlog.Place{{Index: 7}, {Index: 1}}
	stamp := func([]alert.ID) ([]factlog.Place, error) { return now, nil }
	_, _, known := m.Get("rain", stamp)
	require.False(t, known)
	m.Put(&summaries.Summary{ID: "rain", IDs: []alert.ID{"rain", "old"}, Stamp: []factlog.Place{{Index: 7}, {Index: 1}}, Out: wire.Alert{ID: "rain"}})
	out, ids, known := m.Get("rain", stamp)
	require.True(t, known)
	require.Equal(t, "rain", out.ID)
	require.Equal(t, []alert.ID{"rain", "old"}, ids)
	now = []factlog.Place{{Index: 7}, {Index: 2}} // the audience is another
	_, _, known = m.Get("rain", stamp)
	require.False(t, known)
}
