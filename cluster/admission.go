package cluster

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
	"almenara/cluster/memory"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
	"almenara/cluster/raftlog"
)

// admission takes in nodes that come with an invitation. Any member may be asked; the
// leader decides.
type admission struct {
	proposals *proposals
	upgrades  *upgrades
	members   *membership
	peers     *peers.Peers
	memory    *memory.Memory
	identity  func() *identity.Identity
	decide    func(context.Context, joining.Request) error // Options.Admit
	status    func() []peers.Peer
	clock     func() time.Time
	logger    *slog.Logger
}

// handleJoin admits here, or asks the leader to. What the new node understands is
// judged here: it would end at the first entry that it cannot read, and every node of
// the district knows what those need.
func (a *admission) handleJoin(w http.ResponseWriter, req *http.Request) {
	b, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	version := peers.HeaderVersion(req.Header)
	if err := a.upgrades.tooOld(version); err != nil {
		a.answerJoin(w, nil, err)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), joining.Timeout)
	defer cancel()
	var answer []byte
	proof := req.Header.Get(joining.ProofHeader)
	err := a.proposals.onLeader(ctx, func(ctx context.Context) (err error) {
		answer, err = a.admit(ctx, b, proof, version)
		return err
	}, func(ctx context.Context, leader string) (err error) {
		answer, err = a.proposals.forward(ctx, leader, "/cluster/join", b, http.Header{
			joining.ProofHeader: {proof}, joinVersionHeader: {strconv.FormatUint(version, 10)},
		})
		return err
	})
	a.answerJoin(w, answer, err)
}

// joinVersionHeader says on a forwarded request what the new node understands.
const joinVersionHeader = "Almenara-Join-Version"

// handleForwardedJoin serves another node's handleJoin.
func (a *admission) handleForwardedJoin(w http.ResponseWriter, req *http.Request) {
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

func (a *admission) answerJoin(w http.ResponseWriter, answer []byte, err error) {
	switch {
	case errors.Is(err, joining.ErrMessage):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		a.logger.Warn("not admitting node", "error", err)
		outcome.Write(w, err)
	default:
		_, _ = w.Write(answer)
	}
}

// admit takes the node in: Admit commits its token and key, then raft gets a
// server without a vote. A crash between the two leaves a used token, and the
// new node's repeat, with the same server id and keys, completes it. A member that has
// been heard has its answer: whoever asks for it again is somebody else.
func (a *admission) admit(ctx context.Context, b []byte, proof string, version uint64) ([]byte, error) {
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
	if now, _ := a.proposals.leadership.current(); !now.Leader {
		return nil, outcome.ErrTryAgain
	}
	if a.decide == nil {
		return nil, fmt.Errorf("%w: this node admits nobody", outcome.ErrRefused)
	}
	err = a.decide(ctx, joining.Request{
		NodeID: m.NodeID, TokenHash: identity.Token{Secret: m.Secret}.Hash(),
		SigningKey: m.SigningKey, KeyID: identity.KeyID(m.SigningKey), Addrs: m.Addrs, Proven: proven, Version: version,
	})
	if err != nil {
		return nil, admissionError(err)
	}
	if err := a.members.setServer(m.NodeID, m.Addrs[0]); err != nil {
		return nil, outcome.OfRaft(err)
	}
	return a.answer(m, public)
}

// hasLived says whether a node is known to have run under this id: it votes or did, or it
// was heard, in this run of ours or before.
func (a *admission) hasLived(id string) bool {
	if a.peers.Gone(id) || !a.peers.LastHeard(id).IsZero() || a.memory.Knows(id) {
		return true
	}
	return slices.ContainsFunc(a.members.servers(), func(s raft.Server) bool { return string(s.ID) == id && s.Suffrage == raft.Voter })
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
func (a *admission) answer(m joining.Message, public *ecdsa.PublicKey) ([]byte, error) {
	d := a.identity().District
	cert, err := d.IssueNode(a.clock(), m.NodeID, public, m.Addrs)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", outcome.ErrRefused, err)
	}
	keys, err := d.Keys()
	if err != nil {
		return nil, err
	}
	return joining.Answer{District: keys, Cert: cert.Raw, Peers: a.status()}.Encode(a.identity().Incarnation)
}
