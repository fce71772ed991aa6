package fsm

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/storage/dumpfile"
)

// dump is the live snapshot of a replica as raft would send it.
func dump(t *testing.T, r *rig) (*raft.SnapshotMeta, []byte) {
	t.Helper()
	metas, err := r.fsm.SnapshotStore().List()
	require.NoError(t, err)
	require.Len(t, metas, 1)
	meta, source, err := r.fsm.SnapshotStore().Open(metas[0].ID)
	require.NoError(t, err)
	raw, err := io.ReadAll(source)
	require.NoError(t, err)
	require.NoError(t, source.Close())
	require.EqualValues(t, meta.Size, len(raw))
	return meta, raw
}

// receive feeds a snapshot to a replica as raft does.
func receive(r *rig, meta *raft.SnapshotMeta, raw []byte) error {
	s := r.fsm.SnapshotStore()
	sink, err := s.Create(meta.Version, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	require.NoError(r, err)
	if _, err := io.Copy(sink, bytes.NewReader(raw)); err != nil {
		return err
	}
	if err := sink.Close(); err != nil {
		return err
	}
	got, source, err := s.Open(sink.ID())
	require.NoError(r, err)
	require.Equal(r, meta.Index, got.Index)
	require.Equal(r, meta.Configuration, got.Configuration)
	defer source.Close()
	return r.fsm.Restore(source)
}

func TestSnapshot_InstalledElsewhereIsEqualAndGoesOn(t *testing.T) {
	logs := history(t)
	from, to := newRig(t), newRig(t)
	from.all(logs[:len(logs)-3])
	to.all(logs[:5])
	meta, raw := dump(t, from)
	require.NoError(t, receive(to, meta, raw))
	require.Equal(t, from.hash(), to.hash())
	require.Equal(t, from.fsm.Applied(), to.fsm.Applied())
	require.Equal(t, apply.ChangedAll, to.changed[len(to.changed)-1])
	require.Equal(t, from.read.Index().Ordinals().ToArray(), to.read.Index().Ordinals().ToArray(), "memory is rebuilt")
	for _, l := range logs {
		from.fsm.Apply(l)
		to.fsm.Apply(l)
	}
	require.Equal(t, from.hash(), to.hash())
	to.reopen()
	require.Equal(t, from.hash(), to.hash())
	require.Empty(t, to.halts)
}

func TestSnapshot_DamagedOrOlderIsRefusedAndTheStateUntouched(t *testing.T) {
	logs := history(t)
	from, to := newRig(t), newRig(t)
	from.all(logs[:10])
	meta, raw := dump(t, from)
	to.all(logs[:12])
	before := to.hash()
	require.ErrorIs(t, receive(to, meta, raw), ErrBehind)
	from.all(logs[10:])
	meta, raw = dump(t, from)
	bad := bytes.Clone(raw)
	bad[len(bad)/2] ^= 1
	require.ErrorIs(t, receive(to, meta, bad), dumpfile.ErrDump)
	require.ErrorIs(t, receive(to, meta, raw[:len(raw)-9]), dumpfile.ErrDump)
	require.ErrorIs(t, to.fsm.Restore(io.NopCloser(bytes.NewReader(bad))), dumpfile.ErrDump)
	require.Equal(t, before, to.hash())
	require.Empty(t, to.halts, "the node goes on")
	require.NoError(t, to.fsm.Restore(io.NopCloser(bytes.NewReader(raw))), "a good one by hand")
	require.Equal(t, from.hash(), to.hash())
}

func TestSnapshot_TakingOneRecordsTheIndexAndNeverMovesBack(t *testing.T) {
	r := newRig(t)
	metas, err := r.fsm.SnapshotStore().List()
	require.NoError(t, err)
	require.Empty(t, metas, "none before anything was applied")
	logs := history(t)
	r.all(logs[:6])
	take := func(index uint64) {
		snap, err := r.fsm.Snapshot()
		require.NoError(t, err)
		sink, err := r.fsm.SnapshotStore().Create(1, index, 3, raft.Configuration{}, 1, nil)
		require.NoError(t, err)
		require.NoError(t, snap.Persist(sink))
		require.NoError(t, sink.Close())
		snap.Release()
	}
	take(9) // barriers up to 9
	metas, err = r.fsm.SnapshotStore().List()
	require.NoError(t, err)
	require.EqualValues(t, 9, metas[0].Index)
	r.all(logs[9:12])
	take(10) // recorded while later entries were applied
	metas, err = r.fsm.SnapshotStore().List()
	require.NoError(t, err)
	require.EqualValues(t, 12, metas[0].Index)
}

// peer is a raft node over a rig, with a log that survives restarts.
type peer struct {
	*rig
	id    string
	log   *raft.InmemStore
	trans *raft.InmemTransport
	raft  *raft.Raft
}

func newPeer(t *testing.T, id string) *peer {
	p := &peer{rig: newRig(t), id: id, log: raft.NewInmemStore()}
	t.Cleanup(func() { require.NoError(t, p.raft.Shutdown().Error()) })
	return p
}

func (p *peer) config() *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(p.id)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = 400*time.Millisecond, 400*time.Millisecond, 300*time.Millisecond
	c.CommitTimeout = 10 * time.Millisecond
	c.TrailingLogs, c.SnapshotThreshold, c.SnapshotInterval = 1, 1<<30, time.Hour
	c.NoSnapshotRestoreOnStart, c.BatchApplyCh = true, true
	c.Logger = hclog.NewNullLogger()
	return c
}

