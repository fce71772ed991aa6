//go:build conformance

package mqtt

import (
	"strings"
	"sync"

	"almenara/channels"
	"almenara/channels/contract"
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
	queue   chan outgoing
	landed  chan error // one for each PUBACK
}

func (t *testTopics) admit(c connect) (channels.Endpoint, bool) {
	return channels.Endpoint{Device: c.clientID}, c.clientID != ""
}

func (t *testTopics) grant(s *session, f filter) (byte, bool) {
	if f.text == t.closed || s.refusal(f) != codeNotAuthorized {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[s]
	if c == nil {
		c = &testClient{filters: map[string]byte{}, queue: make(chan outgoing, 1024), landed: make(chan error, 1024)}
		t.clients[s] = c
		s.g.goroutineStarts()
		go t.serve(s, c)
	}
	c.filters[f.text] = min(f.qos, 1)
	return min(f.qos, 1), true
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

func (t *testTopics) publish(s *session, p publish) error {
	ref, fresh, err := s.begin(p)
	if !fresh || err != nil {
		return err
	}
	t.route(string(p.topic), p.payload, p.qos)
	s.finish(ref, codeSuccess)
	return nil
}

// route queues a message for everybody who wants it, at the highest QoS of all
// filters that match.
func (t *testTopics) route(topic string, payload []byte, qos byte) {
	o := outgoing{topic: [3]string{topic}, payload: append([]byte(nil), payload...)}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.clients {
		best := -1
		for filter, granted := range c.filters {
			if !(topic[0] == '$' && strings.ContainsAny(filter[:1], "+#")) && matches(filter, topic) {
				best = max(best, int(granted))
			}
		}
		if best >= 0 {
			o.qos = min(byte(best), qos)
			c.queue <- o
		}
	}
}

// serve sends what is queued, within the client's window.
func (t *testTopics) serve(s *session, c *testClient) {
	defer t.g.goroutineEnds()
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
func (t *testTopics) send(s *session, c *testClient, o outgoing) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || !s.takes(&o) {
		return true
	}
	if o.qos > 0 {
		if len(s.flights) >= s.window {
			return false
		}
		o.id = s.takeOff(flight{done: c.landed})
	}
	s.put(o.append(nil, s.v5))
	return true
}

func (t *testTopics) leave(s *session, will bool) {
	t.mu.Lock()
	if c := t.clients[s]; c != nil {
		close(c.queue)
		delete(t.clients, s)
	}
	t.mu.Unlock()
	if will && s.will != nil && s.will.topic != contract.TopicState(s.from.Device) {
		t.route(s.will.topic, s.will.payload, 1)
	}
}
