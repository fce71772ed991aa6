package inflight

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

// begin waits in a goroutine of its own, and tells its name when it is its turn.
func begin(t *Turns, ctx context.Context, rank int, name string, begun chan<- string, ends map[string]chan struct{}) {
	over := make(chan struct{})
	ends[name] = over
	go func() {
		end, err := t.Begin(ctx, rank)
		if err != nil {
			begun <- name + ": " + err.Error()
			return
		}
		begun <- name
		<-over
		end()
		end() // does no harm
	}()
	synctest.Wait()
}

func TestTurns_GoByRankAndThenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, begun, ends := NewTurns(2), make(chan string, 10), map[string]chan struct{}{}
		for _, w := range []struct {
			rank int
			name string
		}{{3, "a"}, {3, "b"}, {3, "c"}, {2, "d"}, {0, "e"}, {3, "f"}, {0, "g"}} {
			begin(turns, t.Context(), w.rank, w.name, begun, ends)
		}
		order := []string{"a", "b", "e", "g", "d", "c", "f"}
		require.Len(t, begun, 2)
		for i := range order {
			require.Equal(t, order[i], <-begun)
			if i > 0 {
				require.Len(t, begun, min(1, len(order)-i-1), "two at a time")
			}
			close(ends[order[i]])
			synctest.Wait()
		}
		require.Equal(t, 2, turns.free)
		require.Empty(t, turns.waiting)
	})
}

func TestTurns_WhoGivesUpTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, begun, ends := NewTurns(0), make(chan string, 10), map[string]chan struct{}{}
		begin(turns, t.Context(), 0, "first", begun, ends)
		require.Equal(t, "first", <-begun)
		gone, cancel := context.WithCancel(t.Context())
		begin(turns, gone, 0, "gone", begun, ends)
		cancel()
		require.Equal(t, "gone: context canceled", <-begun)
		_, err := turns.Begin(t.Context(), 0)
		var problem *wire.Problem
		require.ErrorAs(t, err, &problem, "after a while")
		require.Equal(t, wire.KindBusy, problem.Kind)
		require.Empty(t, turns.waiting)
		close(ends["first"])
		synctest.Wait()
		require.Equal(t, 1, turns.free)
	})
}

// A turn that came while its waiter left is not lost.
func TestTurns_LosesNoTurn(t *testing.T) {
	turns := NewTurns(1)
	holder := turns.enter(0)
	<-holder.turn
	late := turns.enter(0)
	turns.give()
	turns.leave(late)
	end, err := turns.Begin(context.Background(), 0)
	require.NoError(t, err)
	end()
	require.Equal(t, 1, turns.free)
}

func TestTurns_WaitNoLongerThanTheyMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := NewTurns(1)
		_, err := turns.Begin(t.Context(), 0)
		require.NoError(t, err)
		began := time.Now()
		_, err = turns.Begin(t.Context(), 0)
		require.Error(t, err)
		require.Equal(t, turnWait, time.Since(began))
	})
}
