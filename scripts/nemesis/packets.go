//go:build linux

package main

import "encoding/binary"

const (
	ipv4HeaderBytes = 20
	tcpHeaderBytes  = 20
	protocolTCP     = 6

	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10
	flagFIN = 0x01
)

// reset is the answer of a host that knows nothing of the connection that a TCP
// segment belongs to (RFC 9293 §3.5.2). Other packets, and resets, get none.
func reset(packet []byte) ([]byte, bool) {
	header := int(packet[0]&0x0f) * 4
	if len(packet) < header+tcpHeaderBytes || header < ipv4HeaderBytes || packet[9] != protocolTCP {
		return nil, false
	}
	segment := packet[header:]
	flags := segment[13]
	if flags&flagRST != 0 {
		return nil, false
	}
	answer := make([]byte, ipv4HeaderBytes+tcpHeaderBytes)
	answer[0], answer[8], answer[9] = 0x45, 64, protocolTCP
	binary.BigEndian.PutUint16(answer[2:], uint16(len(answer)))
	copy(answer[12:16], packet[16:20])
	copy(answer[16:20], packet[12:16])
	binary.BigEndian.PutUint16(answer[10:], ^sum(0, answer[:ipv4HeaderBytes]))
	tcp := answer[ipv4HeaderBytes:]
	copy(tcp[0:2], segment[2:4])
	copy(tcp[2:4], segment[0:2])
	tcp[12] = tcpHeaderBytes / 4 << 4
	if flags&flagACK != 0 {
		copy(tcp[4:8], segment[8:12])
		tcp[13] = flagRST
	} else {
		binary.BigEndian.PutUint32(tcp[8:], binary.BigEndian.Uint32(segment[4:])+length(segment))
		tcp[13] = flagRST | flagACK
	}
	pseudo := append(append([]byte(nil), answer[12:20]...), 0, protocolTCP, 0, tcpHeaderBytes)
	binary.BigEndian.PutUint16(tcp[16:], ^sum(uint32(sum(0, pseudo)), tcp))
	return answer, true
}

// length is how much of the sequence space a segment takes.
func length(segment []byte) uint32 {
	n := uint32(max(0, len(segment)-int(segment[12]>>4)*4))
	for _, flag := range []byte{flagSYN, flagFIN} {
		if segment[13]&flag != 0 {
			n++
		}
	}
	return n
}

// sum is the one's complement sum of the Internet checksum (RFC 1071); b has an even
// length.
func sum(start uint32, b []byte) uint16 {
	for i := 0; i < len(b); i += 2 {
		start += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for start > 0xffff {
		start = start>>16 + start&0xffff
	}
	return uint16(start)
}
