//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlan_IsTheSameForTheSameSeed(t *testing.T) {
	require.Equal(t, newPlan(7, 3, 2*time.Minute, true), newPlan(7, 3, 2*time.Minute, true))
	require.NotEqual(t, newPlan(7, 3, 2*time.Minute, true), newPlan(8, 3, 2*time.Minute, true))
	require.NotEqual(t, newPlan(7, 3, 2*time.Minute, true), newPlan(7, 5, 2*time.Minute, true))
}

func TestPlan_EndsInTimeAndHasEveryFault(t *testing.T) {
	const length = 30 * time.Minute
	for _, nodes := range []int{2, 3, 5, 9} {
		seen := map[Kind]bool{}
		for seed := range uint64(20) {
			last := time.Duration(0)
			for _, s := range newPlan(seed, nodes, length, true) {
				seen[s.Kind] = true
				require.LessOrEqual(t, last, s.At)
				last = s.At
				require.Positive(t, s.For)
				require.LessOrEqual(t, s.For, 30*time.Second)
				require.LessOrEqual(t, s.At+s.For, length)
				require.True(t, s.Node == leading || s.Node >= 0 && s.Node <= nodes, s)
				require.NotEmpty(t, s.String())
			}
		}
		for _, k := range []Kind{Isolate, Halves, AllAlone, OneWay, Bridge, Slow, Lossy, Unplug, Kill, KillAll, Freeze, Stop, Reboot, Clock, Descriptors, Grow, Swap, Move, Shrink, SlowDisk, StallDisk, FullDisk, PowerCut, PowerAll} {
			require.True(t, seen[k], "%s never happens to %d nodes", k, nodes)
		}
	}
}

// count is how many of the six directions between three nodes a step cuts.
func count(s Step) (n int) {
	for from := range 3 {
		for to := range 3 {
			if from != to && s.cuts(from, to).cut {
				n++
			}
		}
	}
	return n
}

func TestStep_CutsWhatItSays(t *testing.T) {
	require.Equal(t, 4, count(Step{Kind: Isolate, Node: 1}))
	require.Equal(t, 4, count(Step{Kind: Halves, Group: []int{2}}))
	require.Equal(t, 6, count(Step{Kind: AllAlone}))
	require.Equal(t, 2, count(Step{Kind: Bridge, Node: 1, Group: []int{2}}))
	require.Equal(t, 0, count(Step{Kind: Slow, Node: 1, Delay: time.Second}))
	deaf, mute := Step{Kind: OneWay, Node: 1, Deaf: true}, Step{Kind: OneWay, Node: 1}
	require.Equal(t, 2, count(deaf))
	require.True(t, deaf.cuts(0, 1).cut)
	require.False(t, deaf.cuts(1, 0).cut)
	require.Equal(t, 2, count(mute))
	require.True(t, mute.cuts(1, 0).cut)
	require.Equal(t, time.Second, Step{Kind: Slow, Node: 1, Delay: time.Second}.cuts(1, 0).delay)
}
