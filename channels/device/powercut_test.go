package device

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/mqtt"
)

func TestPowerCut_ShowsAgainAndBeginsNothingAnew(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1)
	situation := channels.Situation{Keys: keys, InForce: []channels.Item{it}}
	require.NoError(t, tw.dispatch.Set(situation))
	d := run(t, options(7, tw))
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "proven")
	for cut := range 3 {
		require.NoError(t, PowerCut(d))
		soon(t, func() bool { return d.Tally(revisionOf(it)).Resumes == cut+1 }, "resumed")
	}
	require.Equal(t, 1, d.Tally(revisionOf(it)).Starts)
	require.Equal(t, []string{string(it.Alert)}, d.Presenting())
}
