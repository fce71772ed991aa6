package check

import (
	"context"
	"encoding/base64"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/channels/device/check/gateway"
	"almenara/storage/wait"
)

// powered is the reference device with a switch.
type powered struct {
	t       *testing.T
	options device.Options
	off     func()
	alone   atomic.Int32 // how often it had something to show that no node had confirmed
}

// battery is a clock that ran on without power.
type battery struct{}

func (battery) Now() time.Time       { return time.Now() }
func (battery) Run() string          { return "" }
func (battery) RanSince(string) bool { return true }

func (p *powered) on() {
	d, err := device.New(p.options)
	require.NoError(p.t, err)
	require.NoError(p.t, d.Start())
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	p.off = func() { cancel(); asking.Wait(); d.Stop() }
	asking.Go(func() {
		for wait.Sleep(ctx, time.Second) {
			p.alone.Add(int32(len(device.LocalOf(d).Unconfirmed())))
		}
	})
}

func TestCheck_TheReferenceDevicePasses(t *testing.T) {
	p := &powered{t: t}
	c, err := New(Options{
		ID: "lift-1", Listen: []string{"127.0.0.1:0", "127.0.0.1:0"}, Settle: 300 * time.Millisecond, Within: 30 * time.Second,
		Clock: time.Now, Told: func(l Line) { t.Log(l.Section, l.Name, l.Result, l.Why) },
		Power: func(context.Context) error { p.off(); p.on(); return nil },
	})
	require.NoError(t, err)
	defer c.Close()
	e := c.Enrolment()
	root, err := base64.RawURLEncoding.DecodeString(e.RootKey)
	require.NoError(t, err)
	p.options = device.Options{
		ID: e.ID, Secret: e.Secret, Servers: e.Servers, RootKey: root, Kind: "screen",
		Save: func(memory []byte) error { p.options.Memory = memory; return nil }, Wall: battery{},
	}
	p.on()
	defer func() { p.off() }()
	graded, err := c.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, graded, len(lines))
	for _, l := range graded {
		if l.Name == "shows a drill that asks for a siren as a drill" {
			require.Equal(t, NotSeen, l.Result, "the device tells nothing of its looks")
			continue
		}
		require.Equal(t, Passed, l.Result, "%s %s: %s", l.Section, l.Name, l.Why)
	}
	require.Positive(t, p.alone.Load(), "it had something to show while it heard no manifest")
}

func TestCheck_OverWebSocket(t *testing.T) {
	c, err := New(Options{ID: "lift-1", Listen: []string{"127.0.0.1:0"}, Within: 30 * time.Second, Clock: time.Now, Only: []string{"alg none", "remembers"}})
	require.NoError(t, err)
	defer c.Close()
	e := c.Enrolment()
	root, err := base64.RawURLEncoding.DecodeString(e.RootKey)
	require.NoError(t, err)
	d, err := device.New(device.Options{ID: e.ID, Secret: e.Secret, Servers: e.Servers[1:], RootKey: root})
	require.NoError(t, err)
	require.NoError(t, d.Start())
	defer d.Stop()
	graded, err := c.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Line{
		{Section: "7.1", Name: "shows what a manifest lists", Result: Passed},
		{Section: "6.1", Name: "refuses alg none", Result: Passed},
		{Section: "7.5", Name: "remembers an end over a power cut", Result: NotSeen},
	}, graded)
}

func TestCheck_EndsWithADeviceThatShowsNothing(t *testing.T) {
	c, err := New(Options{ID: "lift-1", Listen: []string{"127.0.0.1:0"}, Within: time.Second, Clock: time.Now})
	require.NoError(t, err)
	defer c.Close()
	e := c.Enrolment()
	root := make([]byte, 32) // not the district's: nothing that comes is believed
	root[0] = 7
	d, err := device.New(device.Options{ID: e.ID, Secret: e.Secret, Servers: e.Servers, RootKey: root})
	require.NoError(t, err)
	require.NoError(t, d.Start())
	defer d.Stop()
	graded, err := c.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, graded, len(lines))
	require.Equal(t, Failed, graded[2].Result)
	require.Equal(t, NotSeen, graded[3].Result)
}

func TestCheck_DoesNotLetAnotherDeviceIn(t *testing.T) {
	c, err := New(Options{ID: "lift-1", Listen: []string{"127.0.0.1:0"}, Clock: time.Now})
	require.NoError(t, err)
	defer c.Close()
	d, err := device.New(device.Options{ID: "lift-1", Secret: "another", Servers: c.Enrolment().Servers, RootKey: make([]byte, 32)})
	require.NoError(t, err)
	require.NoError(t, d.Start())
	defer d.Stop()
	require.True(t, c.gateway.Await(t.Context(), 30*time.Second, func(s *gateway.Seen) bool {
		return len(s.Faults) > 0 && s.Faults[0] == "it came with another secret"
	}))
}
