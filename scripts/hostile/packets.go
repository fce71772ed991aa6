package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// patience is how long the node may take for anything that it answers.
const patience = 15 * time.Second

// The packet kinds of MQTT that are used here, as in the first byte.
const (
	connectKind   = 0x10
	connackKind   = 0x20
	publishKind   = 0x30
	pubackKind    = 0x40
	subscribeKind = 0x82
	subackKind    = 0x90
	pingreqKind   = 0xC0
	pingrespKind  = 0xD0
)

// frame is a packet: first byte, remaining length, body.
func frame(first byte, body []byte) []byte {
	return append(length([]byte{first}, len(body)), body...)
}

// length appends a remaining length.
func length(b []byte, n int) []byte {
	for n > 127 {
		b, n = append(b, byte(n)|0x80), n>>7
	}
	return append(b, byte(n))
}

// text appends a string with its length.
func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// connectPacket is a CONNECT of the given protocol level.
func connectPacket(level byte, id, user, secret string) []byte {
	body := append(text(nil, "MQTT"), level, 0xC2, 0, 60)
	if level == 5 {
		body = append(body, 0)
	}
	return frame(connectKind, text(text(text(body, id), user), secret))
}

// publishPacket is a PUBLISH with QoS 1.
func publishPacket(v5 bool, id uint16, topic string, payload []byte) []byte {
	body := binary.BigEndian.AppendUint16(text(nil, topic), id)
	if v5 {
		body = append(body, 0)
	}
	return frame(publishKind|2, append(body, payload...))
}

// subscribePacket asks for one filter with QoS 1.
func subscribePacket(v5 bool, filter string) []byte {
	body := []byte{0, 1}
	if v5 {
		body = append(body, 0)
	}
	return frame(subscribeKind, append(text(body, filter), 1))
}

// conn is a connection that reads packets.
type conn struct {
	net.Conn
	in *bufio.Reader
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	return &conn{c, bufio.NewReader(c)}, nil
}

// next reads one packet.
func (c *conn) next() (first byte, body []byte, err error) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if first, err = c.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(c.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(c.in, body)
	return first, body, err
}

// await reads packets until one of a kind.
func (c *conn) await(kind byte) ([]byte, error) {
	for {
		first, body, err := c.next()
		if err != nil || first&0xF0 == kind&0xF0 {
			return body, err
		}
	}
}

// login connects as a device.
func login(t target, level byte) (*conn, error) {
	c, err := dial(t.addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.Write(connectPacket(level, t.id, t.id, t.secret)); err != nil {
		return nil, err
	}
	ack, err := c.await(connackKind)
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	if len(ack) < 2 || ack[1] != 0 {
		return nil, fmt.Errorf("logging in: refused with % x", ack)
	}
	return c, nil
}

// alive is an error unless the node answers a ping of a new session.
func alive(t target) error {
	c, err := login(t, 4)
	if err != nil {
		return fmt.Errorf("the node takes no device any more: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte{pingreqKind, 0}); err != nil {
		return err
	}
	if _, err := c.await(pingrespKind); err != nil {
		return fmt.Errorf("the node answers no ping any more: %w", err)
	}
	return nil
}

// closed waits for the other side to close; answered are the bytes before that.
func (c *conn) closed(within time.Duration) (answered int, err error) {
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, c.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return int(n), fmt.Errorf("the connection is still open after %v", within)
	}
	return int(n), nil
}
