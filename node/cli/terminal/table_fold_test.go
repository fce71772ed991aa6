package terminal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/terminal"
)

// What identifies and what decides goes on in the next line; it is never cut.
func TestTable_FoldsItsLastColumn(t *testing.T) {
	table := terminal.NewTable("NAME", "|MAY")
	table.Add("duty", "composer, approver; any; tuen-mun/on-ting, tuen-mun/siu-hong")
	table.Add("hko", "viewer; any; all")
	var out strings.Builder
	table.Write(&out, 40)
	require.Equal(t, "NAME  MAY\nduty  composer, approver; any;\n      tuen-mun/on-ting,\n      tuen-mun/siu-hong\nhko   viewer; any; all\n", out.String())
}
