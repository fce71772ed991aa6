package past

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

// What a device may show by it is held in channels/device, and in the contract's vectors.

// A device without a memory, as a thousand simulated ones, keeps no body a second time.
func TestPast_KeepsNothingWhereNothingOutlivesAPowerCut(t *testing.T) {
	p := New(nil, time.Time{})
	p.Keep(contract.Body{Alert: "fire", Revision: 1}, []byte("signed"))
	require.Empty(t, p.bodies)
	require.Equal(t, Stored{}, p.Export(rules.New(), time.Unix(1, 0)))
	_, known := p.Now()
	require.False(t, known)
}
