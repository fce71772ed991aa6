package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/outcome"
)

const (
	joinsTime  = 3 * time.Second // for as many seeds as fit, at least one and at most joinsSeeds
	joinsSeeds = 20
	joinsSteps = 30
	joinsPause = 60 * time.Millisecond   // between two steps, at most
	joinsWait  = 200 * time.Millisecond  // how long an invitation or a new leader is waited for
	joinsAsked = 1500 * time.Millisecond // how long one attempt may ask, at most
)

// Faults at the moment of an admission, at the node that leads.
const (
	noFault     = iota
	cutBefore   // cut off before the use of the token is proposed
	cutBetween  // cut off between that and the membership
	lostBetween // the outcome of the proposal is not known, though it is committed
	faults
)

// joins is one seed's schedule of invitations and of boxes that hold them, in a
// district that all seeds share. Who is a member is on the record of the seeds before.
type joins struct {
	*testing.T
	district *clustertest.District
	rand     *rand.Rand
	seed     uint64
	armed    *atomic.Int32 // the fault of the next admission
	invited  []invitation
	boxes    []*box
	under    sync.WaitGroup
	ended    chan struct{} // a signal that an attempt has ended
}

// invitation is a token and what its holder may expect of it.
type invitation struct {
	identity.Token
	forged  bool
	expires time.Time // at the latest
}

// box wants to become a node.
type box struct {
	dir, addr string
	by        invitation
	first     time.Time // when it asked first

	mu      sync.Mutex
	asking  bool
	id      string
	welcome bool  // it was told so, at least once
	refused error // by the district, for good
	at      time.Time
}

// Invitations are made at any node and used by one box or several, in time or not, while
// nodes are cut off, die, come back and hand over: in the middle of admissions too. Boxes
// give up at any moment, lose the answer on the way or before it is on their disk, and ask
// again. When all is whole: a token admitted one id at most, whoever was told welcome is a
// member, whoever does not know yet is told when it asks again under its id, the
// others are refused with reason, and nobody else is a member.
func TestJoins_AdmitOncePerToken(t *testing.T) {
	t.Parallel()
	var armed atomic.Int32
	var d *clustertest.District
	d = clustertest.New(t, 3, func(n *clustertest.Node, o *cluster.Options) {
		admit := o.Admit
		o.Admit = func(ctx context.Context, r joining.Request) error {
			if armed.CompareAndSwap(cutBefore, noFault) {
				d.Cut(n)
			}
			err := admit(ctx, r)
			switch {
			case err != nil:
			case armed.CompareAndSwap(cutBetween, noFault):
				d.Cut(n)
			case armed.CompareAndSwap(lostBetween, noFault):
				err = outcome.ErrUnknownOutcome
			}
			return err
		}
	})
	members := d.WaitLeader().Members()
	members = append(members, d.WaitLeader().NodeID())
	begun, seed := time.Now(), uint64(0)
	for ; seed < joinsSeeds && (seed == 0 || time.Since(begun) < joinsTime); seed++ {
		j := &joins{T: t, district: d, seed: seed, rand: rand.New(rand.NewPCG(seed, 78)), armed: &armed, ended: make(chan struct{}, 1)}
		for range joinsSteps {
			j.step()
		}
		j.heal()
		members = j.end(members)
	}
	t.Logf("%d seeds in %s", seed, time.Since(begun).Round(time.Millisecond))
}

// step does one thing and lets some time pass.
func (j *joins) step() {
	node := j.district.Nodes[j.rand.IntN(3)]
	switch n := j.rand.IntN(24); {
	case n < 4 || len(j.invited) == 0:
		j.invite(time.Hour)
	case n < 5:
		j.invite(time.Duration(j.rand.IntN(300)) * time.Millisecond)
	case n < 12:
		j.come()
	case n < 14:
		j.comeAgain()
	case n < 17:
		j.armed.Store(1 + j.rand.Int32N(faults-1))
	case n < 18:
		j.district.Cut(node)
	case n < 20:
		j.healLinks()
	case n < 21 && j.up() == 3:
		j.district.Kill(node)
	case n < 23 && node.Cluster == nil:
		j.district.Start(node)
	case node.Cluster != nil && node.Leadership().Leader:
		ctx, cancel := context.WithTimeout(context.Background(), joinsWait)
		_ = node.Transfer(ctx) // it may be cut off
		cancel()
	}
	pause := time.NewTimer(time.Duration(j.rand.Int64N(int64(joinsPause))))
	defer pause.Stop()
	select {
	case <-j.ended:
	case <-pause.C:
	}
}

