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

type battery struct{}

func (battery) Now() time.Time       { return time.Unix(0, 0) }
func (battery) Run() string          { return "" }
func (battery) RanSince(string) bool { return true }

// What the rules have no more is not kept for ever, and what only waits outlives no power cut.
func TestPast_ForgetsWhatTheRulesHaveNoMore(t *testing.T) {
	r, now := rules.New(), time.Unix(1e9, 0)
	shown := contract.Body{Alert: "fire", Revision: 1, Digest: "d", Status: "Actual", Expires: now.Add(time.Hour)}
	waits, over := shown, shown
	waits.Alert, over.Alert = "flood", "gas"
	r.Connected()
	r.Manifest(contract.Manifest{Time: now, Node: "A", Version: 1, InForce: []contract.InForce{{ID: "fire", Revision: 1, Digest: "d", Expires: shown.Expires}}}, now)
	r.Body(shown, now)
	r.Body(waits, now)
	p := New(battery{}, now)
	for _, b := range []contract.Body{shown, waits, over} {
		p.Keep(b, []byte(b.Alert))
	}
	require.Equal(t, []string{"fire"}, p.Export(r, now).Bodies)
	require.Len(t, p.bodies, 2)
}
