package mqtt

import (
	"bytes"
	"fmt"

	v5packets "github.com/eclipse/paho.golang/packets"
	v3packets "github.com/eclipse/paho.mqtt.golang/packets"
)

// This file joins the Eclipse Paho codecs, which read and write everything rare.
// What they read is size-capped before, and checked after: the 3.1.1 decoder fills
// truncated fields with zeros and both ignore some reserved bits.

// version is a protocol level (MQTT 5 §3.1.2.2).
type version byte

const (
	version31  version = 3
	version311 version = 4
	version5   version = 5
)

// connect is a CONNECT packet of either version.
type connect struct {
	version    version
	clientID   string
	username   string
	password   []byte
	keepAlive  uint16 // seconds
	will       *will
	receiveMax int  // publishes in flight that the client takes
	maxPacket  int  // bytes of a packet that the client takes; 0 is no limit
	expiry     bool // the client asked for a session that outlives the connection
}

// will is the message that a client leaves for the case that it disappears.
type will struct {
	topic   string
	payload []byte
}

// sniff reads the protocol level and the flags out of the body of a CONNECT. It
// returns level 0 for protocols that are not MQTT.
func sniff(body []byte) (level version, flags byte) {
	name, rest, ok := cutBinary(body)
	if !ok || len(rest) < 2 {
		return 0, 0
	}
	switch string(name) {
	case "MQTT":
		return version(rest[0]), rest[1]
	case "MQIsdp": // MQTT 3.1
		return version31, rest[1]
	}
	return 0, 0
}

// parseConnect reads the body of a CONNECT of version 3.1.1 or 5.
func parseConnect(level version, flags byte, body []byte) (connect, error) {
	const reserved, hasWill, willQoS, willRetain, password, username = 1, 4, 0x18, 0x20, 0x40, 0x80
	switch {
	case flags&reserved != 0, flags&willQoS == willQoS,
		flags&hasWill == 0 && flags&(willQoS|willRetain) != 0,
		level == version311 && flags&password != 0 && flags&username == 0:
		return connect{}, errMalformed
	}
	if level == version5 {
		return guarded(body, parseConnectV5)
	}
	return guarded(body, parseConnectV3)
}

func parseConnectV3(body []byte) (connect, error) {
	var p v3packets.ConnectPacket
	if err := unpackV3(&p, &p.FixedHeader, kindConnect, body); err != nil {
		return connect{}, err
	}
	c := connect{
		version: version311, clientID: p.ClientIdentifier, username: p.Username,
		password: p.Password, keepAlive: p.Keepalive, receiveMax: 0xFFFF,
	}
	if p.WillFlag {
		c.will = &will{p.WillTopic, p.WillMessage}
	}
	return c, nil
}

func parseConnectV5(body []byte) (connect, error) {
	p := v5packets.Connect{Properties: &v5packets.Properties{}}
	if err := unpackV5(&p, body); err != nil {
		return connect{}, err
	}
	c := connect{
		version: version5, clientID: p.ClientID, username: p.Username,
		password: p.Password, keepAlive: p.KeepAlive, receiveMax: 0xFFFF,
		expiry: deref(p.Properties.SessionExpiryInterval) > 0,
	}
	if p.WillFlag {
		c.will = &will{p.WillTopic, p.WillMessage}
	}
	return c, c.limits(p.Properties)
}

// limits takes over what the client can receive. Zero is a protocol error (MQTT 5
// §3.1.2.11.3, §3.1.2.11.4).
func (c *connect) limits(p *v5packets.Properties) error {
	for _, pair := range p.User {
		if !validText(pair.Key) || !validText(pair.Value) {
			return errMalformed
		}
	}
	if p.AuthMethod != "" {
		return &fault{codeAuthMethod, "enhanced authentication is not offered"}
	}
	if p.ReceiveMaximum != nil {
		c.receiveMax = int(*p.ReceiveMaximum)
	}
	if p.MaximumPacketSize != nil {
		c.maxPacket = int(*p.MaximumPacketSize)
	}
	if c.receiveMax == 0 || p.MaximumPacketSize != nil && c.maxPacket == 0 {
		return &fault{codeProtocol, "receive maximum or maximum packet size of zero"}
	}
	return nil
}

// filter is one topic filter of a SUBSCRIBE.
type filter struct {
	text         string
	qos          byte
	retain       byte // MQTT 5 retain handling: 0 send, 1 send if new, 2 do not send
	subscription bool // carried a subscription identifier
}

// subscribe is a SUBSCRIBE or UNSUBSCRIBE packet.
type subscribe struct {
	id      uint16
	filters []filter
}

// parseSubscribe reads the body of a SUBSCRIBE. None without a filter is valid
// (MQTT 5 §3.8.3), nor is an id of 0.
func parseSubscribe(body []byte, v5 bool) (subscribe, error) {
	if v5 {
		return guarded(body, subscribeV5)
	}
	return guarded(body, subscribeV3)
}

