package capxml_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/schema"
)

func TestXML_LosesNothing(t *testing.T) {
	alerttest.RequireRoundTrip(t, alerttest.Parsed(t, alerttest.Small), "small")
	alerttest.RequireRoundTrip(t, alerttest.Parsed(t, alerttest.Whole), "whole")
}

func TestXML_LosesNothingOfRealMessages(t *testing.T) {
	for _, row := range alerttest.Corpus(t) {
		if a, _, err := capxml.Parse(row.Raw); err == nil {
			alerttest.RequireRoundTrip(t, a, row.File)
			require.Equal(t, a.Digest(), mustXML(t, a).Digest(), row.File)
		}
	}
}

func mustXML(t *testing.T, a *alert.Alert) *alert.Alert {
	t.Helper()
	raw, err := capxml.Write(a)
	require.NoError(t, err)
	again, _, err := capxml.Parse(raw)
	require.NoError(t, err)
	return again
}

func TestXML_WritesTheOrderOfTheSchema(t *testing.T) {
	raw, err := capxml.Write(alerttest.Parsed(t, alerttest.Whole))
	require.NoError(t, err)
	last := -1
	for _, child := range schema.AlertBlock.Children {
		i := strings.Index(string(raw), "<"+child.Name+">")
		require.Greater(t, i, last, child.Name)
		last = i
	}
	require.True(t, strings.HasPrefix(string(raw), `<?xml version="1.0" encoding="UTF-8"?>`))
}

// TestXML_IsValidAgainstTheSchema the schema and xmllint are at hand, they have the last word.
func TestXML_IsValidAgainstTheSchema(t *testing.T) {
	rows := alerttest.Corpus(t)
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("xmllint is not installed; only our own reader judged the output")
		return
	}
	schema := filepath.Join(os.Getenv("ALMENARA_TESTDATA"), "schema", "CAP-v1.2.xsd")
	for _, row := range rows {
		a, _, err := capxml.Parse(row.Raw)
		if err != nil {
			continue
		}
		raw, err := capxml.Write(a)
		require.NoError(t, err)
		lint := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", schema, "-")
		lint.Stdin = strings.NewReader(string(raw))
		out, err := lint.CombinedOutput()
		require.NoError(t, err, "%s: %s", row.File, out)
	}
}

func TestXML_EscapesWhatTextMayHold(t *testing.T) {
	a := alerttest.Parsed(t, alerttest.Small)
	a.Infos[0].Description = "a < b && c > d ]]> \"e\" 'f' \r\n\tg <!-- h --> é 𠮷"
	alerttest.RequireRoundTrip(t, a, "escapes")
	require.Equal(t, a.Infos[0].Description, mustXML(t, a).Infos[0].Description)
}

func TestXML_RefusesTextThatXMLCannotHold(t *testing.T) {
	for _, bad := range []string{"\x00", "\x1b[31m", "\xff", "\xef", "\uFFFE", "a\xc0\xaf"} {
		a := alerttest.Parsed(t, alerttest.Small)
		a.Infos[0].Headline = "x" + bad
		_, err := capxml.Write(a)
		require.ErrorIs(t, err, capxml.ErrNotXML, "%q", bad)
	}
	a := alerttest.Parsed(t, alerttest.Small)
	a.Infos[0].Headline = "replacement \uFFFD is fine"
	_, err := capxml.Write(a)
	require.NoError(t, err)
}

func TestXML_RefusesToWriteWhatNobodyWouldRead(t *testing.T) {
	a := alerttest.Parsed(t, alerttest.Small)
	a.Infos[0].Description = strings.Repeat("<", alert.MaxMessageBytes/4)
	_, err := capxml.Write(a)
	require.ErrorIs(t, err, capxml.ErrTooLarge)
}

func TestClone_SharesNothing(t *testing.T) {
	a := alerttest.Parsed(t, alerttest.Whole)
	c := a.Clone()
	require.Equal(t, a, c)
	c.Addresses[0], c.Codes[0], c.Incidents[0], c.References[0] = "x", "x", "x", alert.Key{}
	i := &c.Infos[0]
	i.Headline, i.Categories[0], i.ResponseTypes[0] = "x", "x", "x"
	i.EventCodes[0], i.Parameters[0], i.Resources[0] = alert.Named{}, alert.Named{}, alert.Resource{}
	i.Areas[0].Polygons[0], i.Areas[0].Circles[0], i.Areas[0].Geocodes[0] = "x", "x", alert.Named{}
	i.Areas[1].Description = "x"
	require.Equal(t, alerttest.Parsed(t, alerttest.Whole), a)
}
