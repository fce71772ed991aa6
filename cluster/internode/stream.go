package internode

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/identity"
)

// Stream is raft's transport layer over the internode port.
//
// Raft dials by address alone, so the address provider writes "id@host:port" and
// Dial insists on that node's certificate: an address that DHCP gave to another
// box is refused, not believed.
type Stream struct {
	*service
	connect   func(ctx context.Context, id, addr string) (*Conn, error)
	advertise net.Addr
	allowed   func(id string) bool              // false for all once this node is quarantined
	remembers func(cert *x509.Certificate) bool // false for who lost its log, at either end
}

// NewStream makes raft's way to its peers over the port, at the advertised address. connect
// dials; id is empty for a node that is known by its address only.
func NewStream(p *Port, advertise string, connect func(ctx context.Context, id, addr string) (*Conn, error),
	allowed func(id string) bool, remembers func(cert *x509.Certificate) bool) *Stream {
	return &Stream{p.services[identity.ProtoRaft], connect, advertised(advertise), allowed, remembers}
}

// Accept implements net.Listener; peers that are no members are turned away here,
// at every new connection.
func (s *Stream) Accept() (net.Conn, error) {
	for {
		conn, err := s.service.Accept()
		if err != nil {
			return nil, err
		}
		if pc := conn.(*Conn); s.allowed(pc.peer) && s.remembers(pc.Cert) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// Addr is the advertised address, which raft writes into the configuration.
func (s *Stream) Addr() net.Addr { return s.advertise }

// Dial implements raft.StreamLayer.
func (s *Stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	id, addr, ok := strings.Cut(string(address), "@")
	if !ok {
		id, addr = "", string(address)
	}
	conn, err := s.connect(ctx, id, addr)
	if err != nil {
		return nil, err
	}
	if !s.remembers(conn.Cert) {
		return nil, errors.Join(fmt.Errorf("dialling %s: %w", address, errLogLost), conn.Close())
	}
	return conn, nil
}

// errLogLost is why a peer is not spoken to by raft.
var errLogLost = errors.New("the peer began with less of the raft log than it has had")

// advertised is a net.Addr made of text: a host name is kept, not resolved.
type advertised string

func (advertised) Network() string  { return "tcp" }
func (a advertised) String() string { return string(a) }
