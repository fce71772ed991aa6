// Package joining is how a box becomes a node of a district: what it asks with an invitation,
// what it is answered, and the service that strangers may call. Whether it is let in the
// cluster decides. It never imports cluster.
package joining

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/foreign"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// Bounds of the join service, the only one open to strangers.
const (
	maxBytes = 64 << 10
	maxJoins = 4 // at a time
	// Timeout is how long one request to join may take.
	Timeout = 30 * time.Second
)

// Request is what a new node says of itself. The node that answers has checked
// its form; whether TokenHash is good is for cluster.Options.Admit to decide.
type Request struct {
	NodeID     string
	TokenHash  string            // Token.Hash of the token it holds
	SigningKey ed25519.PublicKey // to be put into the district's key ring
	KeyID      string            // KeyID(SigningKey)
	Proven     bool              // the request is signed with SigningKey: who sent it has the private half
	Addrs      []string          // where it is reached, host:port, the raft address first
	Version    uint64            // highest version of a command that it will apply
}

// Answer is what the new node gets. Unused stays empty: older software, which is joined
// by this one and joins it, reads five elements.
type Answer struct {
	_        struct{} `cbor:",toarray"`
	District identity.DistrictKeys
	Cert     []byte       // DER, the new node's certificate
	Peers    []peers.Peer // the raft configuration at that moment
	Unused   []byte
}

// Message is the request on the wire.
type Message struct {
	_          struct{} `cbor:",toarray"`
	Secret     []byte
	NodeID     string
	PublicKey  []byte // PKIX, ECDSA P-256, for the certificate
	SigningKey []byte // Ed25519
	Addrs      []string
}

// ErrMessage is a request that no new node sends.
var ErrMessage = errors.New("malformed join request")

// ProofHeader carries the signature of the body by its SigningKey, in base64. It is a
// header because older software takes a longer body for a broken one.
const ProofHeader = "Almenara-Join-Proof"

// domain is what the signature is for.
const domain = "almenara join 1\x00"

// prove signs an encoded Message.
func prove(key ed25519.PrivateKey, body []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(key, append([]byte(domain), body...)))
}

// CheckProof says whether the body is signed by the key in it. Software of before there
// was a proof sends none; a wrong one is an error.
func (m Message) CheckProof(body []byte, proof string) (bool, error) {
	if proof == "" {
		return false, nil
	}
	signature, err := base64.StdEncoding.DecodeString(proof)
	if err != nil || !ed25519.Verify(m.SigningKey, append([]byte(domain), body...), signature) {
		return false, fmt.Errorf("%w: its signature is not by the key that it names", ErrMessage)
	}
	return true, nil
}

// Decode reads a request and checks its form; the error is ErrMessage.
func Decode(b []byte) (Message, *ecdsa.PublicKey, error) {
	var m Message
	if err := foreign.Decode(b, &m); err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	key, err := x509.ParsePKIXPublicKey(m.PublicKey)
	if err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	public, ok := key.(*ecdsa.PublicKey)
	switch {
	case !ok || public.Curve != elliptic.P256(),
		!identity.ValidNodeID(m.NodeID) || !identity.IsUUID(m.NodeID),
		len(m.Secret) != 32, len(m.SigningKey) != ed25519.PublicKeySize,
		len(m.Addrs) == 0 || len(m.Addrs) > 16,
		slices.ContainsFunc(m.Addrs, func(a string) bool { return !internode.ValidAddress(a) }):
		return m, nil, ErrMessage
	}
	return m, public, nil
}

// NewServer serves requests to join, so many at a time as maxJoins; handle answers each.
func NewServer(handle http.HandlerFunc) *http.Server {
	slots := make(chan struct{}, maxJoins)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /join", func(w http.ResponseWriter, req *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, "other nodes are joining: try again", outcome.StatusBusy)
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, maxBytes)
		handle(w, req)
	})
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: Timeout + 5*time.Second, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 4 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// incarnatedAnswer is an Answer of a district that was begun anew. One that never
// was answers as software did that knew of no incarnations.
type incarnatedAnswer struct {
	_         struct{} `cbor:",toarray"`
	Answer    Answer
	Statement []byte
}

// Encode writes the answer, with the district's incarnation where it was begun anew.
func (a Answer) Encode(i *identity.Incarnation) ([]byte, error) {
	statement, err := i.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding incarnation: %w", err)
	}
	if statement == nil {
		return cbor.Marshal(a)
	}
	return cbor.Marshal(incarnatedAnswer{Answer: a, Statement: statement})
}

// decodeAnswer reads either form; the statement's signature is not checked yet.
func decodeAnswer(b []byte) (Answer, *identity.Incarnation, error) {
	var plain Answer
	if err := foreign.Decode(b, &plain); err == nil {
		return plain, nil, nil
	}
	var full incarnatedAnswer
	if err := foreign.Decode(b, &full); err != nil {
		return plain, nil, fmt.Errorf("decoding answer: %w", err)
	}
	i, err := identity.DecodeIncarnation(full.Statement)
	return full.Answer, i, err
}

// postJoin asks one node to admit us.
func post(ctx context.Context, client *http.Client, addr string, body []byte, header http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+addr+"/join", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = header
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, internode.MaxCallBytes))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, outcome.OfAnswer(&internode.CallError{Peer: addr, Status: resp.StatusCode, Text: string(b[:min(len(b), 1024)])})
	}
	return b, nil
}
