package broker

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
)

// listener hears what devices say of themselves.
type listener struct {
	mu   sync.Mutex
	last map[string]contract.State
}

func (l *listener) hear(from channels.Endpoint, s contract.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last[from.Device] = s
}

func (l *listener) tested(device string) (out contract.Tested) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.last[device].Tested; t != nil {
		out = *t
	}
	return out
}

func signed(t *testing.T, n byte, id string) []byte {
	t.Helper()
	raw, err := signerOf(n).Sign(contract.Command{ID: id, Do: contract.DoTest, Time: time.Now(), Expires: time.Now().Add(time.Minute)})
	require.NoError(t, err)
	return raw
}

// A device at the broker carries out a test, and tells what it came to.
func TestCommand_ReachesADeviceAtTheBroker(t *testing.T) {
	x := newExchange(t)
	heard := &listener{last: map[string]contract.State{}}
	f := newOffice(t, 1, x, true, func(o *Options) { o.State = heard.hear })
	other := newOffice(t, 2, x, false)
	f.set(t)
	other.set(t)
	require.ErrorIs(t, f.Command(t.Context(), "lift-1", signed(t, 1, "c0")), ErrNotThere, "it is not there yet")
	crowd(t, x, 2)
	soon(t, func() bool { return f.Status().Devices == 2 }, "both are there")
	soon(t, func() bool { // a device that has heard no manifest yet does not know the time, and carries out nothing
		if heard.tested("lift-1").ID == "" {
			require.NoError(t, f.Command(t.Context(), "lift-1", signed(t, 1, "c"+time.Now().String()[:23][11:])))
		}
		return heard.tested("lift-1").Result == contract.TestPassed
	}, "it has told")
	require.Empty(t, heard.tested("lift-2").ID, "nobody else is meant")
	require.ErrorIs(t, f.Command(t.Context(), "lift-3", signed(t, 1, "c3")), ErrNotThere)
	soon(t, func() bool { return other.Status().Connected }, "the other node is linked")
	require.ErrorIs(t, other.Command(t.Context(), "lift-1", signed(t, 2, "c4")), ErrNotThere, "one node sends")
}

// Without a link nothing is handed over, and nobody waits for ever.
func TestCommand_WithoutTheBroker(t *testing.T) {
	x := newExchange(t)
	f := newOffice(t, 1, x, true)
	f.set(t)
	crowd(t, x, 1)
	soon(t, func() bool { return f.Status().Devices == 1 }, "it is there")
	x.stop()
	soon(t, func() bool { return !f.Status().Connected }, "the loss is seen")
	require.ErrorIs(t, f.Command(t.Context(), "lift-1", signed(t, 1, "c1")), ErrNotThere)
	f.mu.Lock()
	waits := &command{device: "lift-1", handed: make(chan error, 1)}
	f.commands = append(f.commands, waits)
	f.mu.Unlock()
	f.lost(t.Context(), nil)
	select {
	case err := <-waits.handed:
		require.ErrorIs(t, err, ErrNotThere)
	case <-time.After(patience):
		t.Error("a command waits for ever")
	}
	x.start()
}

func TestCommand_FewWaitAtATime(t *testing.T) {
	x := newExchange(t)
	f := newOffice(t, 1, x, true)
	f.set(t)
	crowd(t, x, 1)
	soon(t, func() bool { return f.Status().Devices == 1 }, "it is there")
	f.stop() // nobody takes what waits
	f.mu.Lock()
	f.status.Connected = true
	for range commandsMost {
		f.commands = append(f.commands, &command{handed: make(chan error, 1)})
	}
	f.mu.Unlock()
	require.ErrorIs(t, f.Command(t.Context(), "lift-1", nil), ErrBusy)
	f.mu.Lock()
	f.commands = nil
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, f.Command(ctx, "lift-1", nil), context.DeadlineExceeded)
}
