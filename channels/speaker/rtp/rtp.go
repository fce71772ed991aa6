// Package rtp sends sound to existing IP speakers: G.711 µ-law in RTP (RFC 3550, RFC 3551), 20 ms
// a packet, to a multicast group that they listen to. Nobody answers: what was sent is known, and
// never what was heard. It imports no package of ours.
package rtp

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
)

// Rate is samples a second; Frame is how many go in a packet, for 20 ms.
const (
	Rate  = 8000
	Frame = 160
)

// lead is silence before the sound, in which amplifiers wake.
const lead = time.Second

const payloadPCMU = 0 // RFC 3551 §6

// Sender sends to one address. One Send at a time.
type Sender struct {
	conn *net.UDPConn
	to   netip.AddrPort
	ssrc [4]byte
}

// Dial makes a sender to group:port. A multicast port must be even, for RTCP takes the odd one
// after it. ttl is how many routers it may pass, 1 for the own subnet; device is the network
// interface, "" for the system's choice.
func Dial(address string, ttl int, device string) (*Sender, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Is4() {
		return nil, fmt.Errorf("%.100q is not an IPv4 address and port", address)
	}
	if to.Port()%2 != 0 || to.Port() == 0 {
		return nil, fmt.Errorf("port %d is odd: RTP takes an even one, and RTCP the next", to.Port())
	}
	if ttl < 1 || ttl > 255 {
		return nil, fmt.Errorf("a TTL of %d is not between 1 and 255", ttl)
	}
	conn, err := net.ListenUDP("udp4", nil) // not connected: a speaker that restarts must not end the sound
	if err != nil {
		return nil, fmt.Errorf("opening RTP to %s: %w", address, err)
	}
	if err := multicast(conn, ttl, device); err != nil {
		return nil, errors.Join(fmt.Errorf("opening RTP to %s: %w", address, err), conn.Close())
	}
	s := &Sender{conn: conn, to: to}
	_, err = rand.Read(s.ssrc[:])
	return s, err
}

func multicast(conn *net.UDPConn, ttl int, device string) error {
	p := ipv4.NewPacketConn(conn)
	if err := p.SetMulticastTTL(ttl); err != nil {
		return err
	}
	if device == "" {
		return nil
	}
	i, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	return p.SetMulticastInterface(i)
}

// Close ends the sender.
func (s *Sender) Close() error { return s.conn.Close() }

// Send sends samples of Rate, after a second of silence, at the speed at which they are heard:
// each packet has its own time from the beginning, so that nothing drifts. It returns when the
// last one was sent, or with the reason why not all were.
func (s *Sender) Send(ctx context.Context, samples []int16) error {
	sound := append(make([]int16, int(lead*Rate/time.Second)), samples...)
	for len(sound)%Frame != 0 {
		sound = append(sound, 0)
	}
	var first [6]byte // sequence number and time begin anywhere (RFC 3550 §5.1)
	if _, err := rand.Read(first[:]); err != nil {
		return err
	}
	sequence, stamp := binary.BigEndian.Uint16(first[:]), binary.BigEndian.Uint32(first[2:])
	began, timer := time.Now(), time.NewTimer(0)
	defer timer.Stop()
	for i := 0; i < len(sound); i += Frame {
		timer.Reset(time.Until(began.Add(time.Duration(i) * time.Second / Rate)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if _, err := s.conn.WriteToUDPAddrPort(s.packet(i == 0, sequence, stamp, sound[i:i+Frame]), s.to); err != nil {
			return fmt.Errorf("sending RTP: %w", err)
		}
		sequence, stamp = sequence+1, stamp+Frame
	}
	return nil
}

func (s *Sender) packet(first bool, sequence uint16, stamp uint32, samples []int16) []byte {
	b := []byte{0x80, payloadPCMU}
	if first {
		b[1] |= 0x80 // marker: a talk spurt begins
	}
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = binary.BigEndian.AppendUint32(b, stamp)
	b = append(b, s.ssrc[:]...)
	for _, v := range samples {
		b = append(b, MuLaw(v))
	}
	return b
}

// MuLaw encodes one sample as G.711 µ-law.
func MuLaw(sample int16) byte {
	const bias, clip = 0x84, 32635
	v, sign := int(sample), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, clip) + bias
	exponent := 7
	for mask := 0x4000; v&mask == 0 && exponent > 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent<<4) | byte(v>>(exponent+3))&0x0f)
}
