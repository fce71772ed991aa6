//go:build linux

package main

import (
	"bytes"
	"testing"

	v3 "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"
)

func TestPackets_AreWhatPahoReads(t *testing.T) {
	read := func(raw []byte) v3.ControlPacket {
		p, err := v3.ReadPacket(bytes.NewReader(raw))
		require.NoError(t, err)
		return p
	}
	c := read(connectPacket("lift-1", "secret")).(*v3.ConnectPacket)
	require.Zero(t, c.Validate())
	require.Equal(t, "lift-1", c.ClientIdentifier)
	require.Equal(t, "lift-1", c.Username)
	require.Equal(t, []byte("secret"), c.Password)
	require.True(t, c.CleanSession)

	s := read(subscribePacket(7, "a/+", 1)).(*v3.SubscribePacket)
	require.EqualValues(t, 7, s.MessageID)
	require.Equal(t, []string{"a/+"}, s.Topics)
	require.Equal(t, []byte{1}, s.Qoss)

	body := bytes.Repeat([]byte{'x'}, 512)
	p := read(publishPacket("a/b", 1, 9, body)).(*v3.PublishPacket)
	require.EqualValues(t, 9, p.MessageID)
	require.Equal(t, body, p.Payload)
}

// TestDevice_TakesPacketsHoweverTheyAreCut feeds two publishes in pieces of every
// size: each counts once, and each is acknowledged once.
func TestDevice_TakesPacketsHoweverTheyAreCut(t *testing.T) {
	stream := append(publishPacket("a/b", 1, 1, make([]byte, 300)), publishPacket("a/b", 1, 2, make([]byte, 200))...)
	for size := 1; size <= len(stream); size++ {
		var d device
		var s seen
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			require.NoError(t, d.take(rest[:n], &s))
			rest = rest[n:]
		}
		require.Equal(t, seen{publishes: 2, payload: 300}, s)
		require.Equal(t, []byte{typePuback, 2, 0, 1, typePuback, 2, 0, 2}, d.acks)
		require.Empty(t, d.rest)
	}
}

func FuzzDeviceTake(f *testing.F) {
	f.Add(publishPacket("a/b", 1, 1, []byte("body")), 3)
	f.Add(publishPacket("a/b", 0, 0, nil), 1)
	f.Add([]byte{typePublish, 1, 0}, 2)
	f.Add([]byte{typePublish, 0xFF, 0xFF, 0xFF, 0xFF, 1}, 6)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		var d device
		var s seen
		for len(stream) > 0 {
			n := min(max(size, 1), len(stream))
			if d.take(stream[:n], &s) != nil {
				return
			}
			stream = stream[n:]
		}
		require.LessOrEqual(t, len(d.acks), 4*s.publishes)
	})
}
