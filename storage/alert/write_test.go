package alert

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireRoundTrip asserts that nothing of the alert is lost in XML or JSON.
func requireRoundTrip(t *testing.T, a *Alert, name string) {
	t.Helper()
	want := a.Clone()
	want.Signed = false // a signature is not written
	raw, err := a.XML()
	require.NoError(t, err, name)
	got, found, err := Parse(raw)
	require.NoError(t, err, "%s: %v", name, found)
	require.Equal(t, want, got, name)
	require.False(t, found.Has("element-order") || found.Has("element-unknown") || found.Has("text-stray"), name)
}

func TestXML_LosesNothing(t *testing.T) {
	requireRoundTrip(t, parsed(t, small), "small")
	requireRoundTrip(t, parsed(t, whole), "whole")
}

func TestXML_LosesNothingOfRealMessages(t *testing.T) {
	for _, row := range corpus(t) {
		if a, _, err := Parse(row.raw); err == nil {
			requireRoundTrip(t, a, row.file)
			require.Equal(t, a.Digest(), mustXML(t, a).Digest(), row.file)
		}
	}
}

func mustXML(t *testing.T, a *Alert) *Alert {
	t.Helper()
	raw, err := a.XML()
	require.NoError(t, err)
	again, _, err := Parse(raw)
	require.NoError(t, err)
	return again
}

func TestXML_WritesTheOrderOfTheSchema(t *testing.T) {
	raw, err := parsed(t, whole).XML()
	require.NoError(t, err)
	last := -1
	for _, child := range alertBlock.children {
		i := strings.Index(string(raw), "<"+child.name+">")
		require.Greater(t, i, last, child.name)
		last = i
	}
	require.True(t, strings.HasPrefix(string(raw), `<?xml version="1.0" encoding="UTF-8"?>`))
}

// Where the schema and xmllint are at hand, they have the last word.
func TestXML_IsValidAgainstTheSchema(t *testing.T) {
	rows := corpus(t)
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Log("xmllint is not installed; only our own reader judged the output")
		return
	}
	schema := filepath.Join(os.Getenv("ALMENARA_TESTDATA"), "schema", "CAP-v1.2.xsd")
	for _, row := range rows {
		a, _, err := Parse(row.raw)
		if err != nil {
			continue
		}
		raw, err := a.XML()
		require.NoError(t, err)
		lint := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", schema, "-")
		lint.Stdin = strings.NewReader(string(raw))
		out, err := lint.CombinedOutput()
		require.NoError(t, err, "%s: %s", row.file, out)
	}
}

func TestXML_EscapesWhatTextMayHold(t *testing.T) {
	a := parsed(t, small)
	a.Infos[0].Description = "a < b && c > d ]]> \"e\" 'f' \r\n\tg <!-- h --> é 𠮷"
	requireRoundTrip(t, a, "escapes")
	require.Equal(t, a.Infos[0].Description, mustXML(t, a).Infos[0].Description)
}

func TestXML_RefusesTextThatXMLCannotHold(t *testing.T) {
	for _, bad := range []string{"\x00", "\x1b[31m", "\xff", "\xef", "\uFFFE", "a\xc0\xaf"} {
		a := parsed(t, small)
		a.Infos[0].Headline = "x" + bad
		_, err := a.XML()
		require.ErrorIs(t, err, ErrNotXML, "%q", bad)
	}
	a := parsed(t, small)
	a.Infos[0].Headline = "replacement \uFFFD is fine"
	_, err := a.XML()
	require.NoError(t, err)
}

func TestXML_RefusesToWriteWhatNobodyWouldRead(t *testing.T) {
	a := parsed(t, small)
	a.Infos[0].Description = strings.Repeat("<", MaxMessageBytes/4)
	_, err := a.XML()
	require.ErrorIs(t, err, ErrTooLarge)
}

func TestClone_SharesNothing(t *testing.T) {
	a := parsed(t, whole)
	c := a.Clone()
	require.Equal(t, a, c)
	c.Addresses[0], c.Codes[0], c.Incidents[0], c.References[0] = "x", "x", "x", Key{}
	i := &c.Infos[0]
	i.Headline, i.Categories[0], i.ResponseTypes[0] = "x", "x", "x"
	i.EventCodes[0], i.Parameters[0], i.Resources[0] = Named{}, Named{}, Resource{}
	i.Areas[0].Polygons[0], i.Areas[0].Circles[0], i.Areas[0].Geocodes[0] = "x", "x", Named{}
	i.Areas[1].Description = "x"
	require.Equal(t, parsed(t, whole), a)
}
