package tables_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

var nodes = []wire.NodeInfo{{ID: "n1", Name: "on-ting"}, {ID: "n2", Name: "siu-hong"}, {ID: "n3"}}

// What is not known reads as unknown, never as dark, and who did not answer is named.
func TestTables_SayWhatIsUnknown(t *testing.T) {
	yes, no := true, false
	var b strings.Builder
	tables.Devices(&b, []wire.Device{
		{ID: "a", Connected: &yes, Node: "n1"}, {ID: "b", Connected: &no}, {ID: "c", Unanswered: []string{"n2", "n3"}}, {ID: "d", Revoked: true},
	}, nodes, 80)
	require.Equal(t, `DEVICE  KIND  STATE      NODE     PLACE
a             connected  on-ting
b             dark       -
c             unknown    -
d             revoked    -
No answer from siu-hong, n3: what is unknown may be connected there.
`, b.String())
	b.Reset()
	long := strings.Repeat("long-", 20)
	tables.Receipts(&b, []wire.ReceiptRow{
		{Member: "a", Kind: "screen", Rung: "queued", Reason: wire.ReasonNotSeen, Place: "tuen-mun/" + long},
		{Member: "b", Kind: "screen", Rung: "queued", Reason: wire.ReasonUnknown, Unanswered: []string{"n2"}, Place: "tuen-mun"},
		{Member: "c", Rung: "presented"},
	}, func() []wire.NodeInfo { return nodes }, 80)
	require.Regexp(t, `(?m)^b +screen +queued +unknown +tuen-mun$`, b.String())
	require.Regexp(t, `(?m)^c +- +presented +- +removed since$`, b.String())
	require.Contains(t, b.String(), "\nNo answer from siu-hong: what")
	for line := range strings.Lines(b.String()) {
		require.LessOrEqual(t, terminal.ColumnsOf(strings.TrimRight(line, "\n")), 80)
	}
	b.Reset()
	tables.Receipts(&b, []wire.ReceiptRow{{Member: "a", Rung: "presented", Place: "tuen-mun"}}, func() []wire.NodeInfo { t.Fatal("nothing is unknown"); return nil }, 80)
	require.NotContains(t, b.String(), "REASON")
}
