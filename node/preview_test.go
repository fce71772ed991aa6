package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

// preview asks node i what the message would do.
func (d *district) preview(i int, b bulletin, selection string) wire.Outcome {
	d.t.Helper()
	out, err := d.client(i).PreviewCAP(d.ctx(), b.xml(), selection)
	require.NoError(d.t, err)
	require.True(d.t, out.DryRun)
	return out
}

// unrecorded proves that nothing is on record of a name, after what came later is.
func (d *district) unrecorded(id string, words ...string) {
	d.t.Helper()
	_, err := d.client(0).ShowAlert(d.ctx(), id)
	require.Equal(d.t, wire.KindNotFound, problemOf(d, nil, err).Kind)
	text, _ := d.audit(0)
	for _, word := range words {
		require.NotContains(d.t, text, word)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	for _, c := range []struct {
		name string
		run  func(*district)
	}{
		{"says what would be and records nothing", previewsNew},
		{"judges updates, cancels and repeats", previewsLater},
		{"refuses as the real thing, off the record", previewRefuses},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(d.in(t)) })
	}
}

func previewsNew(d *district) {
	here := d.estate("preview")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	rain := warning("preview-rain", polygon(here.Area))
	would := d.preview(0, rain, "kind = screen")
	require.Equal(d.t, wire.StateInForce, would.State)
	require.EqualValues(d.t, 2, would.Addressed.Total)
	require.Equal(d.t, []wire.Count{{Name: "screen", Count: 2}}, would.Addressed.ByKind)
	require.Equal(d.t, []wire.Count{{Name: here.Block, Count: 2}}, would.Addressed.ByPlace)
	require.Equal(d.t, 2, would.Connected)

	text, err := d.client(0).PreviewAlert(d.ctx(), byJSON("preview-text", "place under "+here.Path))
	require.NoError(d.t, err)
	require.True(d.t, text.DryRun)
	require.EqualValues(d.t, 2, text.Addressed.Total)
	require.Contains(d.t, strings.Join(d.preview(0, warning("preview-sea", polygon(square(10, 110, 0.1))), "").Warnings.Texts(), "; "), "nobody is addressed")

	fleet.settle()
	d.unrecorded(rain.id(), "preview-rain", "preview-text", "preview-sea", would.Alert, text.Alert)
	require.Equal(d.t, []int{0, 0}, fleet.starts(revisionOf(would)))

	sent := d.post(0, rain, "kind = screen", "committed")
	require.NotEmpty(d.t, would.Words, "what the texts lack is said before they are sent")
	require.NotNil(d.t, would.Look, "so is how devices present it")
	require.Len(d.t, would.Texts, 2, "and what people would read")
	require.Equal(d.t, "preview-rain（中文）", would.Texts[0].Headline)
	would.DryRun, would.Replication, would.Words, would.Look, would.Texts = false, sent.Replication, nil, nil, nil
	require.Equal(d.t, would, sent, "no duplicate, and all as it was said")
	fleet.proven(revisionOf(sent), 2)
}

func previewsLater(d *district) {
	here := d.estate("preview-later")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	amber := warning("preview-amber", polygon(here.Area))
	amber.Sent = amber.Sent.Add(-10 * time.Second) // so that what follows has begun too
	sent := d.post(0, amber, "", "committed")
	fleet.proven(revisionOf(sent), 1)

	require.True(d.t, d.preview(0, amber, "").Duplicate)
	red := d.preview(0, amber.update("preview-red"), "")
	require.Equal(d.t, wire.StateInForce, red.State)
	require.Equal(d.t, sent.Alert, red.Alert, "an update belongs to its alert")
	require.Greater(d.t, red.Revision, sent.Revision)
	over := d.preview(0, amber.cancel(), "")
	require.Equal(d.t, wire.StateCancelled, over.State)
	require.Equal(d.t, sent.Alert, over.Alert)

	fleet.settle()
	a := d.show(0, sent.Alert)
	require.Equal(d.t, wire.StateInForce, a.State)
	require.Len(d.t, a.Messages, 1)
	require.Equal(d.t, []int{0}, fleet.starts(revisionOf(red)))

	d.post(0, amber.cancel(), "", "committed")
	require.Equal(d.t, wire.StateCancelled, d.preview(0, amber.update("preview-red"), "").State)
}

