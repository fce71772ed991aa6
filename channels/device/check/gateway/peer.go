package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/packet"
	"almenara/channels/mqtt/websocket"
)

// peer is one connection of the device.
type peer struct {
	conn    net.Conn
	number  int
	v5      bool
	filters []packet.Filter
	nextID  uint16
	writing sync.Mutex
}

// serve serves one connection until it ends.
func (g *Gateway) serve(n int, conn net.Conn) error {
	in := bufio.NewReader(conn)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if first, err := in.Peek(1); err == nil && first[0] == 'G' {
		r, err := http.ReadRequest(in)
		if err != nil {
			return fmt.Errorf("the WebSocket handshake cannot be read: %w", err)
		}
		if status, problem := websocket.CheckUpgrade(r, func() []string { return []string{"*"} }); status != 0 {
			return errors.New(problem)
		}
		if err := websocket.AnswerUpgrade(conn, r); err != nil {
			return err
		}
		conn = websocket.NewConn(conn, in)
		in = bufio.NewReader(conn)
	}
	h, body, err := readPacket(in)
	if err != nil || h.Kind != packet.KindConnect {
		return errors.New("the first packet is no CONNECT")
	}
	p, err := g.connect(n, conn, body)
	if err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	defer g.left(p)
	for {
		h, body, err := readPacket(in)
		if err != nil {
			return nil // it ended, which is no fault
		}
		if h.Kind == packet.KindDisconnect {
			return nil
		}
		if err := g.take(p, h, body); err != nil {
			return err
		}
	}
}

func readPacket(in *bufio.Reader) (packet.Header, []byte, error) {
	var head []byte
	for {
		b, err := in.ReadByte()
		if err != nil {
			return packet.Header{}, nil, err
		}
		head = append(head, b)
		h, err := packet.ParseHeader(head)
		if err != nil {
			return h, nil, err
		}
		if h.Length == 0 {
			continue
		}
		if h.Size > maxPacket {
			return h, nil, packet.ErrTooLarge
		}
		body := make([]byte, h.Size)
		for read := 0; read < len(body); {
			n, err := in.Read(body[read:])
			if read += n; err != nil {
				return h, nil, err
			}
		}
		return h, body, nil
	}
}

// connect decides on a CONNECT as a node would, and makes the connection the device's.
func (g *Gateway) connect(n int, conn net.Conn, body []byte) (*peer, error) {
	level, flags := packet.ProtocolLevel(body)
	c, err := packet.ParseConnect(level, flags, body)
	if err != nil {
		return nil, fmt.Errorf("CONNECT: %w", err)
	}
	code := packet.CodeSuccess
	switch {
	case c.ClientID != g.id || c.Username != g.id:
		code, err = packet.CodeClientID, fmt.Errorf("it came with client id %.40q and user name %.40q, not %q", c.ClientID, c.Username, g.id)
	case string(c.Password) != g.secret:
		code, err = packet.CodeCredential, errors.New("it came with another secret")
	case c.Will != nil && c.Will.Topic != contract.TopicState(g.id):
		code, err = packet.CodeNotAuthorized, fmt.Errorf("its will is on %.60q", c.Will.Topic)
	}
	if _, e := conn.Write(packet.AppendConnack(nil, level, code, nil)); err == nil && e != nil {
		err = e
	}
	if err != nil {
		g.note(func(s *Seen) { s.Faults = append(s.Faults, err.Error()) })
		return nil, err
	}
	p := &peer{conn: conn, v5: level == packet.Version5}
	g.note(func(s *Seen) {
		if g.peer != nil {
			_ = g.peer.conn.Close()
		}
		s.Connects = append(s.Connects, Connect{Connect: c, Clean: flags&2 != 0, Node: n})
		p.number, s.Subscribed = len(s.Connects), false
		g.peer = p
	})
	return p, nil
}

// left notes that a connection has ended.
func (g *Gateway) left(p *peer) {
	g.note(func(s *Seen) {
		if g.peer == p {
			g.peer, s.Subscribed = nil, false
		}
	})
}

func (g *Gateway) take(p *peer, h packet.Header, body []byte) error {
	switch h.Kind {
	case packet.KindPublish:
		return g.published(p, h, body)
	case packet.KindSubscribe:
		return g.subscribe(p, body)
	case packet.KindUnsubscribe:
		u, err := packet.ParseUnsubscribe(body, p.v5)
		if err != nil {
			return err
		}
		var codes []byte
		if p.v5 {
			codes = make([]byte, len(u.Filters))
		}
		return p.write(packet.AppendCodes(nil, packet.KindUnsuback, u.ID, codes, p.v5))
	case packet.KindPingreq:
		return p.write([]byte{packet.KindPingresp << 4, 0})
	case packet.KindPubrel:
		a, err := packet.ParseAck(body, p.v5)
		if err != nil {
			return err
		}
		return p.write(packet.AppendAck(nil, packet.KindPubcomp, a.ID, 0, p.v5))
	}
	return nil
}

// subscribe grants what a node would, and welcomes the device once it has all it must have.
func (g *Gateway) subscribe(p *peer, body []byte) error {
	sub, err := packet.ParseSubscribe(body, p.v5)
	if err != nil {
		return err
	}
	codes := make([]byte, len(sub.Filters))
	for i, f := range sub.Filters {
		codes[i] = min(f.QoS, 1)
		if !bytes.HasPrefix([]byte(f.Text), []byte(contract.DevicePrefix(g.id))) && f.Text != contract.TopicKeys && f.Text != contract.TopicNow {
			codes[i] = 0x80
			g.note(func(s *Seen) { s.Faults = append(s.Faults, fmt.Sprintf("it subscribes to %.60q", f.Text)) })
			continue
		}
		p.filters = append(p.filters, f)
	}
	if err := p.write(packet.AppendCodes(nil, packet.KindSuback, sub.ID, codes, p.v5)); err != nil {
		return err
	}
	for _, topic := range g.topics {
		if p.qos(topic) < 0 {
			return nil
		}
	}
	welcome := false
	g.note(func(s *Seen) {
		welcome = g.peer == p && !s.Subscribed
		s.Subscribed = s.Subscribed || welcome
		for _, topic := range g.topics[2:] {
			s.Weak = s.Weak || p.qos(topic) < 1
		}
	})
	if welcome {
		g.mu.Lock()
		f := g.subscribed
		g.mu.Unlock()
		f()
	}
	return nil
}

// qos is what the device subscribed to a topic with; -1: it did not.
func (p *peer) qos(topic string) int {
	qos := -1
	for _, f := range p.filters {
		if delivery.Matches(f.Text, topic) {
			qos = max(qos, int(min(f.QoS, 1)))
		}
	}
	return qos
}

func (p *peer) write(b []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	_ = p.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := p.conn.Write(b)
	return err
}
