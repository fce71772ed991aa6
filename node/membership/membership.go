// Package membership decides which nodes belong to the district: it invites, admits and removes
// them, and puts on record where each is reached.
//
//	Invite ─> invitation ─> Admit ─> record, key ring ─> raft group (cluster)
//	RemoveNode ─> record ─> key ring ─> raft group; FinishRemovals, where that could not be finished
//
// What a repeated request to join must be is admission; whose key devices know is keyring. It
// never imports api, channels or another part of node but admission, authority, folder,
// keyring, records and wire.
package membership

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/node/keyring"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// Proposer has changes agreed on and says what an error of that means; *records.Proposer is one.
type Proposer interface {
	Propose(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
	Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
	Problem(err error) error
}

// Group is the raft group that nodes enter and leave.
type Group interface {
	Status() cluster.Status
	Removable(ctx context.Context, id string) error
	Remove(ctx context.Context, id string) error
}

// Log is what is agreed.
type Log interface {
	Linearizable(ctx context.Context) error
	Understands(ctx context.Context, version uint64) error
}

// Inviter makes invitations.
type Inviter interface {
	Invite(ctx context.Context, ttl time.Duration) (identity.Token, error)
}

// Cluster is what Connect takes; *cluster.Cluster is one.
type Cluster interface {
	Group
	Log
	Inviter
}

// Options say what a Membership needs. None may be nil.
type Options struct {
	ID, Name string   // of this node
	Dir      string   // the data folder
	Replaces []string // ids that this box had before
	Store    *storage.Store
	Ring     *keyring.Ring
	Proposer Proposer
	Self     func() noderecord.Node // this node as the others should know it
	Isolated func() bool            // it is of a copy for a drill, which speaks to nobody
	Clock    func() time.Time
	Logger   *slog.Logger
}

// Membership answers service.Nodes and the cluster. Its methods may be called from any goroutine;
// all but Admit only after Connect.
type Membership struct {
	id, name string
	dir      string
	replaces []string // the duty of that name's
	store    *storage.Store
	ring     *keyring.Ring
	proposer Proposer
	self     func() noderecord.Node
	isolated func() bool
	clock    func() time.Time
	log      *slog.Logger

	joined    chan struct{} // closed by Connect, after which cluster is set
	cluster   Cluster
	admitting sync.Mutex // one new node at a time is judged and put on record
}

// New makes one that has no cluster yet.
func New(o Options) *Membership {
	return &Membership{
		id: o.ID, name: o.Name, dir: o.Dir, replaces: o.Replaces, store: o.Store, ring: o.Ring, proposer: o.Proposer,
		self: o.Self, isolated: o.Isolated, clock: o.Clock, log: o.Logger, joined: make(chan struct{}),
	}
}

// Connect gives it the cluster, once.
func (m *Membership) Connect(c Cluster) {
	m.cluster = c
	close(m.joined)
}
