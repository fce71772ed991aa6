package capxml_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
)

func TestReadAlike_TellsWhatOlderSoftwareWouldReadOtherwise(t *testing.T) {
	alike := func(raw []byte) bool {
		_, found, err := capxml.Parse(raw)
		require.NoError(t, err, found)
		return capxml.ReadAlike(raw, found)
	}
	require.True(t, alike([]byte(alerttest.Small)))
	require.True(t, alike([]byte(alerttest.Whole)))
	require.True(t, alike([]byte(alerttest.With(t, alerttest.Small, "<area>", "<shape>round</shape><area>"))))
	for name, raw := range map[string]string{
		"Z":        alerttest.With(t, alerttest.Small, "<sent>2026-07-20T17:40:00+08:00", "<sent>2026-07-20T09:40:00Z"),
		"order":    alerttest.With(t, alerttest.Small, "<category>Fire</category>\n    <event>Fire</event>", "<event>Fire</event><category>Fire</category>"),
		"web":      alerttest.With(t, alerttest.Small, "<area>", "<web>www.example.org</web><area>"),
		"uri":      alerttest.With(t, alerttest.Small, "<area>", "<resource><resourceDesc>r</resourceDesc><mimeType>a/b</mimeType><uri>m.png</uri></resource><area>"),
		"encoding": alerttest.With(t, alerttest.Small, "UTF-8", "ISO-8859-1"),
		"language": alerttest.With(t, alerttest.Small, "</info>", "</info>"+alerttest.InFrench(t)),
		"markup":   alerttest.With(t, alerttest.Small, "Fire in", "Fire<br/>in"),
		"UTF-16":   string(alerttest.UTF16(alerttest.Small, binary.LittleEndian)),
	} {
		require.False(t, alike([]byte(raw)), name)
		a, _, err := capxml.Parse([]byte(raw))
		require.NoError(t, err)
		canonical, err := capxml.Write(a)
		require.NoError(t, err)
		require.True(t, alike(canonical), name)
		again, _, err := capxml.Parse(canonical)
		require.NoError(t, err)
		require.Equal(t, a.Digest(), again.Digest(), name)
	}
}
