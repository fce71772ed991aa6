package mqtt

import (
	"almenara/channels/mqtt/packet"
)

// refusedV3 is the SUBACK code of MQTT 3.1.1 for all refusals.
const refusedV3 = 0x80

// subscribe answers a SUBSCRIBE. What the device may now have goes out in the same
// write, behind the SUBACK: nothing can precede it.
func (s *session) subscribe(body []byte) error {
	sub, err := packet.ParseSubscribe(body, s.v5)
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

func (s *session) answerSubscribe(sc *scratch, sub packet.Subscribe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	codes := make([]byte, len(sub.Filters))
	for i, f := range sub.Filters {
		codes[i] = s.grant(f)
	}
	sc.Buf = packet.AppendCodes(sc.Buf[:0], packet.KindSuback, sub.ID, codes, s.v5)
	s.catchUp(sc)
}

// grant takes one filter up and returns its SUBACK code. The caller holds mu.
func (s *session) grant(f packet.Filter) byte {
	qos, refusal := s.to.Grant(f, s.g.plan.Load())
	if refusal == packet.CodeSuccess {
		return qos
	}
	if s.g.extra != nil {
		if qos, ok := s.g.extra.grant(s, f); ok {
			return qos
		}
	}
	s.g.metrics.RefusedFilters.Inc()
	if !s.v5 {
		return refusedV3
	}
	return byte(refusal)
}

// unsubscribe answers an UNSUBSCRIBE.
func (s *session) unsubscribe(body []byte) error {
	u, err := packet.ParseUnsubscribe(body, s.v5)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var codes []byte
	for _, f := range u.Filters {
		c := packet.CodeSuccess
		if !s.to.Revoke(f.Text) && (s.g.extra == nil || !s.g.extra.revoke(s, f.Text)) {
			c = packet.CodeNoSubscription
		}
		if s.v5 {
			codes = append(codes, byte(c))
		}
	}
	s.put(packet.AppendCodes(nil, packet.KindUnsuback, u.ID, codes, s.v5))
	return nil
}
