package joining

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// Join makes the box with data directory dir a node of the district that the token
// names, reached at advertise (host:port, the raft address first). version is the
// highest version of a command that its state machine will apply, as in Options. It is
// run once, before Start. The keys are written before they are sent and the identity before
// Join returns, so that a repeat after a crash, with the same token, completes the
// first attempt instead of needing a second token. The request is signed with the node's
// signing key, which a repeat has to prove again.
//
// ErrRefused means that the district said no, with its reason; ErrWrongDistrict
// that every address answered with another authority than the pinned one; other
// errors that nobody answered, and a repeat may succeed.
func Join(ctx context.Context, token identity.Token, dir string, advertise []string, version uint64) (*identity.Identity, error) {
	id, err := join(ctx, token, dir, advertise, version)
	if err != nil {
		return nil, fmt.Errorf("joining district %s: %w", token.District, err)
	}
	return id, nil
}

func join(ctx context.Context, token identity.Token, dir string, advertise []string, version uint64) (*identity.Identity, error) {
	if len(advertise) == 0 || !internode.ValidAddress(advertise[0]) {
		return nil, fmt.Errorf("%w: no address to be reached at", ErrMessage)
	}
	id, err := identity.Pending(dir)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&id.Key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encoding public key: %w", err)
	}
	body, err := cbor.Marshal(Message{
		Secret: token.Secret, NodeID: id.NodeID, PublicKey: public,
		SigningKey: id.SigningPublic(), Addrs: withPorts(advertise),
	})
	if err != nil {
		return nil, fmt.Errorf("encoding join request: %w", err)
	}
	header := peers.VersionHeader(version)
	header.Set(ProofHeader, prove(id.SigningKey, body))
	b, err := askAll(ctx, token, body, header)
	if err != nil {
		return nil, err
	}
	return settle(id, token, dir, b)
}

// withPorts gives bare hosts, which are only for the certificate, the port of the first
// address: a join request takes nothing else, also one of older software.
func withPorts(hosts []string) []string {
	_, port, _ := net.SplitHostPort(hosts[0])
	out := slices.Clone(hosts)
	for i, h := range out {
		if !internode.ValidAddress(h) {
			out[i] = net.JoinHostPort(h, port)
		}
	}
	return out
}

// askAll asks the token's nodes one after the other until one decides.
func askAll(ctx context.Context, token identity.Token, body []byte, header http.Header) ([]byte, error) {
	dialer := &tls.Dialer{Config: identity.JoinTLS(token.Fingerprint)}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, internode.HandshakeTimeout)
			defer cancel()
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return struct{ net.Conn }{conn}, nil // HTTP/1.1, whatever ALPN said
		},
	}
	client := &http.Client{Transport: transport, Timeout: Timeout + 10*time.Second}
	errs := []error{errors.New("no node admitted us")}
	for _, addr := range token.Addrs {
		b, err := post(ctx, client, addr, body, header.Clone())
		if err == nil || errors.Is(err, outcome.ErrRefused) {
			return b, err
		}
		errs = append(errs, fmt.Errorf("asking %s: %w", addr, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// settle checks the answer against the token and makes it this box's identity.
func settle(id *identity.Identity, token identity.Token, dir string, b []byte) (*identity.Identity, error) {
	answer, incarnation, err := decodeAnswer(b)
	if err != nil {
		return nil, err
	}
	if err := id.Admit(answer.District, answer.Cert, incarnation, token); err != nil {
		return nil, err
	}
	if err := saveAdmittedBy(dir, answer.Peers); err != nil {
		return nil, err
	}
	return id, id.Settle(dir)
}
