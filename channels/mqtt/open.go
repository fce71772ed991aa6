package mqtt

import (
	"context"
	"errors"
	"fmt"
	"time"

	v5packets "github.com/eclipse/paho.golang/packets"

	"almenara/channels/contract"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
)

// opening is a session until its CONNECT has been accepted.
type opening struct{ *session }

// open takes the connection up to an accepted CONNECT, within the connect timeout.
// It returns the CONNACK that admits the device, or nil when it was refused.
func (s opening) open() []byte {
	defer s.rescue()
	deadline := time.Now().Add(s.g.limits.ConnectTimeout)
	if s.out.SetReadDeadline(deadline) != nil {
		return nil
	}
	deadline, err := s.g.accept.Handshake(s.out, s.top, deadline)
	if err != nil {
		s.refused(metrics.Handshake, err)
		return nil
	}
	h, body, err := s.first(s.g.limits.MaxConnect)
	if err == nil && h.Kind != packet.KindConnect {
		err = packet.ErrUnexpected
	}
	if err != nil {
		s.refused(metrics.Protocol, err)
		return nil
	}
	connack := s.connect(body, deadline)
	if connack == nil || s.out.SetReadDeadline(time.Time{}) != nil {
		return nil
	}
	s.g.accept.Known(s.out)
	s.g.metrics.Connects[metrics.Accepted].Inc()
	s.heard.Store(s.g.clock.Now())
	return connack
}

// first reads the first packet. What came behind it is kept.
func (s opening) first(limit int) (packet.Header, []byte, error) {
	in, n := make([]byte, readBuffer), 0
	for {
		h, size, err := packet.Cut(in[:n], limit)
		if err != nil {
			return packet.Header{}, nil, err
		}
		if size > 0 {
			s.in.rest = append(s.in.rest, in[size:n]...)
			return h, in[h.Length:size], nil
		}
		if n == len(in) {
			in = append(in, make([]byte, n)...)
		}
		got, err := s.top.Read(in[n:])
		if n += got; got == 0 && err != nil {
			return packet.Header{}, nil, fmt.Errorf("reading from device: %w", err)
		}
	}
}

// connect decides on a CONNECT. It answers refusals itself.
func (s opening) connect(body []byte, deadline time.Time) (connack []byte) {
	level, flags := packet.ProtocolLevel(body)
	if level != packet.Version311 && level != packet.Version5 {
		s.refuseVersion(level)
		return nil
	}
	c, err := packet.ParseConnect(level, flags, body)
	if err == nil {
		err = s.identify(c, deadline)
	}
	if err != nil {
		s.refuse(level, err)
		return nil
	}
	s.adopt(c)
	return packet.AppendConnack(nil, level, packet.CodeSuccess, s.terms(c))
}

// identify says who the client is, or why it is refused.
func (s opening) identify(c packet.Connect, deadline time.Time) error {
	if s.g.extra != nil {
		if from, ok := s.g.extra.admit(c); ok {
			s.from = from
			return nil
		}
	}
	if err := s.check(c); err != nil {
		return err
	}
	return s.authenticate(c, deadline)
}

// check holds the CONNECT to the contract: the client id is the device id, and
// the will speaks for nobody else.
func (s opening) check(c packet.Connect) error {
	if !contract.ValidDeviceID(c.ClientID) || c.Username != c.ClientID {
		return &packet.Fault{Code: packet.CodeClientID, Text: "client id is not the device id"}
	}
	if c.Will != nil && c.Will.Topic != contract.TopicState(c.ClientID) {
		return &packet.Fault{Code: packet.CodeNotAuthorized, Text: "will outside the device's own state topic"}
	}
	return nil
}

