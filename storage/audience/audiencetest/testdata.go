package audiencetest

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// OpenTestdata opens a file of the collection of real and realistic data, which is
// not part of this repository.
func OpenTestdata(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("ALMENARA_TESTDATA")
	if dir == "" {
		t.Skip("ALMENARA_TESTDATA is not set")
	}
	f, err := os.Open(filepath.Join(dir, name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// Rows reads a table of tab-separated values, after its header.
func Rows(t *testing.T, name string) [][]string {
	t.Helper()
	var rows [][]string
	lines := bufio.NewScanner(OpenTestdata(t, name))
	for lines.Scan() {
		rows = append(rows, strings.Split(lines.Text(), "\t"))
	}
	require.NoError(t, lines.Err())
	return rows[1:]
}