func (j *joins) up() (n int) {
	for _, node := range j.district.Nodes[:3] {
		if node.Cluster != nil {
			n++
		}
	}
	return n
}

func (j *joins) healLinks() {
	for _, node := range j.district.Nodes {
		j.district.Heal(node)
	}
}

// invite asks some node for a token; in bad times there is none. A few are forged.
func (j *joins) invite(ttl time.Duration) {
	i := j.rand.IntN(3)
	if j.district.Nodes[i].Cluster == nil {
		i = (i + 1) % 3 // at most one is down
	}
	if j.rand.IntN(8) == 0 {
		t := identity.NewToken(j.district.Nodes[i].Identity().District, j.addrs())
		j.invited = append(j.invited, invitation{Token: t, forged: true, expires: time.Now().Add(time.Hour)})
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinsWait)
	defer cancel()
	if t, err := j.district.Nodes[i].Invite(ctx, ttl); err == nil {
		j.invited = append(j.invited, invitation{Token: t, expires: time.Now().Add(ttl)})
	}
}

// addrs are those of the nodes in any order, one at least; the leader's is the first as
// often as not, because faults in admissions happen there.
func (j *joins) addrs() []string {
	out := []string{}
	for _, n := range j.district.Nodes[:3] {
		if n.Cluster != nil && n.Leadership().Leader && j.rand.IntN(2) == 0 {
			out = append(out, n.Addr)
		}
	}
	for _, i := range j.rand.Perm(3)[:1+j.rand.IntN(3)] {
		out = append(out, j.district.Nodes[i].Addr)
	}
	return out
}

// come lets a box that nobody knows ask with a token, often one that others have.
func (j *joins) come() {
	i := len(j.invited) - 1 // the newest, or one that others may have used
	if j.rand.IntN(2) == 0 {
		i = j.rand.IntN(len(j.invited))
	}
	b := &box{dir: j.TempDir(), by: j.invited[i], first: time.Now()}
	b.addr = fmt.Sprintf("127.%d.%d.%d:1", 1+j.seed, len(j.boxes)/250, 1+len(j.boxes)%250) // raft wants each once
	j.boxes = append(j.boxes, b)
	j.ask(b)
}

// comeAgain lets a box repeat itself. One that was welcome has lost the answer before it was
// on its disk.
func (j *joins) comeAgain() {
	if len(j.boxes) == 0 {
		return
	}
	if b := j.boxes[j.rand.IntN(len(j.boxes))]; b.free() {
		j.ask(b)
	}
}

func (b *box) free() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.asking && b.refused == nil
}

// ask lets a box ask some of the nodes, or one through a proxy that loses the answer, for
// some time.
func (j *joins) ask(b *box) {
	token, lossy := b.by.Token, j.rand.IntN(4) == 0
	token.Addrs = j.addrs()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(j.rand.Int64N(int64(joinsAsked))))
	b.mu.Lock()
	b.asking = true
	b.mu.Unlock()
	j.under.Go(func() {
		defer cancel()
		if lossy {
			proxy := swallow(j.T, token.Addrs[0])
			defer proxy.stop()
			token.Addrs = []string{proxy.addr()}
		}
		b.ask(ctx, j.T, token)
		select {
		case j.ended <- struct{}{}:
		default:
		}
	})
}

