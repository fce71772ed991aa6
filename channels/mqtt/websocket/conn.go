// Package websocket carries MQTT over WebSocket (RFC 6455, subprotocol mqtt as MQTT 5 §6
// asks): the judgement of a request that asks for an upgrade, and the frames. It owns one
// connection's frames and knows nothing of what is in them, nor of sessions.
//
// It imports no package of ours.
package websocket

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// The opcodes of RFC 6455 §5.2.
const (
	opContinuation = 0x0
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// The close codes of RFC 6455 §7.4.1.
const (
	closeNormal      = 1000
	closeProtocol    = 1002
	closeUnsupported = 1003
)

// readBuffer is enough for what a device usually sends.
const readBuffer = 512

// maxControl is the longest control frame (RFC 6455 §5.5).
const maxControl = 125

// ErrProtocol is returned by Read where the client broke RFC 6455; it has been told.
var ErrProtocol = errors.New("WebSocket protocol broken")

// Conn carries a stream of bytes in binary WebSocket frames. Frames are read as
// they come and never kept whole, so their length needs no limit. One goroutine may
// read; writes may come from any.
type Conn struct {
	net.Conn // our socket, or TLS on top of it
	in       *bufio.Reader

	// The reader's own.
	left       uint64 // bytes of the current data frame
	mask       [4]byte
	masked     int  // bytes of the current frame already unmasked
	fragmented bool // the current message goes on in a continuation frame
}

// NewConn reads frames from in, what came early first, and writes them to next.
func NewConn(next net.Conn, in io.Reader) *Conn {
	return &Conn{Conn: next, in: bufio.NewReaderSize(in, readBuffer)}
}

// Read returns bytes of data frames; it answers control frames on the way. io.EOF
// is the client's close frame.
func (c *Conn) Read(p []byte) (int, error) {
	for c.left == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	n, err := c.in.Read(p[:min(uint64(len(p)), c.left)])
	c.unmask(p[:n])
	c.left -= uint64(n)
	return n, err
}

func (c *Conn) unmask(b []byte) {
	for i := range b {
		b[i] ^= c.mask[(c.masked+i)&3]
	}
	c.masked += len(b)
}

// nextFrame reads a frame's head. Control frames are dealt with whole.
func (c *Conn) nextFrame() error {
	first, size, err := c.head()
	if err != nil {
		return err
	}
	final, op := first&0x80 != 0, first&0x0F
	switch {
	case first&0x70 != 0: // no extension was agreed on
		return c.breakOff(closeProtocol)
	case op >= opClose:
		if !final || size > maxControl {
			return c.breakOff(closeProtocol)
		}
		return c.control(op, int(size))
	case op == opContinuation && c.fragmented, op == opBinary && !c.fragmented:
		c.left, c.fragmented = size, !final
		return nil
	case op == opContinuation || op == opBinary:
		return c.breakOff(closeProtocol)
	}
	return c.breakOff(closeUnsupported) // MQTT 5 §6: binary frames only
}

// head reads the first byte, the length and the mask that clients must use.
func (c *Conn) head() (first byte, size uint64, err error) {
	var b [8]byte
	if _, err := io.ReadFull(c.in, b[:2]); err != nil {
		return 0, 0, err
	}
	first, size = b[0], uint64(b[1]&0x7F)
	if b[1]&0x80 == 0 {
		return 0, 0, c.breakOff(closeProtocol)
	}
	switch size {
	case 126:
		_, err = io.ReadFull(c.in, b[:2])
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		_, err = io.ReadFull(c.in, b[:8])
		size = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, 0, err
	}
	if size>>63 != 0 {
		return 0, 0, c.breakOff(closeProtocol)
	}
	c.masked = 0
	_, err = io.ReadFull(c.in, c.mask[:])
	return first, size, err
}

// control answers pings and the close frame, and skips pongs.
func (c *Conn) control(op byte, size int) error {
	payload := make([]byte, size)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return err
	}
	c.unmask(payload)
	switch op {
	case opPing:
		return c.send(opPong, payload)
	case opPong:
		return nil
	case opClose:
		_ = c.sendClose(closeNormal)
		return io.EOF
	}
	return c.breakOff(closeProtocol)
}

// breakOff tells the client why and ends reading.
func (c *Conn) breakOff(code uint16) error {
	_ = c.sendClose(code)
	return fmt.Errorf("%w: closing with %d", ErrProtocol, code)
}

func (c *Conn) sendClose(code uint16) error {
	return c.send(opClose, binary.BigEndian.AppendUint16(nil, code))
}

// frameBuffers hold frames while they are written.
var frameBuffers = sync.Pool{New: func() any { return new([]byte) }}

// Write sends b as one binary frame, in one write to what is below.
func (c *Conn) Write(b []byte) (int, error) {
	if err := c.send(opBinary, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c *Conn) send(op byte, payload []byte) error {
	buf := frameBuffers.Get().(*[]byte)
	defer frameBuffers.Put(buf)
	*buf = appendFrame((*buf)[:0], op, payload)
	_, err := c.Conn.Write(*buf)
	return err
}

// appendFrame writes one whole frame as servers do, without a mask.
func appendFrame(b []byte, op byte, payload []byte) []byte {
	b = append(b, 0x80|op)
	switch n := len(payload); {
	case n <= maxControl:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// Close says goodbye, without waiting for an answer.
func (c *Conn) Close() error {
	_ = c.sendClose(closeNormal)
	return c.Conn.Close()
}