func previewRefuses(d *district) {
	here := d.estate("preview-refused")
	fleet := d.fleet(d.enrol("screen", here.Block, 1)...)
	refused := func(b bulletin, selection string) *wire.Problem {
		out, err := d.client(0).PreviewCAP(d.ctx(), b.xml(), selection)
		return problemOf(d, out, err)
	}
	for name, selection := range map[string]string{"no-area": "", "nobody": "place under tuen-mun/no-such-estate", "unreadable": "place within here"} {
		b := warning("preview-"+name, "")
		if name != "no-area" {
			b.Area = polygon(here.Area)
		}
		would := refused(b, selection)
		require.Equal(d.t, d.refused(0, b, selection), would)
	}

	gas := warning("preview-gas", polygon(here.Area))
	sent := d.post(0, gas, "", "committed")
	fleet.proven(revisionOf(sent), 1)
	other := gas
	other.Headline = "All is well"
	conflict := refused(other, "")
	require.Equal(d.t, wire.KindConflict, conflict.Kind)
	require.Equal(d.t, sent.Alert, conflict.Alert)
	fleet.settle() // a refusal would be on record by then
	text, _ := d.audit(0)
	require.NotContains(d.t, text, "alert refused")
	require.Equal(d.t, conflict, d.refused(0, other, ""))
	d.audited("alert refused", sent.Alert)

	user, err := d.client(0).AddUser(d.ctx(), wire.AddUser{Name: "elsewhere", Roles: []string{authority.RoleComposer}, Senders: []string{"someone@else"}})
	require.NoError(d.t, err)
	out, err := d.clientWith(0, user.Token).PreviewCAP(d.ctx(), gas.xml(), "")
	require.Equal(d.t, wire.KindForbidden, problemOf(d, out, err).Kind)
}

// The steps are told in order, and the answer comes after the last.
func TestImport_TellsEveryStep(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	const rows = 3500
	var csv strings.Builder
	csv.WriteString("id,name,kind,place,tags,languages,lat,lon,endpoints\n")
	for i := range rows {
		fmt.Fprintf(&csv, "m%04d,Name,phone,tuen-mun/steps/block-1,,en,22.39,113.97,mqtt:m%04d\n", i, i)
	}
	var phases []string
	last := map[string]wire.Progress{}
	out, err := d.nodes[d.follower()].Services().Imports.Import(d.ctx(), authority.Caller{Name: "administrator"}, strings.NewReader(csv.String()), wire.ImportOptions{Replace: true},
		func(p wire.Progress) {
			if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
				phases = append(phases, p.Phase)
			}
			require.GreaterOrEqual(t, p.Done, last[p.Phase].Done)
			last[p.Phase] = p
		})
	require.NoError(t, err)
	require.True(t, out.Applied, "%v", out.Faults)
	if folding, told := last[wire.PhaseFolding]; told { // the leader may have taken the steps first
		require.LessOrEqual(t, folding.Done, int64(rows))
		require.EqualValues(t, rows, folding.Total)
		phases = slices.DeleteFunc(phases, func(phase string) bool { return phase == wire.PhaseFolding })
	}
	require.Equal(t, []string{wire.PhaseChecking, wire.PhaseStaging, wire.PhaseRemoving}, phases)
	require.Equal(t, wire.Progress{Phase: wire.PhaseStaging, Done: rows, Total: rows}, last[wire.PhaseStaging])
	leader, err := d.client(d.leader()).Select(d.ctx(), "place under tuen-mun/steps", "", 1)
	require.NoError(t, err)
	require.EqualValues(t, rows, leader.Counts.Total, "the answer came when all of it was folded in")
}