// ask is one attempt, under the id of those before. A box that was answered before had
// lost its power before that was on its disk.
func (b *box) ask(ctx context.Context, t *testing.T, token identity.Token) {
	err := os.Rename(filepath.Join(b.dir, "identity.json"), filepath.Join(b.dir, "identity.pending.json"))
	if !errors.Is(err, os.ErrNotExist) {
		assert.NoError(t, err)
	}
	id, err := joining.Join(ctx, token, b.dir, []string{b.addr}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asking, b.at = false, time.Now()
	switch {
	case err == nil:
		b.welcome, b.id = true, id.NodeID
	case errors.Is(err, outcome.ErrRefused):
		b.refused, b.id = err, pendingID(b.dir)
	default:
		b.id = pendingID(b.dir)
	}
}

// heal makes everything whole and lets every box that does not know ask until it does.
func (j *joins) heal() {
	j.armed.Store(noFault)
	j.under.Wait()
	j.healLinks()
	for _, n := range j.district.Nodes {
		if n.Cluster == nil {
			j.district.Start(n)
		}
	}
	j.district.WaitLeader()
	for _, b := range j.boxes {
		token := b.by.Token
		token.Addrs = j.addrs()
		for !b.welcome && b.refused == nil {
			b.ask(patient(j.T), j.T, token)
		}
	}
}

// end checks what must hold when everything is whole, and returns who is a member.
func (j *joins) end(before []string) (members []string) {
	j.district.WaitEqual()
	leader := j.district.WaitLeader()
	members = append(leader.Members(), leader.NodeID())
	admitted := map[string]string{} // by hash of the token: an id that is a member
	welcome, refused := 0, 0
	for i, b := range j.boxes {
		hash := b.by.Hash()
		token, known := leader.FSM.Token(hash)
		member := slices.Contains(members, b.id)
		require.NotEmpty(j.T, b.id, "seed %d: box %d has no id", j.seed, i)
		require.False(j.T, known && b.by.forged, "seed %d", j.seed)
		require.Equal(j.T, token.UsedBy == b.id, member, "seed %d: box %d, %s: its token was used by %q; whether it is a member", j.seed, i, b.id, token.UsedBy)
		if b.welcome {
			welcome++
			require.NoError(j.T, b.refused, "seed %d: box %d, %s, was welcome before", j.seed, i, b.id)
			require.True(j.T, member, "seed %d: box %d, %s, was welcome", j.seed, i, b.id)
			require.True(j.T, b.first.Before(b.by.expires), "seed %d: box %d asked first after its token had expired", j.seed, i)
		} else {
			refused++
			require.True(j.T, !member && (b.by.forged || token.UsedBy != "" || b.at.After(time.UnixMilli(token.Expires))),
				"seed %d: box %d, %s, was refused without reason: %v", j.seed, i, b.id, b.refused)
		}
		if other := admitted[hash]; member {
			require.Empty(j.T, other, "seed %d: one token admitted two", j.seed)
			admitted[hash] = b.id
		}
	}
	for _, id := range members {
		require.True(j.T, slices.Contains(before, id) || slices.ContainsFunc(j.boxes, func(b *box) bool { return b.id == id }),
			"seed %d: nobody knows the member %s", j.seed, id)
	}
	require.Len(j.T, members, len(before)+len(admitted), "seed %d: nobody is lost", j.seed)
	j.Logf("seed %d: %d invitations, %d boxes welcome, %d refused", j.seed, len(j.invited), welcome, refused)
	return members
}

// proxy passes one connection on to a node, but of what comes back only the first
// flight: the node's part of the handshake. The rest, with the answer, is lost, and the
// connection ends when the node ends it.
type proxy struct {
	listener net.Listener
	done     chan struct{}
	mu       sync.Mutex
	conns    []net.Conn
}

func swallow(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	assert.NoError(t, err)
	p := &proxy{listener: l, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		client, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = client.Close() }()
		server, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		p.mu.Lock()
		p.conns = []net.Conn{client, server}
		p.mu.Unlock()
		p.pass(client, server)
	}()
	return p
}

func (p *proxy) pass(client, server net.Conn) {
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close() // who asked has gone
	})
	flight := make([]byte, 64<<10)
	n, err := server.Read(flight)
	if err == nil {
		_, _ = client.Write(flight[:n])
		_, _ = io.Copy(io.Discard, server)
	}
	_ = client.Close()
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) stop() {
	_ = p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	<-p.done
}

// pendingID is the server id under which a box asks to join; "" before it has asked.
func pendingID(dir string) string {
	raw, err := os.ReadFile(filepath.Join(dir, "identity.pending.json"))
	if err != nil {
		return ""
	}
	var pending struct {
		Node string `json:"node"`
	}
	_ = json.Unmarshal(raw, &pending)
	return pending.Node
}
