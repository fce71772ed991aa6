package node_test

import (
	"bytes"
	"sync"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

// languages are those of the texts that the first device was given.
func languages(f *fleet, o wire.Outcome) []string {
	var out []string
	for _, e := range f.Devices()[0].Log() {
		if e.What != device.Started || e.Alert != o.Alert {
			continue
		}
		for _, text := range e.Body.Texts {
			out = append(out, text.Language)
		}
	}
	return out
}

func takesOnce(d *district) {
	here := d.estate("once")
	fleet := d.fleet(d.enrol("screen", here.Block, 4)...)
	flood := warning("flood", polygon(here.Area))
	follower := d.follower()

	first := d.post(follower, flood, "", "committed")
	require.Equal(d.t, wire.StateInForce, first.State)
	fleet.proven(revisionOf(first), 4)
	for i := range d.nodes {
		again := d.post(i, flood, "", "")
		require.True(d.t, again.Duplicate)
		require.Equal(d.t, first.Alert, again.Alert)
		require.Equal(d.t, first.Revision, again.Revision)
	}
	spaced := bytes.ReplaceAll(flood.xml(), []byte("><"), []byte(">\n\t  <"))
	again, err := d.client(d.leader()).TakeCAP(d.ctx(), spaced, "", "")
	require.NoError(d.t, err)
	require.True(d.t, again.Duplicate)

	slide := warning("landslide", polygon(here.Area))
	second := d.postEverywhere(slide)
	fleet.proven(revisionOf(second), 4)
	fleet.settle()
	require.Equal(d.t, []int{1, 1, 1, 1}, fleet.starts(revisionOf(first)))
	require.Equal(d.t, []int{1, 1, 1, 1}, fleet.starts(revisionOf(second)))
	for _, id := range []string{first.Alert, second.Alert} {
		d.everywhere(id, "one message, each device counted once", func(a wire.Alert) bool {
			return len(a.Messages) == 1 && a.Rungs.Presented == 4 && a.Addressed.Total == 4 && a.Replication == wire.ReplicationCommitted
		})
	}
}

// postEverywhere posts one message to every node at the same moment.
func (d *district) postEverywhere(b bulletin) wire.Outcome {
	d.t.Helper()
	outcomes, errs := make([]wire.Outcome, len(d.nodes)), make([]error, len(d.nodes))
	var posted sync.WaitGroup
	for i := range d.nodes {
		c := d.client(i)
		posted.Go(func() { outcomes[i], errs[i] = c.TakeCAP(d.t.Context(), b.xml(), "", "") })
	}
	posted.Wait()
	for i, o := range outcomes {
		require.NoError(d.t, errs[i])
		require.Contains(d.t, []wire.State{wire.StateInForce}, o.State)
		require.Equal(d.t, outcomes[0].Alert, o.Alert)
		require.Equal(d.t, outcomes[0].Revision, o.Revision)
	}
	return outcomes[0]
}

func refusesContradictions(d *district) {
	here := d.estate("contradiction")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	fire := warning("fire", polygon(here.Area))
	first := d.post(0, fire, "", "committed")
	fleet.proven(revisionOf(first), 2)

	other := fire
	other.Headline = "All is well"
	for i := range d.nodes {
		problem := d.refused(i, other, "")
		require.Equal(d.t, wire.KindConflict, problem.Kind)
		require.Equal(d.t, first.Alert, problem.Alert)
		require.Contains(d.t, problem.Sentence, "another content")
	}
	fleet.settle()
	require.Equal(d.t, []int{1, 1}, fleet.starts(revisionOf(first)))
	for _, dev := range fleet.Devices() {
		require.Contains(d.t, dev.Presenting(), first.Alert)
	}
	d.everywhere(first.Alert, "the first message stands alone", func(a wire.Alert) bool {
		return len(a.Messages) == 1 && a.State == wire.StateInForce
	})
	d.audited("alert refused", "administrator", first.Alert, "contradicts")
}

func refusesOtherSelections(d *district) {
	here := d.estate("selections")
	screens, speakers := d.fleet(d.enrol("screen", here.Block, 1)...), d.fleet(d.enrol("speaker", here.Block, 1)...)
	gas := warning("gas", polygon(here.Area))
	first := d.post(0, gas, "kind = screen", "committed")
	screens.proven(revisionOf(first), 1)
	require.True(d.t, d.post(1, gas, "kind  =  screen", "").Duplicate)
	for _, selection := range []string{"", "kind = speaker"} {
		problem := d.refused(1, gas, selection)
		require.Equal(d.t, wire.KindConflict, problem.Kind)
		require.Contains(d.t, problem.Sentence, "another selection")
	}
	speakers.settle()
	require.Equal(d.t, []int{0}, speakers.starts(revisionOf(first)))
}