func subscribeV3(body []byte) (subscribe, error) {
	var p v3packets.SubscribePacket
	if err := unpackV3(&p, &p.FixedHeader, kindSubscribe, body); err != nil {
		return subscribe{}, err
	}
	s := subscribe{id: p.MessageID}
	for i, topic := range p.Topics {
		if p.Qoss[i] > 2 {
			return subscribe{}, errMalformed
		}
		s.filters = append(s.filters, filter{text: topic, qos: p.Qoss[i]})
	}
	return s, s.check()
}

func subscribeV5(body []byte) (subscribe, error) {
	p := v5packets.Subscribe{Properties: &v5packets.Properties{}}
	if err := unpackV5(&p, body); err != nil {
		return subscribe{}, err
	}
	if !optionsValid(body) {
		return subscribe{}, errMalformed
	}
	s := subscribe{id: p.PacketID}
	for _, o := range p.Subscriptions {
		if o.QoS > 2 || o.RetainHandling > 2 {
			return subscribe{}, errMalformed
		}
		s.filters = append(s.filters, filter{o.Topic, o.QoS, o.RetainHandling, p.Properties.SubscriptionIdentifier != nil})
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

// parseUnsubscribe reads the body of an UNSUBSCRIBE.
func parseUnsubscribe(body []byte, v5 bool) (subscribe, error) {
	if v5 {
		return guarded(body, unsubscribeV5)
	}
	return guarded(body, unsubscribeV3)
}

func unsubscribeV3(body []byte) (subscribe, error) {
	var p v3packets.UnsubscribePacket
	if err := unpackV3(&p, &p.FixedHeader, kindUnsubscribe, body); err != nil {
		return subscribe{}, err
	}
	return unsubscribe(p.MessageID, p.Topics)
}

func unsubscribeV5(body []byte) (subscribe, error) {
	p := v5packets.Unsubscribe{Properties: &v5packets.Properties{}}
	if err := unpackV5(&p, body); err != nil {
		return subscribe{}, err
	}
	return unsubscribe(p.PacketID, p.Topics)
}

func unsubscribe(id uint16, topics []string) (subscribe, error) {
	s := subscribe{id: id}
	for _, topic := range topics {
		s.filters = append(s.filters, filter{text: topic})
	}
	return s, s.check()
}

func (s subscribe) check() error {
	if s.id == 0 || len(s.filters) == 0 {
		return errMalformed
	}
	for _, f := range s.filters {
		if !validText(f.text) {
			return errMalformed
		}
	}
	return nil
}

// unpackV3 decodes and encodes again: only what comes out as it went in was
// whole, and had its reserved bits right.
func unpackV3(p v3packets.ControlPacket, fixed *v3packets.FixedHeader, kind byte, body []byte) error {
	*fixed = v3packets.FixedHeader{MessageType: kind, RemainingLength: len(body)}
	if kind != kindConnect {
		fixed.Qos = 1 // the reserved flags of SUBSCRIBE and UNSUBSCRIBE
	}
	var again bytes.Buffer
	if p.Unpack(fieldReader{bytes.NewReader(body)}) != nil || p.Write(&again) != nil {
		return errMalformed
	}
	h, err := parseHeader(again.Bytes())
	if err != nil || !bytes.Equal(again.Bytes()[h.length:], body) {
		return errMalformed
	}
	return nil
}

// fieldReader reads an empty field at the end of a packet as empty, where the 3.1.1
// decoder would take io.EOF for a packet that is cut off.
type fieldReader struct{ *bytes.Reader }

// Read implements io.Reader.
func (r fieldReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return r.Reader.Read(p)
}

// unpackV5 decodes and checks that nothing is left over.
func unpackV5(p v5packets.Packet, body []byte) error {
	b := bytes.NewBuffer(body)
	if err := p.Unpack(b); err != nil || b.Len() > 0 {
		return errMalformed
	}
	return nil
}

// guarded turns a panic of a foreign decoder into a malformed packet.
func guarded[T any](body []byte, parse func([]byte) (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding packet: %v: %w", p, errMalformed)
		}
	}()
	return parse(body)
}

// appendConnack writes a CONNACK. Sessions always start clean.
func appendConnack(b []byte, v version, c code, p *v5packets.Properties) []byte {
	if v != version5 {
		return append(b, kindConnack<<4, 2, 0, c.connackV3())
	}
	if p == nil {
		p = &v5packets.Properties{}
	}
	var w bytes.Buffer
	packet := v5packets.Connack{ReasonCode: byte(c), Properties: p}
	_, _ = packet.WriteTo(&w) // a buffer takes everything
	return append(b, w.Bytes()...)
}

func deref[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}
