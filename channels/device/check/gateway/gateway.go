// Package gateway is an MQTT server for one device, on the ports of several nodes. It owns the
// connection, and what the device was seen to do, and sends whatever it is told to, at any time. It
// knows no keys and no rules of what is shown.
//
// It imports channels/contract and the codecs of channels/mqtt.
package gateway

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
)

// maxPacket bounds what the device may send in one packet.
const maxPacket = 64 << 10

// Gateway is the server. Its methods may be called from any goroutine.
type Gateway struct {
	id, secret string
	listeners  []net.Listener
	work       sync.WaitGroup
	topics     []string // that the device must subscribe to

	mu         sync.Mutex // guards all below
	seen       Seen
	changed    chan struct{} // closed at the next change
	peer       *peer         // the newest connection; nil: none
	closed     bool
	down       map[int]bool // nodes that take no connection
	withhold   bool         // receipts are not acknowledged
	subscribed func()
}

// New opens the ports at once; a device may connect from then on. Close it.
func New(id, secret string, listen []string) (*Gateway, error) {
	g := &Gateway{
		id: id, secret: secret, changed: make(chan struct{}), down: map[int]bool{}, subscribed: func() {},
		topics: []string{contract.TopicKeys, contract.TopicNow, contract.TopicAlert(id, "a"), contract.TopicCommand(id)},
	}
	for n, address := range listen {
		l, err := net.Listen("tcp", address)
		if err != nil {
			g.Close()
			return nil, err
		}
		g.listeners = append(g.listeners, l)
		g.work.Go(func() { g.accept(n, l) })
	}
	return g, nil
}

// Servers are the URLs of the nodes: MQTT over TCP, then over WebSocket, on the same ports.
func (g *Gateway) Servers() (urls []string) {
	for _, scheme := range []string{"tcp://", "ws://"} {
		for _, l := range g.listeners {
			urls = append(urls, scheme+l.Addr().String())
		}
	}
	return urls
}

// Close closes the ports and the connection, and waits for what served them.
func (g *Gateway) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	for _, l := range g.listeners {
		_ = l.Close()
	}
	g.Drop()
	g.work.Wait()
}

func (g *Gateway) accept(n int, l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		g.mu.Lock()
		refuse := g.closed || g.down[n]
		g.mu.Unlock()
		if refuse {
			_ = conn.Close()
			continue
		}
		g.work.Go(func() {
			defer conn.Close()
			if err := g.serve(n, conn); err != nil {
				g.note(func(s *Seen) { s.Ends = append(s.Ends, err.Error()) })
			}
		})
	}
}

// OnSubscribed sets what is done when a connection has subscribed to everything.
func (g *Gateway) OnSubscribed(f func()) {
	g.mu.Lock()
	g.subscribed = f
	already := g.seen.Subscribed
	g.mu.Unlock()
	if already {
		f()
	}
}

// Send sends anything to the device, where it is connected.
func (g *Gateway) Send(topic string, payload []byte, retain bool) {
	g.mu.Lock()
	p := g.peer
	g.mu.Unlock()
	if p == nil {
		return
	}
	o := packet.Outgoing{Topic: [3]string{topic}, Retain: retain, Payload: payload}
	if topic != contract.TopicKeys && topic != contract.TopicNow {
		o.QoS = 1
	}
	p.writing.Lock()
	p.nextID = p.nextID%60000 + 1
	o.ID = p.nextID
	p.writing.Unlock()
	_ = p.write(o.Append(nil, p.v5)) // a connection that is lost is seen elsewhere
}

// Drop ends the connection without a word.
func (g *Gateway) Drop() {
	g.mu.Lock()
	p := g.peer
	g.peer, g.seen.Subscribed = nil, false
	g.mu.Unlock()
	if p != nil {
		_ = p.conn.Close()
	}
}

// Down takes no connection at a node from now on; those that are there stay.
func (g *Gateway) Down(node int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down[node] = true
}

// Withhold leaves receipts without a PUBACK, or no more.
func (g *Gateway) Withhold(yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.withhold = yes
}

// Behave takes back Down and Withhold.
func (g *Gateway) Behave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.withhold = false
	clear(g.down)
}

// Nodes is how many nodes are played.
func (g *Gateway) Nodes() int { return len(g.listeners) }

// note changes what was seen and wakes whoever awaits it.
func (g *Gateway) note(change func(s *Seen)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change(&g.seen)
	close(g.changed)
	g.changed = make(chan struct{})
}

// Await waits until what was seen is enough; false when it never was.
func (g *Gateway) Await(ctx context.Context, most time.Duration, enough func(s *Seen) bool) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		g.mu.Lock()
		yes, changed := enough(&g.seen), g.changed
		g.mu.Unlock()
		if yes {
			return true
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// WillSession reads the session number and the word of a will.
func WillSession(payload []byte) (session uint64, state string) {
	var s contract.State
	_ = json.Unmarshal(payload, &s)
	return s.Session, s.State
}
