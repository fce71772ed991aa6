//go:build linux

package main

import (
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// segment is a TCP segment from one berth to another.
func segment(from, to int, flags byte, seq, ack uint32, payload int) []byte {
	p := make([]byte, ipv4HeaderBytes+tcpHeaderBytes+payload)
	p[0], p[9] = 0x45, protocolTCP
	src, dst := addressAt(from).As4(), addressAt(to).As4()
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	tcp := p[ipv4HeaderBytes:]
	binary.BigEndian.PutUint16(tcp, 4711)
	binary.BigEndian.PutUint16(tcp[2:], 8470)
	binary.BigEndian.PutUint32(tcp[4:], seq)
	binary.BigEndian.PutUint32(tcp[8:], ack)
	tcp[12], tcp[13] = tcpHeaderBytes/4<<4, flags
	return p
}

func TestReset_IsWhatAStrangerWouldAnswer(t *testing.T) {
	answer, ok := reset(segment(0, 1, flagSYN, 41, 0, 0))
	require.True(t, ok)
	require.Equal(t, segment(1, 0, 0, 0, 0, 0)[12:20], answer[12:20], "it comes from whom it was for")
	tcp := answer[ipv4HeaderBytes:]
	require.Equal(t, []uint16{8470, 4711}, []uint16{binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])})
	require.Equal(t, byte(flagRST|flagACK), tcp[13])
	require.Equal(t, uint32(42), binary.BigEndian.Uint32(tcp[8:]), "a SYN takes one number")
	require.Equal(t, uint16(0xffff), sum(0, answer[:ipv4HeaderBytes]), "the checksum of the header")
	pseudo := append(append([]byte(nil), answer[12:20]...), 0, protocolTCP, 0, tcpHeaderBytes)
	require.Equal(t, uint16(0xffff), sum(uint32(sum(0, pseudo)), tcp), "the checksum of the segment")

	answer, ok = reset(segment(0, 1, flagACK, 41, 99, 7))
	require.True(t, ok)
	require.Equal(t, byte(flagRST), answer[ipv4HeaderBytes+13])
	require.Equal(t, uint32(99), binary.BigEndian.Uint32(answer[ipv4HeaderBytes+4:]))

	_, ok = reset(segment(0, 1, flagRST, 1, 1, 0))
	require.False(t, ok, "resets are not answered")
	datagram := segment(0, 1, 0, 0, 0, 0)
	datagram[9] = 17
	_, ok = reset(datagram)
	require.False(t, ok)
	_, ok = reset(datagram[:ipv4HeaderBytes])
	require.False(t, ok)
}

// paper is a space of two berths whose devices are sockets.
func paper(t *testing.T) (s *space, ends []*os.File) {
	t.Helper()
	s = &space{wires: newWires(2)}
	for range 3 {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
		require.NoError(t, err)
		s.houses = append(s.houses, &house{tun: os.NewFile(uintptr(pair[0]), "tun")})
		ends = append(ends, os.NewFile(uintptr(pair[1]), "end"))
	}
	s.start()
	t.Cleanup(func() {
		s.close()
		for _, end := range ends {
			_ = end.Close()
		}
	})
	return s, ends
}

// arrives reads the next packet of an end; nil when none comes for a while.
func arrives(t *testing.T, end *os.File) []byte {
	t.Helper()
	require.NoError(t, end.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	buf := make([]byte, mtuBytes)
	n, err := end.Read(buf)
	if err != nil {
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		return nil
	}
	return buf[:n]
}

func TestSpace_CarriesAsTheWiresLet(t *testing.T) {
	s, ends := paper(t)
	packet := segment(0, 1, flagACK, 1, 1, 3)
	send := func() {
		_, err := ends[0].Write(packet)
		require.NoError(t, err)
	}
	send()
	require.Equal(t, packet, arrives(t, ends[1]))
	require.Equal(t, uint64(1), s.between(0, 1))

	s.wires.set(Step{Kind: OneWay, Node: 1, Deaf: true}.cuts)
	send()
	require.Nil(t, arrives(t, ends[1]))
	require.Nil(t, arrives(t, ends[0]), "a silent cut tells nobody")
	back := segment(1, 0, flagACK, 1, 1, 0)
	_, err := ends[1].Write(back)
	require.NoError(t, err)
	require.Equal(t, back, arrives(t, ends[0]), "the other way is open")

	s.wires.set(Step{Kind: Isolate, Node: 1, Refuse: true}.cuts)
	send()
	require.Equal(t, byte(flagRST), arrives(t, ends[0])[ipv4HeaderBytes+13])
	require.Nil(t, arrives(t, ends[1]))

	s.wires.set(func(int, int) link { return link{loss: 1} })
	send()
	require.Nil(t, arrives(t, ends[1]))

	s.wires.set(func(int, int) link { return link{delay: 20 * time.Millisecond} })
	begun := time.Now()
	send()
	require.Equal(t, packet, arrives(t, ends[1]))
	require.GreaterOrEqual(t, time.Since(begun), 20*time.Millisecond)
}

func TestSpace_UnplugsDevicesAndClients(t *testing.T) {
	s, ends := paper(t)
	s.wires.set(Step{Kind: Unplug, Node: 0}.cuts)
	_, err := ends[2].Write(segment(outside, 0, flagACK, 1, 1, 0))
	require.NoError(t, err)
	require.Nil(t, arrives(t, ends[0]))
	other := segment(outside, 1, flagACK, 1, 1, 0)
	_, err = ends[2].Write(other)
	require.NoError(t, err)
	require.Equal(t, other, arrives(t, ends[1]))
}

func TestSpace_LosesWhatIsForNobody(t *testing.T) {
	s, ends := paper(t)
	for _, packet := range [][]byte{{}, {0x45}, segment(0, 9, flagSYN, 1, 1, 0), make([]byte, 40)} {
		s.carry(0, packet)
	}
	require.Nil(t, arrives(t, ends[1]))
}
