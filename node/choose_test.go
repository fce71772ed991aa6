package node_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/node/wire/caution"
)

// A scenario that leaves it to whoever sends it whom to warn warns nobody by itself, and nobody
// outside of what it selects.
func TestScenario_LeavesItToWhoeverSendsItWhomToWarn(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here, there := d.estate("here"), d.estate("there")
	d.enrol("screen", here.Block, 2)
	d.enrol("screen", there.Block, 1)
	c := d.client(0)
	s := prepared("fire", "place under "+here.Path)
	s.Choose, s.Checklist, s.UsualMin, s.UsualMax = true, []string{"Call 999."}, 5, 9
	s.Sensitive = []string{"BLOCK 1"}
	s.BlankRules = []wire.BlankRule{{Name: "where", Values: []string{"block 1", "block 2"}}}
	require.NoError(t, c.PutScenario(d.ctx(), s))

	in := press("fire", "i-1")
	_, err := c.SendAlert(d.ctx(), in, "")
	require.Contains(t, problemOf(d, nil, err).Sentence, "leaves it to whoever sends it whom to warn; give a selection")
	in.Select = "place under " + there.Path
	_, err = c.SendAlert(d.ctx(), in, "")
	require.Contains(t, problemOf(d, nil, err).Sentence, "selects nobody")
	in.Select = "all"
	tried, err := c.PreviewAlert(d.ctx(), in)
	require.NoError(t, err)
	require.EqualValues(t, 2, tried.Addressed.Total, "within what the scenario selects")
	require.Equal(t, wire.UsualBelow, tried.Usual)
	require.Equal(t, s.Checklist, tried.Checklist)
	require.Len(t, tried.Words, 1, "who warns is filled in by the node")
	require.Equal(t, caution.WordFinding{Rule: caution.WordSensitive, Language: "en", Word: "BLOCK 1", Text: `the text in en holds "BLOCK 1", which is a sensitive word here`}, tried.Words[0])
	in.Blanks["where"] = "block 3"
	_, err = c.SendAlert(d.ctx(), in, "")
	require.Contains(t, problemOf(d, nil, err).Sentence, "is none of those that the scenario takes: block 1, block 2")
	in.Blanks["where"] = "block 2"
	out, err := c.SendAlert(d.ctx(), in, "committed")
	require.NoError(t, err)
	require.Equal(t, wire.EffectWarns, out.Effect)
	require.Empty(t, out.Checklist)
	require.Empty(t, out.Words)
}
