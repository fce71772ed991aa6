//go:build linux

package main

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFleet_CountsWhatTheFloorWrites connects devices to a floor: those that read get
// every alert once and acknowledge it, the others stay connected and are not counted.
func TestFleet_CountsWhatTheFloorWrites(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &floor{}
	go server.accept(ln)
	t.Cleanup(func() { ln.Close() })

	f := &fleet{}
	f.changed = sync.NewCond(&f.mu)
	const devices, deaf, alerts = 20, 2, 3
	credentials := anyCredentials(devices, func(string) string { return alertTopic })
	require.NoError(t, f.connectAll(fleetConfig{Addr: ln.Addr().String(), QoS: 1, Devices: credentials, Stalled: 1, Dead: 1}))
	t.Cleanup(func() {
		for _, d := range f.devices {
			d.socket.Close()
		}
	})
	go f.loop()
	require.Equal(t, devices-deaf, f.live())

	f.mark()
	at, err := server.publish(order{Count: alerts, QoS: 1, Size: payloadSize})
	require.NoError(t, err)
	got, err := f.handle(order{Do: "await", Count: alerts * (devices - deaf)})
	require.NoError(t, err)
	require.Equal(t, payloadSize, got.Payload)
	require.Greater(t, got.At, at.At)
	_, err = server.handle(order{Do: "acked", Count: alerts * (devices - deaf)})
	require.NoError(t, err)
	require.Equal(t, reply{Min: alerts, Max: alerts, Count: deaf}, f.check())

	// Asking for another QoS replaces the subscription.
	_, err = f.handle(order{Do: "subscribe", QoS: 0})
	require.NoError(t, err)
	f.mark()
	_, err = server.publish(order{Count: 1, Size: payloadSize})
	require.NoError(t, err)
	_, err = f.handle(order{Do: "await", Count: devices - deaf})
	require.NoError(t, err)
}
