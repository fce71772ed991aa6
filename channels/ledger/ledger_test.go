package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

const pause = 5 * time.Second

// desk is a ledger with a clock, for one alert and the devices lift-1 to lift-3; the
// second is loud.
type desk struct {
	*Ledger
	now time.Time
	id  alert.ID
}

func newDesk() *desk {
	d := &desk{Ledger: New(pause, nil), now: time.Unix(1_000_000, 0), id: alert.Key{Sender: "a", Identifier: "b"}.ID()}
	d.lay(1)
	return d
}

func (d *desk) lay(revision alert.Revision) {
	var to []channels.Endpoint
	for i := range uint32(3) {
		e := lift([]string{"lift-1", "lift-2", "lift-3"}[i])
		to = append(to, e)
	}
	d.Set([]channels.Delivery{{
		Alert: d.id, Revision: revision, Expires: d.now.Add(time.Hour), Body: []byte("body"), To: roaring.BitmapOf(1, 2, 3),
	}}, map[int][]channels.Endpoint{0: to}, d.now)
}

// send lets time pass and hands out what is due then.
func (d *desk) send(after time.Duration) (devices []string) {
	d.now = d.now.Add(after)
	jobs, _, _ := d.Due(d.now, d.now, 100)
	for _, j := range jobs {
		devices = append(devices, j.to.Device)
		d.Sent(j, d.now)
	}
	return devices
}

func (d *desk) state(device, word string, session uint64) bool {
	e := lift(device)
	return d.Arrive(e, contract.State{State: word, Session: session}, d.now, d.now)
}

func (d *desk) tell(device string, rung receipt.Rung) {
	d.Answer(device, receipt.Receipt{Alert: d.id, Revision: 1, Rung: rung}, d.now)
}

func TestLedger_EverybodyOnceTheLoudFirst(t *testing.T) {
	d := newDesk()
	require.Equal(t, []string{"lift-2", "lift-1", "lift-3"}, d.send(0))
	require.Empty(t, d.send(10*time.Minute), "nobody said that it is there")
}

func TestLedger_WhoIsThereAndSilentGetsItAgain(t *testing.T) {
	d := newDesk()
	d.send(0)
	require.True(t, d.state("lift-1", contract.StateReady, 7))
	require.Equal(t, []string{"lift-1"}, d.send(0), "it has arrived")
	require.Empty(t, d.send(pause-1))
	require.Equal(t, []string{"lift-1"}, d.send(1))
	require.Empty(t, d.send(2*pause-1), "the pause doubles")
	require.Equal(t, []string{"lift-1"}, d.send(1))
	d.tell("lift-1", receipt.Verified)
	require.Empty(t, d.send(resendGrowth/2*pause-1), "verified is not the last word, but there is more time")
	require.Equal(t, []string{"lift-1"}, d.send(1))
	d.tell("lift-1", receipt.Presented)
	require.Empty(t, d.send(30*time.Minute), "it has answered")
	_, unanswered := d.Count()
	require.Zero(t, unanswered)
}

func TestLedger_ASessionGetsItSoOftenOnly(t *testing.T) {
	d := newDesk()
	d.state("lift-1", contract.StateReady, 1)
	times := 0
	for range 50 {
		times += len(d.send(resendGrowth * time.Second))
	}
	require.LessOrEqual(t, times, resendMost+2)
	require.True(t, d.state("lift-1", contract.StateReady, 2))
	require.Equal(t, []string{"lift-1"}, d.send(0))
}

func TestLedger_AnArrivalLacksEverything(t *testing.T) {
	d := newDesk()
	d.send(0)
	d.state("lift-1", contract.StateReady, 1)
	d.send(0)
	d.tell("lift-1", receipt.Presented)
	require.False(t, d.state("lift-1", contract.StatePresenting, 1), "the same session")
	require.Empty(t, d.send(0))
	require.True(t, d.state("lift-1", contract.StateReady, 2))
	require.Equal(t, []string{"lift-1"}, d.send(0))
	require.False(t, d.state("lift-1", contract.StateLost, 1), "the will of the session before")
	devices, _ := d.Count()
	require.Equal(t, 1, devices)
	require.False(t, d.state("lift-1", contract.StateDisconnected, 2))
	require.Empty(t, d.send(time.Minute), "it has left")
}

func TestLedger_ARevisionIsAnotherBody(t *testing.T) {
	d := newDesk()
	d.send(0)
	d.tell("lift-1", receipt.Presented)
	d.lay(1)
	require.Empty(t, d.send(0), "what goes on keeps what is known of it")
	d.lay(2)
	require.Len(t, d.send(0), 3)
	d.Again(d.now)
	require.Len(t, d.send(0), 3, "a new link")
	require.Empty(t, d.send(2*time.Hour), "it has run out")
}

// lift is the device of a lift's screen, whose member has its number.
func lift(device string) channels.Endpoint {
	var member uint32
	_, _ = fmt.Sscanf(device, "lift-%d", &member)
	return channels.Endpoint{Device: device, Member: member, Kind: "screen", Loud: member%2 == 0}
}