func (p *peer) start() {
	p.Helper()
	_, p.trans = raft.NewInmemTransport(raft.ServerAddress(p.id))
	var err error
	p.raft, err = raft.NewRaft(p.config(), p.fsm, p.log, p.log, p.fsm.SnapshotStore(), p.trans)
	require.NoError(p, err)
}

func (p *peer) stop() {
	require.NoError(p, p.raft.Shutdown().Error())
	p.reopen()
}

func (p *peer) lead() {
	p.Helper()
	require.Eventually(p, func() bool { return p.raft.State() == raft.Leader }, 10*time.Second, 5*time.Millisecond)
}

func (p *peer) propose(payload command.Payload) {
	p.Helper()
	raw, err := command.Command{Actor: "amy", At: epoch.UnixMilli(), Payload: payload}.Encode()
	require.NoError(p, err)
	f := p.raft.Apply(raw, 10*time.Second)
	require.NoError(p, f.Error())
	require.NoError(p, resultOf(p, f.Response()).Error())
}

func TestRaft_LateFollowerGetsASnapshotAndARestartReplaysNothing(t *testing.T) {
	a, b := newPeer(t, "node-a"), newPeer(t, "node-b")
	a.start()
	first := raft.Configuration{Servers: []raft.Server{{ID: "node-a", Address: "node-a"}}}
	require.NoError(t, a.raft.BootstrapCluster(first).Error())
	a.lead()
	for i := range 20 {
		a.propose(&command.PutMembers{Members: members(i*10, 10)})
	}
	require.NoError(t, a.raft.Barrier(0).Error())
	require.NoError(t, a.raft.Snapshot().Error())
	oldest, err := a.log.FirstIndex()
	require.NoError(t, err)
	require.Greater(t, oldest, uint64(10), "the log was compacted")

	b.start()
	a.trans.Connect("node-b", b.trans)
	b.trans.Connect("node-a", a.trans)
	require.NoError(t, a.raft.AddNonvoter("node-b", "node-b", 0, 10*time.Second).Error())
	a.propose(&command.PutMembers{Members: members(500, 10)})
	require.Eventually(t, func() bool { return b.fsm.Applied() >= a.fsm.Applied() }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, a.hash(), b.hash())
	applied := b.fsm.Applied()
	b.stop() // and with it the goroutine that calls the hooks
	require.Contains(t, b.changed, apply.ChangedAll, "it came as a snapshot")
	told := len(b.changed)
	b.start()
	require.Equal(t, applied, b.fsm.Applied())
	require.Len(t, b.raft.GetConfiguration().Configuration().Servers, 2, "the configuration comes from the store")
	b.stop()
	require.Len(t, b.changed, told, "nothing was applied again")
	b.start()
	a.trans.Connect("node-b", b.trans)
	b.trans.Connect("node-a", a.trans)
	a.lead()
	a.propose(&command.PutMembers{Members: members(700, 10)})
	require.Eventually(t, func() bool { return b.fsm.Applied() >= a.fsm.Applied() }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, a.hash(), b.hash())
	require.Empty(t, append(a.halts, b.halts...))
}

func TestRaft_BackupComesBackByUserRestoreAndRecoverGivesANewConfiguration(t *testing.T) {
	a := newPeer(t, "node-a")
	a.start()
	two := raft.Configuration{Servers: []raft.Server{{ID: "node-a", Address: "node-a"}}}
	require.NoError(t, a.raft.BootstrapCluster(two).Error())
	a.lead()
	a.propose(&command.PutMembers{Members: members(0, 10)})
	want := a.hash()
	var backup bytes.Buffer
	applied, err := a.store.Backup(&backup)
	require.NoError(t, err)
	a.propose(&command.RemoveMembers{IDs: []string{"m-000001"}})
	require.NotEqual(t, want, a.hash())
	meta := &raft.SnapshotMeta{Version: 1, Index: applied.Index, Term: applied.Term, Size: int64(backup.Len())}
	require.NoError(t, a.raft.Restore(meta, &backup, 10*time.Second))
	require.Equal(t, want, a.hash())
	a.propose(&command.PutMembers{Members: members(50, 1)})
	want = a.hash()

	require.NoError(t, a.raft.Shutdown().Error())
	_, trans := raft.NewInmemTransport("node-a")
	recovered := raft.Configuration{Servers: []raft.Server{{ID: "node-a", Address: "elsewhere"}}}
	require.NoError(t, raft.RecoverCluster(a.config(), a.fsm, a.log, a.log, a.fsm.SnapshotStore(), trans, recovered))
	a.reopen()
	require.Equal(t, want, a.hash())
	a.start()
	require.Equal(t, recovered, a.raft.GetConfiguration().Configuration())
	require.Empty(t, a.halts, fmt.Sprint(a.halts))
}
