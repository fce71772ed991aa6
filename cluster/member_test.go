package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/joining"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/cluster/raftlog"
)

func TestJoin_TwoMoreNodesByToken(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	propose(t, d.Nodes[0], "before they came")
	for range 2 {
		d.Join(d.Invite())
	}
	d.WaitVoters(5)
	require.Contains(t, d.WaitEqual(), "before they came")
	for _, n := range d.Nodes {
		require.Len(t, n.Members(), 4)
		answer, err := n.Call(patient(t), n.Members()[0], "/nowhere", nil)
		var status *internode.CallError
		require.ErrorAs(t, err, &status, string(answer))
		require.Equal(t, http.StatusNotFound, status.Status)
	}
}

func TestJoin_ThroughAFollower(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 2)
	token := d.Invite()
	token.Addrs = []string{d.Followers()[0].Addr}
	d.Join(token)
	d.WaitVoters(3)
}

func TestJoin_DoesNotVoteBeforeItIsStable(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	leader := d.Nodes[0]
	d.Stop(leader)
	d.Start(leader, func(o *cluster.Options) { o.Stabilization = time.Hour })
	newcomer := d.Join(d.Invite())
	propose(t, newcomer, "it has the log")
	d.WaitEqual()
	votes := func() bool {
		for _, p := range leader.Status().Peers {
			if p.ID == newcomer.NodeID() {
				return p.Voter
			}
		}
		return true
	}
	require.Never(t, votes, 3*time.Second, 50*time.Millisecond, "three looks of the leader")
}

func TestJoin_IsRefused(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	token := d.Invite()
	used := d.Join(token)
	members := len(d.Nodes[0].Members())

	join := func(token identity.Token) (string, error) {
		dir := t.TempDir()
		_, err := joining.Join(patient(t), token, dir, []string{"127.0.0.1:1"}, 1)
		require.Error(t, err)
		_, missing := identity.Load(dir)
		require.ErrorIs(t, missing, identity.ErrNoIdentity)
		return dir, err
	}
	t.Run("token used twice", func(t *testing.T) {
		_, err := join(token)
		require.ErrorIs(t, err, outcome.ErrRefused)
		require.ErrorContains(t, err, "unknown or used")
	})
	t.Run("token never given", func(t *testing.T) {
		_, err := join(identity.NewToken(d.Nodes[0].Identity().District, token.Addrs))
		require.ErrorIs(t, err, outcome.ErrRefused)
	})
	t.Run("another authority", func(t *testing.T) {
		foreign, err := identity.NewDistrict("Sham Shui Po")
		require.NoError(t, err)
		_, err = join(identity.NewToken(foreign, token.Addrs))
		require.ErrorIs(t, err, identity.ErrWrongDistrict)
	})
	t.Run("directory of a node", func(t *testing.T) {
		_, err := joining.Join(patient(t), token, used.Dir, []string{"127.0.0.1:1"}, 1)
		require.ErrorIs(t, err, identity.ErrAlreadyMember)
	})
	require.Len(t, d.Nodes[0].Members(), members)
}

