package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	v5packets "github.com/eclipse/paho.golang/packets"

	"almenara/channels/contract"
)

// open takes the connection up to an accepted CONNECT, within the connect timeout.
// It returns the CONNACK that admits the device, or nil when it was refused.
func (s *session) open() []byte {
	defer s.rescue()
	deadline := time.Now().Add(s.g.limits.ConnectTimeout)
	if s.out.SetReadDeadline(deadline) != nil {
		return nil
	}
	deadline, err := s.handshake(deadline)
	if err != nil {
		s.refused(resultHandshake, err)
		return nil
	}
	h, body, err := s.first(s.g.limits.MaxConnect)
	if err == nil && h.kind != kindConnect {
		err = errUnexpected
	}
	if err != nil {
		s.refused(resultProtocol, err)
		return nil
	}
	connack := s.connect(body, deadline)
	if connack == nil || s.out.SetReadDeadline(time.Time{}) != nil {
		return nil
	}
	s.g.metrics.connects[resultAccepted].Inc()
	s.heard.Store(s.g.clock())
	return connack
}

// first reads the first packet. What came behind it is kept.
func (s *session) first(limit int) (header, []byte, error) {
	in, n := make([]byte, readBuffer), 0
	for {
		h, size, err := cutPacket(in[:n], limit)
		if err != nil {
			return header{}, nil, err
		}
		if size > 0 {
			s.rest = append(s.rest, in[size:n]...)
			return h, in[h.length:size], nil
		}
		if n == len(in) {
			in = append(in, make([]byte, n)...)
		}
		got, err := s.top.Read(in[n:])
		if n += got; got == 0 && err != nil {
			return header{}, nil, fmt.Errorf("reading from device: %w", err)
		}
	}
}

// handshake does TLS, if it is still to be done, and returns the deadline for what
// follows: who had to wait for a turn has that much longer.
func (s *session) handshake(deadline time.Time) (time.Time, error) {
	conn, ok := s.top.(*tls.Conn)
	if !ok || conn.ConnectionState().HandshakeComplete {
		return deadline, nil
	}
	t := &turn{g: s.g, out: s.out, deadline: deadline}
	if err := t.take(); err != nil {
		return deadline, err
	}
	s.out.turn = t
	err := conn.Handshake()
	s.out.turn = nil
	t.give()
	if err == nil {
		err = t.err
	}
	if err != nil {
		return deadline, fmt.Errorf("shaking hands: %w", err)
	}
	return t.deadline, nil
}

// connect decides on a CONNECT. It answers refusals itself.
func (s *session) connect(body []byte, deadline time.Time) (connack []byte) {
	level, flags := sniff(body)
	if level != version311 && level != version5 {
		s.refuseVersion(level)
		return nil
	}
	c, err := parseConnect(level, flags, body)
	if err == nil {
		err = s.identify(c, deadline)
	}
	if err != nil {
		s.refuse(level, err)
		return nil
	}
	s.adopt(c)
	return appendConnack(nil, level, codeSuccess, s.terms(c))
}

// identify says who the client is, or why it is refused.
func (s *session) identify(c connect, deadline time.Time) error {
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
func (s *session) check(c connect) error {
	if !contract.ValidDeviceID(c.clientID) || c.username != c.clientID {
		return &fault{codeClientID, "client id is not the device id"}
	}
	if c.will != nil && c.will.topic != contract.TopicState(c.clientID) {
		return &fault{codeNotAuthorized, "will outside the device's own state topic"}
	}
	return nil
}

func (s *session) authenticate(c connect, deadline time.Time) error {
	ctx, cancel := context.WithDeadline(s.g.ctx, deadline)
	defer cancel()
	from, err := s.g.auth.Authenticate(ctx, c.clientID, string(c.password))
	switch {
	case errors.Is(err, ErrCredential):
		return &fault{codeCredential, "wrong device credential"}
	case errors.Is(err, ErrUnavailable):
		return &fault{codeUnavailable, "no device is served here now"}
	case err == nil && from.Device != c.clientID:
		err = fmt.Errorf("device %q authenticated as %q", c.clientID, from.Device)
	}
	if err != nil {
		s.g.log.Warn("authentication failed", "device", c.clientID, "error", err)
		return &fault{codeUnavailable, "authentication is not available"}
	}
	s.from = from
	return nil
}

// adopt takes over what the CONNECT says.
func (s *session) adopt(c connect) {
	s.prefix = contract.DevicePrefix(s.from.Device)
	s.v5 = c.version == version5
	s.window = min(s.g.limits.MaxInflight, c.receiveMax)
	s.maxPacket = c.maxPacket
	s.will = c.will
	s.quiet = quietTime(s.keepAlive(c))
}

// keepAlive is the interval that applies. MQTT 5 devices are told the server's
// when they ask for none or for a longer one; 3.1.1 devices cannot be told.
func (s *session) keepAlive(c connect) time.Duration {
	asked := time.Duration(c.keepAlive) * time.Second
	if c.version == version5 && (asked == 0 || asked > s.g.limits.MaxKeepAlive) {
		return s.g.limits.MaxKeepAlive.Truncate(time.Second)
	}
	return asked
}

// quietTime is one and a half times the keep alive (MQTT 5 §3.1.2.10), in
// arithmetic that 65535 seconds do not overflow. 0 stays no limit: then TCP
// keep-alive and the user timeout find out.
func quietTime(keepAlive time.Duration) time.Duration { return keepAlive + keepAlive/2 }

// terms is what an MQTT 5 device is told in the CONNACK.
func (s *session) terms(c connect) *v5packets.Properties {
	var none byte
	receiveMax, maxPacket := uint16(s.g.limits.MaxTaking), uint32(s.g.limits.MaxPacket)
	p := &v5packets.Properties{
		ReceiveMaximum: &receiveMax, MaximumPacketSize: &maxPacket,
		SubIDAvailable: &none, SharedSubAvailable: &none,
	}
	if c.expiry {
		p.SessionExpiryInterval = new(uint32)
	}
	if told := s.keepAlive(c); told != time.Duration(c.keepAlive)*time.Second {
		seconds := uint16(told / time.Second)
		p.ServerKeepAlive = &seconds
	}
	return p
}

// refuse answers a CONNECT of a version that is spoken here.
func (s *session) refuse(level version, err error) {
	var f *fault
	if !errors.As(err, &f) {
		f = &fault{codeUnspecified, err.Error()}
	}
	if level == version5 || f.code.connackV3() != 0 {
		s.write(appendConnack(nil, level, f.code, nil))
		defer s.turnAway()
	}
	s.refused(resultOf(f.code), err)
}

// refuseVersion answers a CONNECT of another version in the form that its sender
// may understand; level 0 is not MQTT and gets no answer.
func (s *session) refuseVersion(level version) {
	switch {
	case level > version5:
		s.write(appendConnack(nil, version5, codeVersion, nil))
	case level != 0:
		s.write(appendConnack(nil, level, codeVersion, nil))
	}
	if level != 0 {
		defer s.turnAway()
	}
	s.refused(resultProtocol, fmt.Errorf("protocol level %d is not spoken", level))
}

func (s *session) refused(result connectResult, err error) {
	s.g.metrics.connects[result].Inc()
	s.g.log.Debug("connection refused", "result", result, "address", s.out.RemoteAddr().String(), "error", err)
}
