package clustertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
)

// Heartbeat is the rig's heartbeat timeout: short, but long enough for a shared
// machine under the race detector.
const Heartbeat = 300 * time.Millisecond

// Patience is how long the rig waits for anything.
const Patience = 20 * time.Second

// Node is one member of the rig. Cluster is nil while it is down.
type Node struct {
	*cluster.Cluster
	Dir      string
	Addr     string // keeps its port across restarts
	FSM      *FSM
	Halted   chan error
	identity *identity.Identity
	network  *network
	running  atomic.Pointer[cluster.Cluster] // for the hooks, which other goroutines call
}

// District is several nodes of one district in this process.
type District struct {
	t       testing.TB
	Nodes   []*Node
	network *network
	with    []func(*Node, *cluster.Options)
}

// New starts n nodes: the first bootstraps, the others join by token. It returns
// when all of them vote. Everything is stopped with the test. with changes the options
// of every node whenever it starts.
func New(t testing.TB, n int, with ...func(*Node, *cluster.Options)) *District {
	t.Helper()
	d := &District{t: t, with: with, network: &network{cut: map[string]bool{}, conns: map[[2]string]map[net.Conn]struct{}{}}}
	t.TempDir() // its removal is registered first, so that it runs after stopAll
	t.Cleanup(d.stopAll)
	district, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	first := d.Add()
	first.identity, err = identity.New(district, []string{first.Addr})
	require.NoError(t, err)
	require.NoError(t, first.identity.Save(first.Dir))
	d.Start(first, func(o *cluster.Options) { o.Bootstrap = true })
	d.WaitLeader()
	for len(d.Nodes) < n {
		d.Join(d.Invite())
	}
	d.WaitVoters(n)
	return d
}

// Add makes a node that is in no district yet.
func (d *District) Add() *Node {
	n := &Node{
		Dir: d.t.TempDir(), Addr: FreeAddr(d.t), FSM: NewFSM(), Halted: make(chan error, 1), network: d.network,
	}
	d.Nodes = append(d.Nodes, n)
	return n
}

// ports is how many FreeAddr has given out.
var ports atomic.Uint32

// FreeAddr picks a port that the node will have for its whole life: below those that
// the system hands out by itself, or another program would have it while the node is
// down. No other node of this process gets it either, and other processes that run
// tests at the same time most likely choose among other thousands.
func FreeAddr(t testing.TB) string {
	for range 1000 {
		port := 10_000 + os.Getpid()%22*1000 + int(ports.Add(1)%1000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			defer func() { _ = l.Close() }()
			return l.Addr().String()
		}
	}
	require.FailNow(t, "no free port")
	return ""
}

// Start starts a node that is down; with changes its options.
func (d *District) Start(n *Node, with ...func(*cluster.Options)) {
	d.t.Helper()
	o := d.Options(n)
	for _, f := range with {
		f(&o)
	}
	c, err := cluster.Start(o)
	require.NoError(d.t, err)
	n.Cluster = c
	n.running.Store(c)
}

// Options are what Start starts the node with.
func (d *District) Options(n *Node) cluster.Options {
	o := cluster.Options{
		Dir: n.Dir, Identity: n.identity, Listen: n.Addr, Advertise: n.Addr, AdmittedBy: joining.AdmittedBy(n.Dir),
		FSM: n.FSM, Snapshots: n.FSM, HeartbeatTimeout: Heartbeat, Stabilization: 100 * time.Millisecond,
		Admit: n.admit, Invited: n.invited, Halt: func(err error) { n.Halted <- err },
		Dial: d.network.dialFrom(n.Addr),
	}
	for _, change := range d.with {
		change(n, &o)
	}
	return o
}

func (n *Node) invited(ctx context.Context, hash string, expires time.Time) error {
	return n.hook(ctx, fmt.Sprintf("invite %s %d", hash, expires.UnixMilli()))
}

func (n *Node) admit(ctx context.Context, r joining.Request) error {
	return n.hook(ctx, fmt.Sprintf("admit %s %s %d", r.TokenHash, r.NodeID, time.Now().UnixMilli()))
}

func (n *Node) hook(ctx context.Context, command string) error {
	c := n.running.Load()
	if c == nil { // between Start and its return
		return outcome.ErrNoLeader
	}
	_, err := c.Propose(ctx, []byte(command))
	return err
}

// Invite makes a token at the leader.
func (d *District) Invite() identity.Token {
	d.t.Helper()
	for {
		token, err := d.WaitLeader().Invite(d.context(), time.Hour)
		if errors.Is(err, outcome.ErrUnknownOutcome) {
			continue // another token will do
		}
		require.NoError(d.t, err)
		return token
	}
}

