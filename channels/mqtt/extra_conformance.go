//go:build conformance

package mqtt

import (
	"strings"
	"sync"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
)

// OpenTestTopics makes the gateway a small broker, so that public test suites can
// drive its connections, codecs, sessions and flow control: any client id is let in
// without a credential, and what is published goes to all who subscribed to it. The
// filter closed is refused. It is for builds with the tag conformance and must be
// called before the first client comes.
func (g *Gateway) OpenTestTopics(closed string) {
	g.extra = &testTopics{g: g, closed: closed, clients: map[*session]*testClient{}}
}

type testTopics struct {
	g      *Gateway
	closed string

	mu      sync.Mutex // below session.mu
	clients map[*session]*testClient
}

// testClient is what one session has subscribed to, and what waits for it.
type testClient struct {
	filters map[string]byte // QoS by filter; guarded by testTopics.mu
	queue   chan packet.Outgoing
	landed  chan error // one for each PUBACK
}

func (t *testTopics) admit(c packet.Connect) (channels.Endpoint, bool) {
	return channels.Endpoint{Device: c.ClientID}, c.ClientID != ""
}

func (t *testTopics) grant(s *session, f packet.Filter) (byte, bool) {
	if f.Text == t.closed || s.to.Refusal(f) != packet.CodeNotAuthorized {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[s]
	if c == nil {
		c = &testClient{filters: map[string]byte{}, queue: make(chan packet.Outgoing, 1024), landed: make(chan error, 1024)}
		t.clients[s] = c
		s.g.wg.Add(1)
		go t.serve(s, c)
	}
	c.filters[f.Text] = min(f.QoS, 1)
	return min(f.QoS, 1), true
}

func (t *testTopics) revoke(s *session, filter string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[s]
	if c == nil {
		return false
	}
	_, had := c.filters[filter]
	delete(c.filters, filter)
	return had
}

func (t *testTopics) publish(s *session, p packet.Publish) error {
	u, fresh, err := s.begin(p, metrics.Foreign)
	if !fresh || err != nil {
		return err
	}
	t.route(string(p.Topic), p.Payload, p.QoS)
	u.answer(packet.CodeSuccess)
	return nil
}

// route queues a message for everybody who wants it, at the highest QoS of all
// filters that match.
func (t *testTopics) route(topic string, payload []byte, qos byte) {
	o := packet.Outgoing{Topic: [3]string{topic}, Payload: append([]byte(nil), payload...)}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients {
		best := -1
		for filter, granted := range c.filters {
			if !(topic[0] == '$' && strings.ContainsAny(filter[:1], "+#")) && delivery.Matches(filter, topic) {
				best = max(best, int(granted))
			}
		}
		if best >= 0 {
			o.QoS = min(byte(best), qos)
			c.queue <- o
		}
	}
}

// serve sends what is queued, within the client's window.
func (t *testTopics) serve(s *session, c *testClient) {
	defer t.g.wg.Done()
	for o := range c.queue {
		for len(c.landed) > 0 {
			<-c.landed
		}
		for !t.send(s, c, o) {
			<-c.landed
		}
	}
}

// send reports false when the window is full.
func (t *testTopics) send(s *session, c *testClient, o packet.Outgoing) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || !s.to.Fits(&o) {
		return true
	}
	if o.QoS > 0 {
		if s.to.WindowFull() {
			return false
		}
		o.ID = s.to.Add(delivery.InFlight{Done: c.landed})
	}
	s.put(o.Append(nil, s.v5))
	return true
}

func (t *testTopics) leave(s *session, will bool) {
	t.mu.Lock()
	if c := t.clients[s]; c != nil {
		close(c.queue)
		delete(t.clients, s)
	}
	t.mu.Unlock()
	if will && s.will != nil && s.will.Topic != contract.TopicState(s.from.Device) {
		t.route(s.will.Topic, s.will.Payload, 1)
	}
}
