package packet

import (
	"bytes"

	v5packets "github.com/eclipse/paho.golang/packets"
	v3packets "github.com/eclipse/paho.mqtt.golang/packets"
)

// Version is a protocol level (MQTT 5 §3.1.2.2).
type Version byte

// The protocol levels that are known.
const (
	Version31  Version = 3
	Version311 Version = 4
	Version5   Version = 5
)

// Connect is a CONNECT packet of either version.
type Connect struct {
	Version        Version
	ClientID       string
	Username       string
	Password       []byte
	KeepAlive      uint16 // seconds
	Will           *Will
	ReceiveMaximum int  // publishes in flight that the client takes
	MaxPacket      int  // bytes of a packet that the client takes; 0 is no limit
	Expiry         bool // the client asked for a session that outlives the connection
}

// Will is the message that a client leaves for the case that it disappears.
type Will struct {
	Topic   string
	Payload []byte
}

// ProtocolLevel reads the protocol level and the flags out of the body of a CONNECT. It
// returns level 0 for protocols that are not MQTT.
func ProtocolLevel(body []byte) (level Version, flags byte) {
	name, rest, ok := cutBinary(body)
	if !ok || len(rest) < 2 {
		return 0, 0
	}
	switch string(name) {
	case "MQTT":
		return Version(rest[0]), rest[1]
	case "MQIsdp": // MQTT 3.1
		return Version31, rest[1]
	}
	return 0, 0
}

// ParseConnect reads the body of a CONNECT of version 3.1.1 or 5.
func ParseConnect(level Version, flags byte, body []byte) (Connect, error) {
	const reserved, hasWill, willQoS, willRetain, password, username = 1, 4, 0x18, 0x20, 0x40, 0x80
	switch {
	case flags&reserved != 0, flags&willQoS == willQoS,
		flags&hasWill == 0 && flags&(willQoS|willRetain) != 0,
		level == Version311 && flags&password != 0 && flags&username == 0:
		return Connect{}, ErrMalformed
	}
	if level == Version5 {
		return guarded(body, parseConnectV5)
	}
	return guarded(body, parseConnectV3)
}

func parseConnectV3(body []byte) (Connect, error) {
	var p v3packets.ConnectPacket
	if err := unpackV3(&p, &p.FixedHeader, KindConnect, body); err != nil {
		return Connect{}, err
	}
	c := Connect{
		Version: Version311, ClientID: p.ClientIdentifier, Username: p.Username,
		Password: p.Password, KeepAlive: p.Keepalive, ReceiveMaximum: 0xFFFF,
	}
	if p.WillFlag {
		c.Will = &Will{p.WillTopic, p.WillMessage}
	}
	return c, nil
}

func parseConnectV5(body []byte) (Connect, error) {
	p := v5packets.Connect{Properties: &v5packets.Properties{}}
	if err := unpackV5(&p, body); err != nil {
		return Connect{}, err
	}
	c := Connect{
		Version: Version5, ClientID: p.ClientID, Username: p.Username,
		Password: p.Password, KeepAlive: p.KeepAlive, ReceiveMaximum: 0xFFFF,
		Expiry: deref(p.Properties.SessionExpiryInterval) > 0,
	}
	if p.WillFlag {
		c.Will = &Will{p.WillTopic, p.WillMessage}
	}
	return c, c.limits(p.Properties)
}

// limits takes over what the client can receive. Zero is a protocol error (MQTT 5
// §3.1.2.11.3, §3.1.2.11.4).
func (c *Connect) limits(p *v5packets.Properties) error {
	for _, pair := range p.User {
		if !ValidText(pair.Key) || !ValidText(pair.Value) {
			return ErrMalformed
		}
	}
	if p.AuthMethod != "" {
		return &Fault{CodeAuthMethod, "enhanced authentication is not offered"}
	}
	if p.ReceiveMaximum != nil {
		c.ReceiveMaximum = int(*p.ReceiveMaximum)
	}
	if p.MaximumPacketSize != nil {
		c.MaxPacket = int(*p.MaximumPacketSize)
	}
	if c.ReceiveMaximum == 0 || p.MaximumPacketSize != nil && c.MaxPacket == 0 {
		return &Fault{CodeProtocol, "receive maximum or maximum packet size of zero"}
	}
	return nil
}

// AppendConnack writes a CONNACK; p may be nil. Sessions always start clean.
func AppendConnack(b []byte, v Version, c Code, p *v5packets.Properties) []byte {
	if v != Version5 {
		return append(b, KindConnack<<4, 2, 0, c.ConnackV3())
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
