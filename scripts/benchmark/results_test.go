//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantile_IsTheNearestRank(t *testing.T) {
	all := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	require.Equal(t, 5, quantile(all, 50))
	require.Equal(t, 10, quantile(all, 99))
	require.Equal(t, 1, quantile([]int{1}, 50))
	require.Equal(t, 2, quantile([]int{1, 2, 3}, 50))
}

// recorded is a result set with one alert per run and the given costs per delivery.
func recorded(system string, devices int, perDelivery ...time.Duration) *results {
	r := newResults()
	for run, cost := range perDelivery {
		r.add(sample{
			System: system, Devices: devices, Over: "TCP", Variant: oneByOne, QoS: 1, Run: run,
			Alerts: 1, Deliveries: devices, Last: 10 * cost, CPU: cost * time.Duration(devices),
		})
	}
	return r
}

func TestResults_AreMediansOfRuns(t *testing.T) {
	r := recorded(gatewayName, 1000, 900*time.Microsecond, 10*time.Microsecond, 12*time.Microsecond)
	s, ok := r.of(delivering(gatewayName, 1000))
	require.True(t, ok)
	require.Equal(t, 12*time.Microsecond, s.CPU, "one bad run must not count")
	require.Equal(t, 120*time.Microsecond, s.P50)
	_, ok = r.of(delivering(gatewayName, 5000))
	require.False(t, ok)
}

func TestTargets_TellReachedMissedAndNotMeasured(t *testing.T) {
	r := recorded(floorName, 1000, 10*time.Microsecond)
	verdict := func(cost time.Duration) target {
		for key, samples := range recorded(gatewayName, 1000, cost).samples {
			r.samples[key] = samples
		}
		return r.targets(options{devices: []int{1000}, only: []string{floorName, gatewayName}})[0]
	}
	require.True(t, verdict(13*time.Microsecond).reached)
	over := verdict(14 * time.Microsecond)
	require.False(t, over.reached)
	require.Equal(t, "1.40 x", over.measured)
	require.Equal(t, []string{gatewayName}, missed([]target{over}))

	unknown := r.targets(options{devices: []int{2000}, only: []string{gatewayName}})
	require.Empty(t, missed(unknown), "what was not measured is not missed")
}

func TestOptions_OnlyKeepsTheOrderAndRefusesStrangers(t *testing.T) {
	out := t.TempDir()
	o, err := parseOptions([]string{"--quick", "--only", "gateway,floor", "--devices", "20,30", "--out", out})
	require.NoError(t, err)
	require.Equal(t, []string{floorName, gatewayName}, o.only)
	require.Equal(t, []int{20, 30}, o.devices)
	require.Equal(t, 1, o.runs)
	for _, args := range [][]string{{"--only", "emqx"}, {"--devices", "0"}, {"--devices", "1000000"}, {"more"}} {
		_, err := parseOptions(append([]string{"--out", out}, args...))
		require.Error(t, err)
	}
}
