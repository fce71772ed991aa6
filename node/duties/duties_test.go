package duties

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/proposals"
)

// leads is who leads, always.
type leads struct {
	leader  bool
	changes chan proposals.Leadership
}

func (l leads) Leadership() proposals.Leadership { return proposals.Leadership{Leader: l.leader} }
func (l leads) Changes() (<-chan proposals.Leadership, func()) {
	return l.changes, func() {}
}

func run(t *testing.T, l leads, list ...Duty) *Duties {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d := New(NewElection(l, func() bool { return true }), slog.New(slog.DiscardHandler), list...)
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return d
}

func TestDuties_OneThatFailsOrHangsStopsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var good, bad, follower atomic.Int32
		d := run(t, leads{leader: true}, Duty{Name: "fails", Do: func(context.Context) error { bad.Add(1); return errors.New("for ever") }},
			Duty{Name: "hangs", Do: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			Duty{Name: "good", Where: AtLeader, Do: func(context.Context) error { good.Add(1); return nil }})
		e := run(t, leads{}, Duty{Name: "of the leader", Where: AtLeader, Do: func(context.Context) error { follower.Add(1); return nil }})
		for range 600 { // a minute
			time.Sleep(100 * time.Millisecond)
			d.Call()
			e.Call()
		}
		synctest.Wait()
		require.EqualValues(t, 600, good.Load()-12, "at every call, and every 5 s")
		require.InDelta(t, 7, bad.Load(), 1, "after 0.1, 1, 2, 4, 8, 16 and 30 s")
		require.Zero(t, follower.Load())
	})
}

func TestDuties_AChangeOfLeaderEndsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tried atomic.Int32
		l := leads{changes: make(chan proposals.Leadership)}
		run(t, l, Duty{Name: "waits", Do: func(context.Context) error { tried.Add(1); return errors.New("no leader") }})
		time.Sleep(time.Minute)
		before := tried.Load()
		l.changes <- proposals.Leadership{}
		synctest.Wait()
		require.Equal(t, before+1, tried.Load())
	})
}

// office is an election that a test decides.
type office struct {
	mu        sync.Mutex
	leader    bool
	canCommit bool
	changes   chan proposals.Leadership
}

func (o *office) Leadership() proposals.Leadership {
	o.mu.Lock()
	defer o.mu.Unlock()
	return proposals.Leadership{Leader: o.leader}
}

func (o *office) Changes() (<-chan proposals.Leadership, func()) { return o.changes, func() {} }

func (o *office) set(leader, canCommit bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.leader, o.canCommit = leader, canCommit
}

func (o *office) can() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.canCommit
}

// A duty under way ends when it is another node's, and begins where it became this node's:
// also without a majority, where the leader's do not.
func TestDuties_AreHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{canCommit: true, changes: make(chan proposals.Leadership)}
		doing := map[string]*atomic.Int32{"feed": {}, "records": {}}
		hold := func(name string) func(context.Context) error {
			return func(ctx context.Context) error {
				doing[name].Add(1)
				defer doing[name].Add(-1)
				<-ctx.Done()
				return nil
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		d := New(NewElection(o, o.can), slog.New(slog.DiscardHandler),
			Duty{Name: "feed", Where: AtOne, Do: hold("feed")}, Duty{Name: "records", Where: AtLeader, Do: hold("records")})
		done := make(chan struct{})
		go func() { defer close(done); d.Run(ctx) }()
		for _, step := range []struct {
			leader, canCommit bool
			feed, records     int32
		}{{false, true, 0, 0}, {true, true, 1, 1}, {false, true, 0, 0}, {false, false, 1, 0}, {true, false, 1, 1}, {false, true, 0, 0}} {
			o.set(step.leader, step.canCommit)
			time.Sleep(every + looks)
			synctest.Wait()
			require.Equal(t, step.feed, doing["feed"].Load(), "%+v", step)
			require.Equal(t, step.records, doing["records"].Load(), "%+v", step)
		}
		cancel()
		<-done
	})
}
