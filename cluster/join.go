package cluster

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Bounds of the join service, the only one open to strangers.
const (
	maxJoinBytes = 64 << 10
	maxJoins     = 4 // at a time
	joinTimeout  = 30 * time.Second
)

// JoinRequest is what a new node says of itself. The node that answers has checked
// its form; whether TokenHash is good is for Options.Admit to decide.
type JoinRequest struct {
	NodeID     string
	TokenHash  string            // Token.Hash of the token it holds
	SigningKey ed25519.PublicKey // to be put into the district's key ring
	KeyID      string            // KeyID(SigningKey)
	Addrs      []string          // where it is reached, host:port, the raft address first
}

// JoinAnswer is what the new node gets. Options.Admit fills Extra; this package
// the rest.
type JoinAnswer struct {
	_        struct{} `cbor:",toarray"`
	District DistrictKeys
	Cert     []byte // DER, the new node's certificate
	Peers    []Peer // the raft configuration at that moment
	Extra    []byte // from Admit, for the new node's own use; opaque here
}

// DistrictKeys is a District on its way to a new node. It holds private keys.
type DistrictKeys struct {
	_       struct{} `cbor:",toarray"`
	ID      string
	Name    string
	CA      []byte // DER
	CAKey   []byte // PKCS 8
	RootKey []byte // Ed25519 private key
}

// joinMessage is the request on the wire.
type joinMessage struct {
	_          struct{} `cbor:",toarray"`
	Secret     []byte
	NodeID     string
	PublicKey  []byte // PKIX, ECDSA P-256, for the certificate
	SigningKey []byte // Ed25519
	Addrs      []string
}

var errJoinMessage = errors.New("malformed join request")

func decodeJoin(b []byte) (joinMessage, *ecdsa.PublicKey, error) {
	var m joinMessage
	if err := decodeCBOR(b, &m); err != nil {
		return m, nil, fmt.Errorf("%w: %w", errJoinMessage, err)
	}
	key, err := x509.ParsePKIXPublicKey(m.PublicKey)
	if err != nil {
		return m, nil, fmt.Errorf("%w: %w", errJoinMessage, err)
	}
	public, ok := key.(*ecdsa.PublicKey)
	switch {
	case !ok || public.Curve != elliptic.P256(),
		!nodeIDPattern.MatchString(m.NodeID) || !isUUID(m.NodeID),
		len(m.Secret) != 32, len(m.SigningKey) != ed25519.PublicKeySize,
		len(m.Addrs) == 0 || len(m.Addrs) > 16,
		slices.ContainsFunc(m.Addrs, func(a string) bool { return !validAddress(a) }):
		return m, nil, errJoinMessage
	}
	return m, public, nil
}

func newJoinServer(handle http.HandlerFunc) *http.Server {
	slots := make(chan struct{}, maxJoins)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /join", func(w http.ResponseWriter, req *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, "other nodes are joining: try again", statusBusy)
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, maxJoinBytes)
		handle(w, req)
	})
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: joinTimeout + 5*time.Second, IdleTimeout: 5 * time.Second, MaxHeaderBytes: 4 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// handleJoin admits here, or asks the leader to. What the new node understands is
// judged here: it would end at the first entry that it cannot read, and every node of
// the district knows what those need.
func (c *Cluster) handleJoin(w http.ResponseWriter, req *http.Request) {
	b, ok := readBody(w, req)
	if !ok {
		return
	}
	if err := c.tooOld(headerVersion(req.Header)); err != nil {
		c.answerJoin(w, nil, err)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), joinTimeout)
	defer cancel()
	var answer []byte
	err := c.onLeader(ctx, func(ctx context.Context) (err error) {
		answer, err = c.admit(ctx, b)
		return err
	}, func(ctx context.Context, leader string) (err error) {
		answer, err = c.forward(ctx, leader, "/cluster/join", b)
		return err
	})
	c.answerJoin(w, answer, err)
}

// handleForwardedJoin serves another node's handleJoin.
func (c *Cluster) handleForwardedJoin(w http.ResponseWriter, req *http.Request) {
	b, ok := readBody(w, req)
	if !ok {
		return
	}
	answer, err := c.admit(req.Context(), b)
	c.answerJoin(w, answer, err)
}

func (c *Cluster) answerJoin(w http.ResponseWriter, answer []byte, err error) {
	switch {
	case errors.Is(err, errJoinMessage):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		c.options.Logger.Warn("not admitting node", "error", err)
		fail(w, err)
	default:
		_, _ = w.Write(answer)
	}
}

