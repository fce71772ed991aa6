package membership

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/cluster/proposals"
	"almenara/cluster/raftlog"
)

// AdmissionOptions say what admission rests on. Decide may be nil, which admits nobody.
type AdmissionOptions struct {
	Proposals *proposals.Proposals
	Members   *Membership
	Identity  func() *identity.Identity
	Decide    func(context.Context, joining.Request) error
	Peers     func() []peers.Peer // what the new node is told
	Clock     func() time.Time
	Logger    *slog.Logger
}

// Admission takes in nodes that come with an invitation. Any member may be asked; the
// leader decides.
type Admission struct{ AdmissionOptions }

// NewAdmission makes one.
func NewAdmission(o AdmissionOptions) *Admission { return &Admission{AdmissionOptions: o} }

// HandleJoin admits here, or asks the leader to. What the new node understands is
// judged here: it would end at the first entry that it cannot read, and every node of
// the district knows what those need.
func (a *Admission) HandleJoin(w http.ResponseWriter, req *http.Request) {
	b, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	version := peers.HeaderVersion(req.Header)
	if err := a.Proposals.TooOld(version); err != nil {
		a.answerJoin(w, nil, err)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), joining.Timeout)
	defer cancel()
	var answer []byte
	proof := req.Header.Get(joining.ProofHeader)
	err := a.Proposals.OnLeader(ctx, func(ctx context.Context) (err error) {
		answer, err = a.admit(ctx, b, proof, version)
		return err
	}, func(ctx context.Context, leader string) (err error) {
		answer, err = a.Proposals.Forward(ctx, leader, "/cluster/join", b, http.Header{
			joining.ProofHeader: {proof}, joinVersionHeader: {strconv.FormatUint(version, 10)},
		})
		return err
	})
	a.answerJoin(w, answer, err)
}

// joinVersionHeader says on a forwarded request what the new node understands.
const joinVersionHeader = "Almenara-Join-Version"

// HandleForwardedJoin serves another node's handleJoin.
func (a *Admission) HandleForwardedJoin(w http.ResponseWriter, req *http.Request) {
	b, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	version, err := strconv.ParseUint(req.Header.Get(joinVersionHeader), 10, 32)
	if err != nil { // software of before this does not pass it on
		version = 0
	}
	answer, err := a.admit(req.Context(), b, req.Header.Get(joining.ProofHeader), version)
	a.answerJoin(w, answer, err)
}

func (a *Admission) answerJoin(w http.ResponseWriter, answer []byte, err error) {
	switch {
	case errors.Is(err, joining.ErrMessage):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		a.Logger.Warn("not admitting node", "error", err)
		outcome.Write(w, err)
	default:
		_, _ = w.Write(answer)
	}
}

// admit takes the node in: Admit commits its token and key, then raft gets a
// server without a vote. A crash between the two leaves a used token, and the
// new node's repeat, with the same server id and keys, completes it. A member that has
// been heard has its answer: whoever asks for it again is somebody else.
func (a *Admission) admit(ctx context.Context, b []byte, proof string, version uint64) ([]byte, error) {
	m, public, err := joining.Decode(b)
	if err != nil {
		return nil, err
	}
	proven, err := m.CheckProof(b, proof)
	if err != nil {
		return nil, err
	}
	if a.hasLived(m.NodeID) {
		return nil, fmt.Errorf("%w: node %s is a member of the district already; a box that lost its data folder joins as another node", outcome.ErrRefused, m.NodeID)
	}
	if !a.Proposals.Leadership().Leader {
		return nil, outcome.ErrTryAgain
	}
	if a.Decide == nil {
		return nil, fmt.Errorf("%w: this node admits nobody", outcome.ErrRefused)
	}
	err = a.Decide(ctx, joining.Request{
		NodeID: m.NodeID, TokenHash: identity.Token{Secret: m.Secret}.Hash(),
		SigningKey: m.SigningKey, KeyID: identity.KeyID(m.SigningKey), Addrs: m.Addrs, Proven: proven, Version: version,
	})
	if err != nil {
		return nil, admissionError(err)
	}
	if err := a.Members.setServer(m.NodeID, m.Addrs[0]); err != nil {
		return nil, outcome.OfRaft(err)
	}
	return a.answer(m, public)
}

// hasLived says whether a node is known to have run under this id: it votes or did, or it
// was heard, in this run of ours or before.
func (a *Admission) hasLived(id string) bool {
	if a.Members.peers.Gone(id) || !a.Members.peers.LastHeard(id).IsZero() || a.Members.memory.Knows(id) {
		return true
	}
	return slices.ContainsFunc(a.Members.Group.Servers(), func(s raft.Server) bool { return string(s.ID) == id && s.Suffrage == raft.Voter })
}

// admissionError keeps what Propose said about the outcome; anything else is a refusal.
func admissionError(err error) error {
	for _, known := range []error{outcome.ErrUnknownOutcome, outcome.ErrBusy, outcome.ErrNoLeader, outcome.ErrStopped, raftlog.ErrDiskFull, outcome.ErrQuarantined, outcome.ErrRefused, outcome.ErrTryAgain} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", outcome.ErrRefused, err)
}

// answer is what the new node gets.
func (a *Admission) answer(m joining.Message, public *ecdsa.PublicKey) ([]byte, error) {
	d := a.Identity().District
	cert, err := d.IssueNode(a.Clock(), m.NodeID, public, m.Addrs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", outcome.ErrRefused, err)
	}
	keys, err := d.Keys()
	if err != nil {
		return nil, err
	}
	return joining.Answer{District: keys, Cert: cert.Raw, Peers: a.Peers()}.Encode(a.Identity().Incarnation)
}
