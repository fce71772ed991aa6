//go:build linux

package main

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// credential is one device as its server knows it.
type credential struct {
	ID, Secret string
	Filter     string // subscribed
	Receipts   string // topic
	Flood      string // subscribed as well where not "": what a stalled device is filled with
}

// device is one connected device of the fleet.
type device struct {
	credential
	socket  *socket
	conn    io.ReadWriter // the socket, or TLS around it
	secure  bool
	live    bool // reads and acknowledges
	resumed bool // its TLS session

	// Only the fleet's loop uses these.
	rest  []byte // beginning of a packet
	acks  []byte // to be written
	count int    // publishes received
}

// connect opens the connection, and MQTT up to the SUBACK.
func connect(to *net.TCPAddr, i int, c credential, t *tls.Config, qos byte, stalled bool) (*device, error) {
	buffer := 0
	if stalled {
		buffer = smallWindow
	}
	s, err := dial(to, i, buffer)
	if err != nil {
		return nil, err
	}
	d := &device{credential: c, socket: s, conn: s, live: true}
	if t != nil {
		if d.conn, err = s.secured(t); err != nil {
			s.Close()
			return nil, fmt.Errorf("shaking hands with %v: %w", to, err)
		}
		d.secure = true
		if conn, ok := d.conn.(*tls.Conn); ok {
			d.resumed = conn.ConnectionState().DidResume
		}
	}
	if err := d.begin(qos); err != nil {
		s.Close()
		return nil, fmt.Errorf("device %s: %w", c.ID, err)
	}
	return d, nil
}

// begin connects and subscribes, waiting for each answer.
func (d *device) begin(qos byte) error {
	ack, err := d.converse(connectPacket(d.ID, d.Secret), typeConnack)
	if err != nil {
		return err
	}
	if len(ack) != 2 || ack[1] != 0 {
		return fmt.Errorf("CONNACK %x", ack)
	}
	if err := d.subscribeNow(d.Filter, qos); err != nil {
		return err
	}
	if d.Flood != "" {
		return d.subscribeNow(d.Flood, 0)
	}
	return nil
}

func (d *device) subscribeNow(filter string, qos byte) error {
	ack, err := d.converse(subscribePacket(1, filter, qos), typeSuback)
	if err != nil {
		return err
	}
	if len(ack) != 3 || ack[2] != qos {
		return fmt.Errorf("SUBACK %x for QoS %d of %s", ack, qos, filter)
	}
	return nil
}

// converse writes a packet and reads the answer, which comes alone.
func (d *device) converse(request []byte, answer byte) ([]byte, error) {
	if _, err := d.conn.Write(request); err != nil {
		return nil, err
	}
	var head [2]byte
	if _, err := io.ReadFull(d.conn, head[:]); err != nil {
		return nil, err
	}
	if head[0] != answer || head[1] > 0x7F {
		return nil, fmt.Errorf("a packet %x came where %x is due: %w", head, answer, errPacket)
	}
	body := make([]byte, head[1])
	_, err := io.ReadFull(d.conn, body)
	return body, err
}

// seen is what one look at a connection brought.
type seen struct {
	publishes, subacks, pubacks int
	payload                     int // largest
}

// read takes what is there, and acknowledges it with one write.
func (d *device) read(buf []byte) (s seen, err error) {
	for {
		n, err := d.conn.Read(buf)
		if errors.Is(err, wouldBlock{}) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		if err := d.take(buf[:n], &s); err != nil {
			return s, err
		}
		if len(d.acks) > 0 {
			if _, err := d.conn.Write(d.acks); err != nil {
				return s, err
			}
			d.acks = d.acks[:0]
		}
		if !d.secure && n < len(buf) {
			return s, nil // TLS may hold more than the kernel does
		}
	}
}

// take counts the packets in data and keeps the beginning of an incomplete one.
func (d *device) take(data []byte, s *seen) error {
	if len(d.rest) > 0 {
		data = append(d.rest, data...)
	}
	for {
		f, rest, ok, err := nextFrame(data)
		if err != nil {
			return err
		}
		if data = rest; !ok {
			break
		}
		if err := d.note(f, s); err != nil {
			return err
		}
	}
	d.rest = append([]byte(nil), data...)
	return nil
}

func (d *device) note(f frame, s *seen) error {
	switch f.first & 0xF0 {
	case typePublish:
		id, payload, err := f.publish()
		if err != nil {
			return err
		}
		if id != 0 {
			d.acks = binary.BigEndian.AppendUint16(append(d.acks, typePuback, 2), id)
		}
		d.count++
		s.publishes++
		s.payload = max(s.payload, payload)
	case typeSuback:
		s.subacks++
	case typePuback:
		s.pubacks++
	}
	return nil
}
