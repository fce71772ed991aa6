package rtp_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/speaker/rtp"
)

// even gives a listener on an even port of loopback.
func even(t *testing.T) *net.UDPConn {
	t.Helper()
	for {
		l, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		if l.LocalAddr().(*net.UDPAddr).Port%2 == 0 {
			t.Cleanup(func() { _ = l.Close() })
			return l
		}
		require.NoError(t, l.Close())
	}
}

func TestSender_SendsPacketsOf20Milliseconds(t *testing.T) {
	l := even(t)
	s, err := rtp.Dial(l.LocalAddr().String(), 1, "")
	require.NoError(t, err)
	defer s.Close()
	sound := make([]int16, 4*rtp.Frame+1) // not a whole number of packets
	for i := range sound {
		sound[i] = 8000
	}
	began := time.Now()
	require.NoError(t, s.Send(context.Background(), sound))
	const packets = 50 + 5 // a second of silence leads
	require.GreaterOrEqual(t, time.Since(began), (packets-1)*20*time.Millisecond, "as fast as it is heard, not faster")
	var sequence uint16
	var stamp uint32
	b := make([]byte, 2048)
	for i := range packets {
		require.NoError(t, l.SetReadDeadline(time.Now().Add(time.Minute)))
		n, err := l.Read(b)
		require.NoError(t, err)
		require.Equal(t, 12+rtp.Frame, n)
		require.Equal(t, byte(0x80), b[0])
		require.Equal(t, i == 0, b[1]&0x80 != 0, "the marker is on the first")
		require.Zero(t, b[1]&0x7f, "PCMU")
		if i > 0 {
			require.Equal(t, sequence+1, binary.BigEndian.Uint16(b[2:]))
			require.Equal(t, stamp+rtp.Frame, binary.BigEndian.Uint32(b[4:]))
		}
		sequence, stamp = binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:])
		if i == 50 {
			require.Equal(t, rtp.MuLaw(8000), b[12])
		}
	}
}

func TestSender_EndsWhenItIsTold(t *testing.T) {
	s, err := rtp.Dial(even(t).LocalAddr().String(), 1, "")
	require.NoError(t, err)
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.Send(ctx, make([]int16, 100*rtp.Rate)), context.Canceled)
}

func TestDial_RefusesWhatCannotBeRTP(t *testing.T) {
	for address, says := range map[string]string{
		"224.0.2.60:50001": "is odd", "224.0.2.60": "is not an IPv4 address and port", "[ff02::1]:50000": "is not an IPv4", "224.0.2.60:0": "is odd",
	} {
		_, err := rtp.Dial(address, 1, "")
		require.ErrorContains(t, err, says, address)
	}
	_, err := rtp.Dial("224.0.2.60:50000", 0, "")
	require.ErrorContains(t, err, "TTL")
}

// ITU-T G.711, table 2a.
func TestMuLaw_AgreesWithTheStandard(t *testing.T) {
	for sample, want := range map[int16]byte{0: 0xff, -1: 0x7f, 32767: 0x80, -32768: 0x00, 8159 * 4: 0x80, 4063 * 4: 0x8f, 31 * 4: 0xef, -31 * 4: 0x6f} {
		require.InDelta(t, want, rtp.MuLaw(sample), 1, "%d", sample)
	}
}