// admit takes the node in: Admit commits its token and key, then raft gets a
// server without a vote. A crash between the two leaves a used token, and the
// new node's repeat, with the same server id, completes it.
func (c *Cluster) admit(ctx context.Context, b []byte) ([]byte, error) {
	m, public, err := decodeJoin(b)
	if err != nil {
		return nil, err
	}
	if now, _ := c.leadership.current(); !now.Leader {
		return nil, errTryAgain
	}
	if c.options.Admit == nil {
		return nil, fmt.Errorf("%w: this node admits nobody", ErrRefused)
	}
	answer, err := c.options.Admit(ctx, JoinRequest{
		NodeID: m.NodeID, TokenHash: Token{Secret: m.Secret}.Hash(),
		SigningKey: m.SigningKey, KeyID: KeyID(m.SigningKey), Addrs: m.Addrs,
	})
	if err != nil {
		return nil, admission(err)
	}
	if err := c.setServer(m.NodeID, m.Addrs[0]); err != nil {
		return nil, raftOutcome(err)
	}
	return c.completeAnswer(answer, m, public)
}

// admission keeps what Propose said about the outcome; anything else is a refusal.
func admission(err error) error {
	for _, known := range []error{ErrUnknownOutcome, ErrBusy, ErrNoLeader, ErrStopped, ErrDiskFull, ErrQuarantined, ErrRefused, errTryAgain} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

func (c *Cluster) completeAnswer(answer JoinAnswer, m joinMessage, public *ecdsa.PublicKey) ([]byte, error) {
	d := c.Identity().District
	cert, err := d.IssueNode(m.NodeID, public, m.Addrs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(d.CAKey)
	if err != nil {
		return nil, fmt.Errorf("encoding authority key: %w", err)
	}
	answer.Cert = cert.Raw
	answer.District = DistrictKeys{ID: d.ID, Name: d.Name, CA: d.CA.Raw, CAKey: key, RootKey: d.RootKey}
	answer.Peers = c.Status().Peers
	return answer.encode(c.Identity().Incarnation)
}

// incarnatedAnswer is a JoinAnswer of a district that was begun anew. One that never
// was answers as software did that knew of no incarnations.
type incarnatedAnswer struct {
	_         struct{} `cbor:",toarray"`
	Answer    JoinAnswer
	Statement []byte
}

func (a JoinAnswer) encode(i *Incarnation) ([]byte, error) {
	statement, err := i.encode()
	if err != nil {
		return nil, fmt.Errorf("encoding incarnation: %w", err)
	}
	if statement == nil {
		return cbor.Marshal(a)
	}
	return cbor.Marshal(incarnatedAnswer{Answer: a, Statement: statement})
}

// decodeAnswer reads either form; the statement's signature is not checked yet.
func decodeAnswer(b []byte) (JoinAnswer, *Incarnation, error) {
	var plain JoinAnswer
	if err := decodeCBOR(b, &plain); err == nil {
		return plain, nil, nil
	}
	var full incarnatedAnswer
	if err := decodeCBOR(b, &full); err != nil {
		return plain, nil, fmt.Errorf("decoding answer: %w", err)
	}
	i, err := decodeIncarnation(full.Statement)
	return full.Answer, i, err
}

// Invite makes a join token with the addresses of all members and commits its hash
// through Options.Invited. On return the token is good until ttl has passed.
func (c *Cluster) Invite(ctx context.Context, ttl time.Duration) (Token, error) {
	if c.options.Invited == nil {
		return Token{}, fmt.Errorf("inviting: %w: this node invites nobody", ErrRefused)
	}
	addrs := []string{c.options.Advertise}
	for _, id := range c.Members() {
		if addr, ok := c.resolve(id); ok && len(addrs) < 64 {
			addrs = append(addrs, addr)
		}
	}
	t := NewToken(c.Identity().District, addrs)
	if err := c.options.Invited(ctx, t.Hash(), time.Now().Add(ttl)); err != nil {
		return Token{}, fmt.Errorf("inviting: %w", err)
	}
	return t, nil
}

// postJoin asks one node to admit us.
func postJoin(ctx context.Context, client *http.Client, addr string, body []byte, version uint64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+addr+"/join", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set(versionHeader, strconv.FormatUint(version, 10))
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxCallBytes))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, forwardedError(&CallError{Peer: addr, Status: resp.StatusCode, Text: string(b[:min(len(b), 1024)])})
	}
	return b, nil
}
