package channels

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// A device that is away when an emergency is cancelled learns it from a manifest, or
// shows it until it expires: drills must not take the place of that.
func TestManifest_DrillsDoNotHideTheEndOfAnEmergency(t *testing.T) {
	b := newBench(t)
	s := Situation{
		InForce: []Item{item("fire", alert.StatusActual, nil, info("en", "Severe", time.Hour))},
		Ended:   []contract.Ended{{ID: "flood", Revision: 7, At: noon.Add(-time.Minute), Why: "cancelled", Expires: noon.Add(time.Hour)}},
	}
	for i := range 1000 {
		s.InForce = append(s.InForce, item(fmt.Sprintf("drill-%04d", i), alert.StatusExercise, nil, info("en", "Severe", time.Hour)))
	}
	require.NoError(t, b.Set(s))
	m := b.manifest(t, b.out.last(t))
	require.Len(t, m.Ended, 1)
	require.Equal(t, "flood", m.Ended[0].ID)
	require.Equal(t, string(s.InForce[0].Alert), m.InForce[0].ID, "the loudest stays")
	require.Greater(t, len(m.InForce), 100)
}
