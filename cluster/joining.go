package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage/durable"
)

// ErrAlreadyMember is returned by Join when dir holds an identity: a box belongs
// to one district, and its data directory to one server id.
var ErrAlreadyMember = errors.New("data directory already belongs to a node")

// Join makes the box with data directory dir a node of the district that the token
// names, reached at advertise (host:port, the raft address first). version is the
// highest version of a command that its state machine will apply, as in Options. It is
// run once, before Start. The keys are written before they are sent and the identity before
// Join returns, so that a repeat after a crash, with the same token, completes the
// first attempt instead of needing a second token.
//
// ErrRefused means that the district said no, with its reason; ErrWrongDistrict
// that every address answered with another authority than the pinned one; other
// errors that nobody answered, and a repeat may succeed.
func Join(ctx context.Context, token Token, dir string, advertise []string, version uint64) (*Identity, JoinAnswer, error) {
	id, answer, err := join(ctx, token, dir, advertise, version)
	if err != nil {
		return nil, JoinAnswer{}, fmt.Errorf("joining district %s: %w", token.District, err)
	}
	return id, answer, nil
}

func join(ctx context.Context, token Token, dir string, advertise []string, version uint64) (*Identity, JoinAnswer, error) {
	if len(advertise) == 0 || !validAddress(advertise[0]) {
		return nil, JoinAnswer{}, fmt.Errorf("%w: no address to be reached at", errJoinMessage)
	}
	id, err := pendingKeys(dir)
	if err != nil {
		return nil, JoinAnswer{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(&id.Key.PublicKey)
	if err != nil {
		return nil, JoinAnswer{}, fmt.Errorf("encoding public key: %w", err)
	}
	body, err := cbor.Marshal(joinMessage{
		Secret: token.Secret, NodeID: id.NodeID, PublicKey: public,
		SigningKey: id.SigningPublic(), Addrs: advertise,
	})
	if err != nil {
		return nil, JoinAnswer{}, fmt.Errorf("encoding join request: %w", err)
	}
	b, err := askAll(ctx, token, body, version)
	if err != nil {
		return nil, JoinAnswer{}, err
	}
	return settle(id, token, dir, b)
}

// pendingKeys reads the keys of an attempt that did not finish, or makes and
// writes new ones.
func pendingKeys(dir string) (*Identity, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("making data directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, identityFile)); err == nil {
		return nil, ErrAlreadyMember
	}
	id, err := load(dir, pendingFile)
	if !errors.Is(err, os.ErrNotExist) {
		return id, err
	}
	if id, err = newKeys(); err != nil {
		return nil, err
	}
	return id, id.save(dir, pendingFile)
}

// askAll asks the token's nodes one after the other until one decides.
func askAll(ctx context.Context, token Token, body []byte, version uint64) ([]byte, error) {
	dialer := &tls.Dialer{Config: joinTLS(token.Fingerprint)}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
			defer cancel()
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return struct{ net.Conn }{conn}, nil // HTTP/1.1, whatever ALPN said
		},
	}
	client := &http.Client{Transport: transport, Timeout: joinTimeout + 10*time.Second}
	errs := []error{errors.New("no node admitted us")}
	for _, addr := range token.Addrs {
		b, err := postJoin(ctx, client, addr, body, version)
		if err == nil || errors.Is(err, ErrRefused) {
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
func settle(id *Identity, token Token, dir string, b []byte) (*Identity, JoinAnswer, error) {
	answer, incarnation, err := decodeAnswer(b)
	if err != nil {
		return nil, answer, err
	}
	if err := id.take(answer, token); err != nil {
		return nil, answer, err
	}
	if incarnation != nil {
		if err := incarnation.Verify(id.District); err != nil {
			return nil, answer, err
		}
		id.Incarnation = incarnation
	}
	if err := id.SaveIdentity(dir); err != nil {
		return nil, answer, err
	}
	if err := os.Remove(filepath.Join(dir, pendingFile)); err != nil {
		return nil, answer, fmt.Errorf("removing pending keys: %w", err)
	}
	return id, answer, durable.SyncDir(dir)
}

func (id *Identity) take(answer JoinAnswer, token Token) error {
	d, err := answer.District.district()
	if err != nil {
		return fmt.Errorf("decoding district: %w", err)
	}
	cert, err := x509.ParseCertificate(answer.Cert)
	if err != nil {
		return fmt.Errorf("decoding certificate: %w", err)
	}
	if d.ID != token.District || verifyPinned([]*x509.Certificate{cert, d.CA}, token.Fingerprint) != nil {
		return ErrWrongDistrict
	}
	if cert.VerifyHostname(id.NodeID) != nil || !id.Key.PublicKey.Equal(cert.PublicKey) {
		return fmt.Errorf("%w: certificate is for another node", ErrWrongDistrict)
	}
	id.District, id.Cert = d, cert
	return nil
}

func (k DistrictKeys) district() (*District, error) {
	ca, err := x509.ParseCertificate(k.CA)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(k.CAKey)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok || !private.PublicKey.Equal(ca.PublicKey) || len(k.RootKey) != ed25519.PrivateKeySize {
		return nil, errors.New("district's keys do not fit")
	}
	return &District{ID: k.ID, Name: k.Name, CA: ca, CAKey: private, RootKey: k.RootKey}, nil
}