// Join adds a node with the token and starts it.
func (d *District) Join(token identity.Token) *Node {
	d.t.Helper()
	n := d.Add()
	require.NoError(d.t, d.JoinAs(n, token))
	return n
}

// Admit adds a node with the token and does not start it.
func (d *District) Admit(token identity.Token) *Node {
	d.t.Helper()
	n := d.Add()
	require.NoError(d.t, d.admitAs(n, token))
	return n
}

// JoinAs joins and starts a node made by Add; with changes its options.
func (d *District) JoinAs(n *Node, token identity.Token, with ...func(*cluster.Options)) error {
	d.t.Helper()
	if err := d.admitAs(n, token); err != nil {
		return err
	}
	d.Start(n, with...)
	return nil
}

func (d *District) admitAs(n *Node, token identity.Token) error {
	ctx := d.context()
	id, err := joining.Join(ctx, token, n.Dir, []string{n.Addr}, 1)
	for err != nil && !errors.Is(err, outcome.ErrRefused) && ctx.Err() == nil {
		id, err = joining.Join(ctx, token, n.Dir, []string{n.Addr}, 1) // an open outcome: ask again
	}
	if err != nil {
		return err
	}
	n.identity = id
	return nil
}

// Crash stops a node without handing over: its links are cut first, so that
// nobody hears of it.
func (d *District) Crash(n *Node) {
	d.t.Helper()
	d.Cut(n)
	d.Stop(n)
	d.Heal(n)
}

// Kill ends a node as nearly as one process can be killed: nothing is handed over,
// nobody who was asking is answered, and nothing is waited for.
func (d *District) Kill(n *Node) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Cluster.Stop(ctx) // it says what it did not wait for
	n.Cluster = nil
}

// Stop stops a node as planned.
func (d *District) Stop(n *Node) {
	d.t.Helper()
	require.NoError(d.t, n.Cluster.Stop(d.context()))
	n.Cluster = nil
}

func (d *District) stopAll() {
	var wg sync.WaitGroup
	for _, n := range d.Nodes {
		if n.Cluster != nil {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), Patience)
				defer cancel()
				if err := n.Cluster.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					d.t.Errorf("stopping %s: %v", n.Addr, err)
				}
			})
		}
	}
	wg.Wait()
}

func (d *District) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	d.t.Cleanup(cancel)
	return ctx
}

// WaitLeader returns the node that leads and may answer reads.
func (d *District) WaitLeader() *Node {
	d.t.Helper()
	var leader *Node
	d.Eventually(func() bool {
		for _, n := range d.Nodes {
			if n.Cluster != nil && n.Leadership().Leader && !d.network.isolated(n.Addr) {
				leader = n
				return true
			}
		}
		return false
	}, "no leader")
	return leader
}

// Followers are the running nodes that do not lead.
func (d *District) Followers() []*Node {
	var ns []*Node
	for _, n := range d.Nodes {
		if n.Cluster != nil && !n.Leadership().Leader {
			ns = append(ns, n)
		}
	}
	return ns
}

// WaitVoters returns when every running node sees n voters.
func (d *District) WaitVoters(n int) {
	d.t.Helper()
	d.Eventually(func() bool {
		for _, node := range d.Nodes {
			if node.Cluster != nil && voters(node) != n {
				return false
			}
		}
		return true
	}, "not %d voters", n)
}

func voters(n *Node) int {
	count := 0
	for _, p := range n.Status().Peers {
		if p.Voter {
			count++
		}
	}
	return count
}

// WaitEqual returns when all running nodes hold the same commands, and gives them.
func (d *District) WaitEqual() []string {
	d.t.Helper()
	leader := d.WaitLeader()
	d.Eventually(func() bool {
		for _, n := range d.Nodes {
			if n.Cluster != nil && n.FSM.Hash() != leader.FSM.Hash() {
				return false
			}
		}
		return true
	}, "replicas differ")
	return leader.FSM.Commands()
}

// Eventually polls, because sockets cannot be waited for otherwise.
func (d *District) Eventually(ok func() bool, format string, args ...any) {
	d.t.Helper()
	require.Eventually(d.t, ok, Patience, 10*time.Millisecond, fmt.Sprintf(format, args...))
}

// With changes the options of every node whenever it starts from now on.
func (d *District) With(change func(*Node, *cluster.Options)) { d.with = append(d.with, change) }
