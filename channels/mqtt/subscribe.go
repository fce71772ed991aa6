package mqtt

import (
	"slices"
	"strings"

	"almenara/channels/contract"
)

// maxFilters bounds the subscriptions below a device's own prefix.
const maxFilters = 16

// ownFilter is a subscription below the device's own prefix.
type ownFilter struct {
	leaf string // the filter without the prefix: alert/#, command, …
	qos  int8
}

// refusedV3 is the SUBACK code of MQTT 3.1.1 for all refusals.
const refusedV3 = 0x80

// subscribe answers a SUBSCRIBE. What the device may now have goes out in the same
// write, behind the SUBACK: nothing can precede it.
func (s *session) subscribe(body []byte) error {
	sub, err := parseSubscribe(body, s.v5)
	if err != nil {
		return err
	}
	sc := s.g.scratches.Get().(*scratch)
	defer s.g.scratches.Put(sc)
	s.answerSubscribe(sc, sub)
	s.tellTooLarge(sc)
	s.g.tellSent(sc)
	return nil
}

func (s *session) answerSubscribe(sc *scratch, sub subscribe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	codes := make([]byte, len(sub.filters))
	for i, f := range sub.filters {
		codes[i] = s.grant(f)
	}
	sc.buf = appendCodes(sc.buf[:0], kindSuback, sub.id, codes, s.v5)
	s.catchUp(sc)
}

// grant takes one filter up and returns its SUBACK code. The caller holds mu.
func (s *session) grant(f filter) byte {
	c := s.refusal(f)
	if c != codeSuccess && s.g.extra != nil {
		if qos, ok := s.g.extra.grant(s, f); ok {
			return qos
		}
	}
	if c != codeSuccess {
		s.g.metrics.refusedFilters.Inc()
		if !s.v5 {
			return refusedV3
		}
		return byte(c)
	}
	qos := min(f.qos, 1)
	switch f.text {
	case contract.TopicNow:
		if sendsRetained(f, s.nowQoS >= 0) {
			s.nowSent, s.nowRetain = 0, true
		} else if s.nowQoS < 0 {
			s.nowSent = s.g.plan.Load().nowSerial
		}
		s.nowQoS = int8(qos)
	case contract.TopicKeys:
		if sendsRetained(f, s.keysQoS >= 0) {
			s.keysSent, s.keyRetain = 0, true
		} else if s.keysQoS < 0 {
			s.keysSent = s.g.plan.Load().keysSerial
		}
		s.keysQoS = int8(qos)
	default:
		s.addFilter(ownFilter{f.text[len(s.prefix):], int8(qos)})
	}
	return qos
}

// sendsRetained is MQTT 5 retain handling (§3.8.3.1).
func sendsRetained(f filter, subscribed bool) bool {
	return f.retain == 0 || f.retain == 1 && !subscribed
}

// refusal says why a filter is refused: the device may have the two topics for all
// and what is below its own prefix.
func (s *session) refusal(f filter) code {
	switch {
	case f.subscription:
		return codeSubscriptionID
	case strings.HasPrefix(f.text, "$share/"):
		return codeShared
	case !validFilter(f.text):
		return codeFilter
	case f.text == contract.TopicNow || f.text == contract.TopicKeys:
		return codeSuccess
	case !strings.HasPrefix(f.text, s.prefix):
		return codeNotAuthorized
	case len(s.filters) >= maxFilters && !s.hasFilter(f.text[len(s.prefix):]):
		return codeQuota
	}
	return codeSuccess
}

// validFilter is MQTT 5 §4.7: wildcards stand alone in their level, '#' last.
func validFilter(text string) bool {
	if text == "" {
		return false
	}
	levels := strings.Split(text, "/")
	for i, level := range levels {
		switch {
		case level == "#" && i == len(levels)-1, level == "+":
		case strings.ContainsAny(level, "+#"):
			return false
		}
	}
	return true
}

func (s *session) hasFilter(leaf string) bool {
	return slices.ContainsFunc(s.filters, func(f ownFilter) bool { return f.leaf == leaf })
}

// addFilter replaces an equal one, and looks again at what the device lacks.
func (s *session) addFilter(f ownFilter) {
	s.dropFilter(f.leaf)
	s.filters = append(s.filters, f)
	s.recount()
}

func (s *session) dropFilter(leaf string) bool {
	before := len(s.filters)
	s.filters = slices.DeleteFunc(s.filters, func(f ownFilter) bool { return f.leaf == leaf })
	return len(s.filters) < before
}

// anyAlert stands for every alert: no filter can name it, as NUL is not allowed.
const anyAlert = "\x00"

// recount works out once what qosFor answers for each delivery.
func (s *session) recount() {
	s.caughtUp = 0
	s.alertsQoS = -1
	for _, f := range s.filters {
		if matches(f.leaf, leafAlert+anyAlert) {
			s.alertsQoS = max(s.alertsQoS, f.qos)
		}
	}
}

// qosFor is the granted QoS for an alert; -1 without a subscription. The highest
// of all that match applies (MQTT 5 §3.3.4).
func (s *session) qosFor(id string) int8 {
	if s.alertsQoS == 1 {
		return 1
	}
	qos := s.alertsQoS
	for _, f := range s.filters {
		level, rest, _ := strings.Cut(f.leaf, "/")
		if (level == contract.LeafAlert || level == "+") && matches(rest, id) {
			qos = max(qos, f.qos)
		}
	}
	return qos
}

// matches reports whether the filter takes the topic (MQTT 5 §4.7). Both are below
// the same prefix. It allocates nothing.
func matches(filter, topic string) bool {
	for {
		level, restFilter, moreFilter := strings.Cut(filter, "/")
		if level == "#" {
			return true
		}
		name, restTopic, moreTopic := strings.Cut(topic, "/")
		if level != "+" && level != name {
			return false
		}
		if !moreTopic {
			return !moreFilter || restFilter == "#"
		}
		if !moreFilter {
			return false
		}
		filter, topic = restFilter, restTopic
	}
}

// unsubscribe answers an UNSUBSCRIBE.
func (s *session) unsubscribe(body []byte) error {
	u, err := parseUnsubscribe(body, s.v5)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var codes []byte
	for _, f := range u.filters {
		c := s.revoke(f.text)
		if s.v5 {
			codes = append(codes, byte(c))
		}
	}
	s.put(appendCodes(nil, kindUnsuback, u.id, codes, s.v5))
	return nil
}

func (s *session) revoke(text string) code {
	var had bool
	leaf, own := strings.CutPrefix(text, s.prefix)
	switch {
	case text == contract.TopicNow:
		had, s.nowQoS = s.nowQoS >= 0, -1
	case text == contract.TopicKeys:
		had, s.keysQoS = s.keysQoS >= 0, -1
	case own:
		had = s.dropFilter(leaf)
		s.recount()
	}
	if !had && s.g.extra != nil {
		had = s.g.extra.revoke(s, text)
	}
	if !had {
		return codeNoSubscription
	}
	return codeSuccess
}