func TestJoin_ExpiredTokenGivesTheReasonOfAdmit(t *testing.T) {
	t.Parallel()
	district, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := identity.New(district, nil)
	require.NoError(t, err)
	fsm := clustertest.NewFSM()
	c, err := cluster.Start(cluster.Options{
		Dir: t.TempDir(), Identity: id, Listen: "127.0.0.1:0", FSM: fsm, Snapshots: fsm, Bootstrap: true,
		Admit: func(context.Context, joining.Request) error {
			return errExpired
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	require.NoError(t, c.Linearizable(patient(t)))
	_, err = joining.Join(patient(t), identity.NewToken(district, []string{c.Addr().String()}), t.TempDir(), []string{"127.0.0.1:1"}, 1)
	require.ErrorIs(t, err, outcome.ErrRefused)
	require.ErrorContains(t, err, errExpired.Error())
}

// What may be over soon is no refusal, after which nobody asks again.
func TestJoin_IsNotRefusedForWhatPasses(t *testing.T) {
	t.Parallel()
	district, err := identity.NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := identity.New(district, nil)
	require.NoError(t, err)
	fsm, passes := clustertest.NewFSM(), make(chan error, 1)
	c, err := cluster.Start(cluster.Options{
		Dir: t.TempDir(), Identity: id, Listen: "127.0.0.1:0", FSM: fsm, Snapshots: fsm, Bootstrap: true,
		Admit: func(context.Context, joining.Request) error {
			return fmt.Errorf("proposing: %w", <-passes)
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop(context.Background())) })
	require.NoError(t, c.Linearizable(patient(t)))
	for _, reason := range []error{raftlog.ErrDiskFull, outcome.ErrBusy, outcome.ErrUnknownOutcome, outcome.ErrStopped, outcome.ErrNoLeader} {
		passes <- reason
		_, err = joining.Join(patient(t), identity.NewToken(district, []string{c.Addr().String()}), t.TempDir(), []string{"127.0.0.1:1"}, 1)
		require.ErrorContains(t, err, "no node admitted us", "%v", reason)
		require.NotErrorIs(t, err, outcome.ErrRefused, "%v", reason)
	}
}

type sentence string

func (s sentence) Error() string { return string(s) }

const errExpired = sentence("the token expired an hour ago")

func TestJoin_RepeatAfterALostAnswerCompletesTheFirst(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 1)
	token := d.Invite()
	dir := t.TempDir()
	lost, cancel := context.WithCancel(patient(t))
	proxy := loseAnswer(t, d.Nodes[0].Addr, cancel)
	broken := token
	broken.Addrs = []string{proxy}
	_, err := joining.Join(lost, broken, dir, []string{"127.0.0.1:1"}, 1)
	require.Error(t, err)
	d.Eventually(func() bool { return len(d.Nodes[0].Members()) == 1 }, "the request did arrive")

	id, err := joining.Join(patient(t), token, dir, []string{"127.0.0.1:1"}, 1)
	require.NoError(t, err)
	require.Equal(t, d.Nodes[0].Members(), []string{id.NodeID}, "under the same server id")
	again, err := identity.Load(dir)
	require.NoError(t, err)
	require.Equal(t, id.NodeID, again.NodeID)
	require.NoFileExists(t, filepath.Join(dir, "identity.pending.json"))
}

// loseAnswer forwards one connection to addr, but cancels and closes it once the
// request has gone through: after the third write of the client (the hello, the
// end of the handshake with the request, or the request).
func loseAnswer(t *testing.T, addr string, cancel func()) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		client, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = client.Close() }()
		server, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		answers := make(chan struct{})
		go func() {
			defer close(answers)
			buf := make([]byte, 64<<10)
			n, _ := server.Read(buf) // its side of the handshake, in one flight
			_, _ = client.Write(buf[:n])
			_, _ = server.Read(buf) // the answer: kept
			cancel()
		}()
		buf := make([]byte, 64<<10)
		for {
			_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err := client.Read(buf)
			if err != nil {
				break
			}
			_, _ = server.Write(buf[:n])
		}
		<-answers
	}()
	return l.Addr().String()
}

// remove repeats a removal whose outcome is unknown until it is done.
func remove(t *testing.T, by *clustertest.Node, id string) {
	t.Helper()
	err := by.Remove(patient(t), id)
	for errors.Is(err, outcome.ErrUnknownOutcome) {
		if err = by.Remove(patient(t), id); errors.Is(err, outcome.ErrNotMember) || errors.Is(err, outcome.ErrStopped) {
			return // the first one did it
		}
	}
	require.NoError(t, err)
}

func TestRemove_StopsTheRemovedNode(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	gone := d.Followers()[0]
	require.ErrorIs(t, gone.Remove(patient(t), "nobody"), outcome.ErrNotMember)
	remove(t, d.WaitLeader(), gone.NodeID())
	select {
	case <-gone.Removed():
	case <-patient(t).Done():
		t.Fatal("it never learnt of it")
	}
	require.Equal(t, "stopped", gone.Status().Role)
	d.Stop(gone)
	_, err := cluster.Start(d.Options(gone))
	require.ErrorIs(t, err, outcome.ErrRemoved)
	d.Nodes = without(d.Nodes, gone)
	d.WaitVoters(2)
	propose(t, d.Nodes[0], "goes on")
}

func TestRemove_TheLeaderByItself(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	leader := d.WaitLeader()
	remove(t, leader, leader.NodeID())
	<-leader.Removed()
	d.Stop(leader)
	d.Nodes = without(d.Nodes, leader)
	d.WaitVoters(2)
	propose(t, d.Nodes[0], "goes on")
}

func without(nodes []*clustertest.Node, n *clustertest.Node) (rest []*clustertest.Node) {
	for _, o := range nodes {
		if o != n {
			rest = append(rest, o)
		}
	}
	return rest
}

func TestStart_RefusesANodeThatLostItsLog(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 2)
	n := d.Followers()[0]
	propose(t, n, "something to lose")
	d.Stop(n)
	require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, "raft")))
	o := d.Options(n)
	o.FSM, o.Snapshots = clustertest.NewFSM(), clustertest.NewFSM()
	_, err := cluster.Start(o)
	require.ErrorIs(t, err, marks.ErrAmnesia)
}

func TestChangedAddress_IsFoundAgain(t *testing.T) {
	t.Parallel()
	d := clustertest.New(t, 3)
	n := d.Followers()[0]
	d.Stop(n)
	n.Addr = clustertest.FreeAddr(t)
	d.Start(n)
	d.Eventually(func() bool { return n.Status().HasQuorum }, "not found at its new address")
	d.Eventually(func() bool {
		for _, p := range d.WaitLeader().Status().Peers {
			if p.ID == n.NodeID() {
				return p.Addr == n.Addr
			}
		}
		return false
	}, "address not in the configuration")
	propose(t, n, "from the new address")
}
