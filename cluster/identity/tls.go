package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// The services on the internode port, chosen by ALPN (RFC 7301). Only join is
// open to a client without a certificate.
const (
	ProtoRaft = "almenara-raft/1"
	ProtoRPC  = "almenara-rpc/1"
	ProtoJoin = "almenara-join/1"
	// ProtoHandover is what a node speaks with any other of its district to leave behind
	// what only it has, whatever the incarnation of either, and also when it was removed
	// or has lost its memory. It is the one door in the fence, and facts alone pass it.
	ProtoHandover = "almenara-handover/1"
	// ProtoFence is what nodes of two incarnations agree on in the handshake when they
	// have nothing else in common. Each tells its statement, and the connection ends.
	ProtoFence = "almenara-fence/1"
)

// A node's certificate names it by almenara://node/<id>.
const (
	uriScheme = "almenara"
	uriNode   = "node"
)

// ServerTLS answers every client by what it asks for: a client that offers join
// and nothing else needs no certificate; every other must have one of this
// district's authority.
func ServerTLS(identity func() *Identity) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			id := identity()
			config := baseTLS(id)
			if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == ProtoJoin {
				config.NextProtos = []string{ProtoJoin}
				return config, nil
			}
			config.NextProtos = []string{id.Incarnation.proto(ProtoRaft), id.Incarnation.proto(ProtoRPC), ProtoHandover, ProtoFence}
			config.ClientAuth = tls.RequireAndVerifyClientCert
			config.ClientCAs = config.RootCAs
			return config, nil
		},
	}
}

// PublicTLS is what devices and people see: the node's certificate of the district's
// authority. identity is asked at each handshake, so that a renewed one is shown at once.
func PublicTLS(identity func() *Identity) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			id := identity()
			return &tls.Certificate{
				Certificate: [][]byte{id.Cert.Raw, id.District.CA.Raw}, PrivateKey: id.Key, Leaf: id.Cert,
			}, nil
		},
	}
}

// ClientTLS is for a connection to the node with this server id; an empty id
// takes any node of the district.
func ClientTLS(id *Identity, peerID, proto string) *tls.Config {
	config := baseTLS(id)
	config.NextProtos = []string{id.Incarnation.proto(proto), ProtoFence}
	if proto == ProtoHandover { // for any incarnation
		config.NextProtos = []string{ProtoHandover}
	}
	config.ServerName = peerID
	config.VerifyConnection = func(state tls.ConnectionState) error {
		got, err := CertificateID(state.PeerCertificates)
		if err == nil && peerID != "" && got != peerID {
			err = fmt.Errorf("peer is %s, not %s", got, peerID)
		}
		return err
	}
	if peerID == "" { // chain only: any node's id will do
		anyOfDistrict(config)
	}
	return config
}

func anyOfDistrict(config *tls.Config) {
	roots, now := config.RootCAs, config.Time
	config.InsecureSkipVerify = true // replaced by VerifyConnection below: the chain, without a name
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if _, err := CertificateID(state.PeerCertificates); err != nil {
			return err
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now()})
		return err
	}
}

func baseTLS(id *Identity) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(id.District.CA)
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		RootCAs:                roots,
		SessionTicketsDisabled: true, // every connection is checked in full
		Time:                   func() time.Time { return clampTime(id.now(), id.District.CA) },
		Certificates: []tls.Certificate{{
			Certificate: [][]byte{id.Cert.Raw, id.District.CA.Raw},
			PrivateKey:  id.Key,
			Leaf:        id.Cert,
		}},
	}
}

// JoinTLS is for a node that has nothing but a token: it trusts the authority
// with the pinned fingerprint and no other, and shows no certificate. The clock of
// a new box may be wrong, so the certificate is judged at the time it began.
func JoinTLS(pinned []byte) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{ProtoJoin},
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // replaced by VerifyConnection: the pinned authority instead of the system's
		VerifyConnection: func(state tls.ConnectionState) error {
			if state.NegotiatedProtocol != ProtoJoin {
				return errors.New("peer does not admit nodes")
			}
			return verifyPinned(state.PeerCertificates, pinned)
		},
	}
}

func verifyPinned(certs []*x509.Certificate, pinned []byte) error {
	if _, err := CertificateID(certs); err != nil {
		return err
	}
	for _, ca := range certs[1:] {
		sum := sha256.Sum256(ca.Raw)
		if subtle.ConstantTimeCompare(sum[:], pinned) != 1 {
			continue
		}
		roots := x509.NewCertPool()
		roots.AddCert(ca)
		at := certs[0].NotBefore.Add(time.Second)
		_, err := certs[0].Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at})
		return err
	}
	return fmt.Errorf("%w: peer's authority is not the one in the token", ErrWrongDistrict)
}

// CertificateID reads the server id from the URI almenara://node/<id>, which must
// also be one of the DNS names. The chain has been verified elsewhere.
func CertificateID(certs []*x509.Certificate) (string, error) {
	if len(certs) == 0 {
		return "", errors.New("peer has no certificate")
	}
	return NodeOf(certs[0])
}

func NodeOf(cert *x509.Certificate) (string, error) {
	for _, u := range cert.URIs {
		if id, ok := nodeURI(u); ok && cert.VerifyHostname(id) == nil {
			return id, nil
		}
	}
	return "", errors.New("peer's certificate names no node")
}

func nodeURI(u *url.URL) (string, bool) {
	id := strings.TrimPrefix(u.Path, "/")
	return id, u.Scheme == uriScheme && u.Host == uriNode && ValidNodeID(id)
}

// Handshake completes conn's handshake within the context's deadline.
func Handshake(ctx context.Context, conn *tls.Conn) error {
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return fmt.Errorf("shaking hands with %s: %w", conn.RemoteAddr(), err)
	}
	return nil
}
