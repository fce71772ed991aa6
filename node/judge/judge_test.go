package judge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/judge"
	"almenara/node/judge/judgetest"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

func TestFile_SaysWhatADistrictDoes(t *testing.T) {
	everybody, err := audience.Parse("all")
	require.NoError(t, err)
	for _, c := range judgetest.Cases(time.Now()) {
		found := judge.File([]byte(c.Message), audience.Selection{}, time.Now())
		require.Equal(t, c.Verdict, found.Verdict(), "%s: %s", c.Name, found.Reason())
		require.True(t, strings.HasPrefix(found.Reason(), c.Rule), "%s: %s", c.Name, found.Reason())
		with := judge.File([]byte(c.Message), everybody, time.Now())
		require.Equal(t, c.Verdict == alert.VerdictReject, with.Rejected(), "%s: %s", c.Name, with.Reason())
		require.False(t, with.Has("selection-needed"), c.Name)
	}
}

// What is refused for the lack of a selection says why.
func TestFile_NamesTheReasonForASelection(t *testing.T) {
	for _, c := range judgetest.Cases(time.Now()) {
		if c.Name == "circle of radius 0" {
			require.Contains(t, judge.File([]byte(c.Message), audience.Selection{}, time.Now()).Reason(), "the radius is 0")
		}
	}
}

// Every labelled message of the collection is judged as its label says.
func TestFile_JudgesRealMessagesAsLabelled(t *testing.T) {
	dir := os.Getenv("ALMENARA_TESTDATA")
	if dir == "" {
		t.Skip("ALMENARA_TESTDATA is not set: the collection of real messages is not here")
	}
	index, err := os.ReadFile(filepath.Join(dir, "expect.tsv"))
	require.NoError(t, err)
	for line := range strings.Lines(string(index)) {
		fields := strings.Split(line, "\t")
		if !strings.HasPrefix(fields[0], "cap/") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, fields[0]))
		require.NoError(t, err)
		found := judge.File(raw, audience.Selection{}, time.Now())
		switch {
		case fields[2] == "xsd-wild":
			require.Equal(t, alert.VerdictWarn, found.Verdict(), "%s: %s", fields[0], found.Reason())
		case fields[1] == "valid":
			require.False(t, found.Rejected(), "%s: %s", fields[0], found.Reason())
		default:
			require.True(t, found.Rejected(), "%s: %s", fields[0], found.Reason())
		}
	}
}
