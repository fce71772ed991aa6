package packet

import (
	v5packets "github.com/eclipse/paho.golang/packets"
	v3packets "github.com/eclipse/paho.mqtt.golang/packets"
)

// Filter is one topic filter of a SUBSCRIBE.
type Filter struct {
	Text          string
	QoS           byte
	Retain        byte // MQTT 5 retain handling: 0 send, 1 send if new, 2 do not send
	HasIdentifier bool // carried a subscription identifier
}

// Subscribe is a SUBSCRIBE or UNSUBSCRIBE packet.
type Subscribe struct {
	ID      uint16
	Filters []Filter
}

// ParseSubscribe reads the body of a SUBSCRIBE. None without a filter is valid
// (MQTT 5 §3.8.3), nor is an id of 0.
func ParseSubscribe(body []byte, v5 bool) (Subscribe, error) {
	if v5 {
		return guarded(body, subscribeV5)
	}
	return guarded(body, subscribeV3)
}

func subscribeV3(body []byte) (Subscribe, error) {
	var p v3packets.SubscribePacket
	if err := unpackV3(&p, &p.FixedHeader, KindSubscribe, body); err != nil {
		return Subscribe{}, err
	}
	s := Subscribe{ID: p.MessageID}
	for i, topic := range p.Topics {
		if p.Qoss[i] > 2 {
			return Subscribe{}, ErrMalformed
		}
		s.Filters = append(s.Filters, Filter{Text: topic, QoS: p.Qoss[i]})
	}
	return s, s.check()
}

func subscribeV5(body []byte) (Subscribe, error) {
	p := v5packets.Subscribe{Properties: &v5packets.Properties{}}
	if err := unpackV5(&p, body); err != nil {
		return Subscribe{}, err
	}
	if !optionsValid(body) {
		return Subscribe{}, ErrMalformed
	}
	s := Subscribe{ID: p.PacketID}
	for _, o := range p.Subscriptions {
		if o.QoS > 2 || o.RetainHandling > 2 {
			return Subscribe{}, ErrMalformed
		}
		s.Filters = append(s.Filters, Filter{o.Topic, o.QoS, o.RetainHandling, p.Properties.SubscriptionIdentifier != nil})
	}
	return s, s.check()
}

// optionsValid looks at the reserved bits of the subscription options (MQTT 5
// §3.8.3.1), which the decoder drops. body has been decoded.
func optionsValid(body []byte) bool {
	size, n := varint(body[2:])
	rest := body[2+n+size:]
	for len(rest) > 0 {
		_, after, ok := cutBinary(rest)
		if !ok || len(after) == 0 || after[0]&0xC0 != 0 {
			return false
		}
		rest = after[1:]
	}
	return true
}

// ParseUnsubscribe reads the body of an UNSUBSCRIBE.
func ParseUnsubscribe(body []byte, v5 bool) (Subscribe, error) {
	if v5 {
		return guarded(body, unsubscribeV5)
	}
	return guarded(body, unsubscribeV3)
}

func unsubscribeV3(body []byte) (Subscribe, error) {
	var p v3packets.UnsubscribePacket
	if err := unpackV3(&p, &p.FixedHeader, KindUnsubscribe, body); err != nil {
		return Subscribe{}, err
	}
	return unsubscribe(p.MessageID, p.Topics)
}

func unsubscribeV5(body []byte) (Subscribe, error) {
	p := v5packets.Unsubscribe{Properties: &v5packets.Properties{}}
	if err := unpackV5(&p, body); err != nil {
		return Subscribe{}, err
	}
	return unsubscribe(p.PacketID, p.Topics)
}

func unsubscribe(id uint16, topics []string) (Subscribe, error) {
	s := Subscribe{ID: id}
	for _, topic := range topics {
		s.Filters = append(s.Filters, Filter{Text: topic})
	}
	return s, s.check()
}

func (s Subscribe) check() error {
	if s.ID == 0 || len(s.Filters) == 0 {
		return ErrMalformed
	}
	for _, f := range s.Filters {
		if !ValidText(f.Text) {
			return ErrMalformed
		}
	}
	return nil
}