func (s opening) authenticate(c packet.Connect, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(s.g.ctx, deadline)
	defer cancel()
	from, err := s.g.auth.Authenticate(ctx, c.ClientID, string(c.Password))
	switch {
	case errors.Is(err, ErrCredential):
		return &packet.Fault{Code: packet.CodeCredential, Text: "wrong device credential"}
	case errors.Is(err, ErrUnavailable):
		return &packet.Fault{Code: packet.CodeUnavailable, Text: "no device is served here now"}
	case err == nil && from.Device != c.ClientID:
		err = fmt.Errorf("device %q authenticated as %q", c.ClientID, from.Device)
	}
	if err != nil {
		s.g.log.Warn("authentication failed", "device", c.ClientID, "error", err)
		return &packet.Fault{Code: packet.CodeUnavailable, Text: "authentication is not available"}
	}
	s.from = from
	return nil
}

// adopt takes over what the CONNECT says.
func (s opening) adopt(c packet.Connect) {
	s.v5 = c.Version == packet.Version5
	s.to.Connect(delivery.Device{
		Member: s.from.Member, Prefix: contract.DevicePrefix(s.from.Device), V5: s.v5,
		Window: min(s.g.limits.MaxInflight, c.ReceiveMaximum), MaxPacket: c.MaxPacket,
	})
	s.will = c.Will
	s.quiet = quietTime(s.keepAlive(c))
}

// keepAlive is the interval that applies. MQTT 5 devices are told the server's
// when they ask for none or for a longer one; 3.1.1 devices cannot be told.
func (s opening) keepAlive(c packet.Connect) time.Duration {
	asked := time.Duration(c.KeepAlive) * time.Second
	if c.Version == packet.Version5 && (asked == 0 || asked > s.g.limits.MaxKeepAlive) {
		return s.g.limits.MaxKeepAlive.Truncate(time.Second)
	}
	return asked
}

// quietTime is one and a half times the keep alive (MQTT 5 §3.1.2.10), in
// arithmetic that 65535 seconds do not overflow. 0 stays no limit: then TCP
// keep-alive and the user timeout find out.
func quietTime(keepAlive time.Duration) time.Duration { return keepAlive + keepAlive/2 }

// terms is what an MQTT 5 device is told in the CONNACK.
func (s opening) terms(c packet.Connect) *v5packets.Properties {
	var none byte
	receiveMax, maxPacket := uint16(s.g.limits.MaxTaking), uint32(s.g.limits.MaxPacket)
	p := &v5packets.Properties{
		ReceiveMaximum: &receiveMax, MaximumPacketSize: &maxPacket,
		SubIDAvailable: &none, SharedSubAvailable: &none,
	}
	if c.Expiry {
		p.SessionExpiryInterval = new(uint32)
	}
	if told := s.keepAlive(c); told != time.Duration(c.KeepAlive)*time.Second {
		seconds := uint16(told / time.Second)
		p.ServerKeepAlive = &seconds
	}
	return p
}

// refuse answers a CONNECT of a version that is spoken here.
func (s opening) refuse(level packet.Version, err error) {
	var f *packet.Fault
	if !errors.As(err, &f) {
		f = &packet.Fault{Code: packet.CodeUnspecified, Text: err.Error()}
	}
	if level == packet.Version5 || f.Code.ConnackV3() != 0 {
		s.write(packet.AppendConnack(nil, level, f.Code, nil))
		defer s.turnAway()
	}
	s.refused(metrics.ResultOf(f.Code), err)
}

// refuseVersion answers a CONNECT of another version in the form that its sender
// may understand; level 0 is not MQTT and gets no answer.
func (s opening) refuseVersion(level packet.Version) {
	switch {
	case level > packet.Version5:
		s.write(packet.AppendConnack(nil, packet.Version5, packet.CodeVersion, nil))
	case level != 0:
		s.write(packet.AppendConnack(nil, level, packet.CodeVersion, nil))
	}
	if level != 0 {
		defer s.turnAway()
	}
	s.refused(metrics.Protocol, fmt.Errorf("protocol level %d is not spoken", level))
}

func (s opening) refused(result metrics.Result, err error) {
	s.g.metrics.Connects[result].Inc()
	s.g.log.Debug("connection refused", "result", result, "address", s.out.RemoteAddr().String(), "error", err)
}

// turnAway closes a connection that was refused with a CONNACK.
func (s opening) turnAway() {
	s.g.lastReads.CloseAfter(s.out, func() { _ = s.top.Close() })
}
