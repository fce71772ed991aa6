package written

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"almenara/node/authority"
	"github.com/stretchr/testify/require"
)

// What the pages say of the table is written here, and held against them by table_test.go.

// Markdown writes the table as a page has it.
func Markdown() string {
	var out strings.Builder
	rows := [][]string{headings}
	for _, l := range authority.Table() {
		rows = append(rows, words(l))
	}
	writeTable(&out, rows)
	out.WriteString("\n")
	for _, l := range authority.Table() {
		fmt.Fprintf(&out, "- **%s**: %s\n", l.Action, l.Does)
	}
	out.WriteString("\n")
	for _, note := range notes {
		fmt.Fprintf(&out, "%s\n", note)
	}
	return out.String()
}

// Matrix writes the table to be read at a glance: which role may do what, whether a second
// person may be asked for, and whether it works on a node that is alone; then the notes.
// Actions of which all of this is the same have one row.
func Matrix() string {
	var out strings.Builder
	rows := [][]string{append(append([]string{""}, authority.Roles()...), "second person", "alone")}
	for _, l := range authority.Table() {
		row := glance(l)
		if i := slices.IndexFunc(rows, func(r []string) bool { return slices.Equal(r[1:], row) }); i >= 0 {
			rows[i][0] += ", " + string(l.Action)
			continue
		}
		rows = append(rows, append([]string{string(l.Action)}, row...))
	}
	writeTable(&out, rows)
	out.WriteString("\nA central system may what its roles may, except " + strings.Join(peopleOnly(), " and ") + ", and no second person is asked for. " +
		"Alone, *licence* is a reason and a licence, or the approvals that the policy asks for while it is not older than 72 hours; " +
		"*72 hours* is while the policy is not older; systems are as ever.\n\n")
	for _, note := range notes {
		fmt.Fprintf(&out, "- %s\n", note)
	}
	return out.String()
}

// glance is the line's row of the matrix, without its name.
func glance(l authority.Line) (row []string) {
	for _, role := range authority.Roles() {
		may := ""
		if authority.May(authority.Caller{Roles: []string{role}}, l.Action) {
			may = "yes"
		}
		row = append(row, may)
	}
	second := ""
	if l.Policy {
		second = "by policy"
	}
	return append(row, second, short(l.Alone))
}

// short is the value for a narrow column.
func short(a authority.Alone) string {
	return map[authority.Alone]string{authority.AsEver: "yes", authority.Licensed: "licence", authority.FreshPolicy: "72 hours", authority.Majority: "no"}[a]
}

// peopleOnly are the actions that systems may not do.
func peopleOnly() (names []string) {
	for _, l := range authority.Table() {
		if l.People {
			names = append(names, string(l.Action))
		}
	}
	return names
}

// writeTable writes rows, of which the first is the head, as Markdown.
func writeTable(out *strings.Builder, rows [][]string) {
	for i, row := range rows {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(out, "|%s\n", strings.Repeat(" --- |", len(row)))
		}
	}
}

// The pages in the repository say what the code does. With ALMENARA_WRITE=1 they are written
// anew.
func TestPages_HoldTheTable(t *testing.T) {
	for page, table := range map[string]string{"../DESIGN.md": Markdown(), "../../../README.md": Matrix()} {
		raw, err := os.ReadFile(page)
		require.NoError(t, err)
		const from, to = "says when it is old -->\n", "<!-- end of table -->"
		head, rest, ok := strings.Cut(string(raw), from)
		require.True(t, ok, page)
		old, tail, ok := strings.Cut(rest, to)
		require.True(t, ok, page)
		if os.Getenv("ALMENARA_WRITE") != "" {
			require.NoError(t, os.WriteFile(page, []byte(head+from+"\n"+table+"\n"+to+tail), 0o644))
			continue
		}
		require.Equal(t, "\n"+table+"\n", old, "%s: run the test with ALMENARA_WRITE=1", page)
	}
}
