package mqtt

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// statements is how many numbers each section of the standards has.
var statements = map[string]string{
	"MQTT 3.1.1": "1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 " +
		"3.6.1:1 3.8.1:1 3.8.3:3 3.8.4:6 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2 " +
		"4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4 4.8.0:2 6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1",
	"MQTT 5": "1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13 " +
		"3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3 3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1 3.10.3:2 " +
		"3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4 3.14.4:3 3.15.1:1 3.15.2:3 4.1.0:2 4.2.0:1 4.3.1:1 4.3.2:5 " +
		"4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3 4.12.0:7 4.12.1:2 4.13.1:1 4.13.2:1 6.0.0:4",
}

// absent numbers were never given out.
var absent = map[string]bool{"MQTT 5 2.2.1-1": true}

var requirementRow = regexp.MustCompile(`^\| (\d+\.\d+\.\d+-\d+) \| (served|refused|client|none) \| (.+) \| (\S+) \|$`)

func TestRequirements_NoNumberIsMissingOrTwice(t *testing.T) {
	left := map[string]bool{}
	for standard, sections := range statements {
		for section := range strings.FieldsSeq(sections) {
			var n int
			name, count, _ := strings.Cut(section, ":")
			_, err := fmt.Sscan(count, &n)
			require.NoError(t, err)
			for i := range n {
				number := fmt.Sprintf("%s %s-%d", standard, name, i+1)
				left[number] = !absent[number]
			}
		}
	}
	for _, row := range requirements(t) {
		require.True(t, left[row.number], "%s is not in the standard, or twice here", row.number)
		left[row.number] = false
	}
	for number, missing := range left {
		require.False(t, missing, "%s is missing", number)
	}
}

func TestRequirements_EachIsShownByATestThatExists(t *testing.T) {
	tests := testNames(t)
	for _, row := range requirements(t) {
		switch row.status {
		case "served", "refused":
			require.True(t, tests[row.test], "%s: there is no %s", row.number, row.test)
		default:
			require.Equal(t, "–", row.test, row.number)
		}
	}
}

type requirement struct{ number, status, test string }

// requirements reads the tables; a row that cannot be read fails the test.
func requirements(t *testing.T) (rows []requirement) {
	t.Helper()
	text, err := os.ReadFile("REQUIREMENTS.md")
	require.NoError(t, err)
	var standard string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			standard = heading
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| number |") {
			continue
		}
		cells := requirementRow.FindStringSubmatch(line)
		require.NotNil(t, cells, line)
		rows = append(rows, requirement{standard + " " + cells[1], cells[2], cells[4]})
	}
	return rows
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	inner, err := filepath.Glob("*/*_test.go")
	require.NoError(t, err)
	files = append(files, inner...)
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
