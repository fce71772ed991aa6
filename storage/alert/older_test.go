package alert

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadAlike_TellsWhatOlderSoftwareWouldReadOtherwise(t *testing.T) {
	alike := func(raw []byte) bool {
		_, found, err := Parse(raw)
		require.NoError(t, err, found)
		return ReadAlike(raw, found)
	}
	require.True(t, alike([]byte(small)))
	require.True(t, alike([]byte(whole)))
	require.True(t, alike([]byte(with(t, small, "<area>", "<shape>round</shape><area>"))))
	for name, raw := range map[string]string{
		"Z":        with(t, small, "<sent>2026-07-20T17:40:00+08:00", "<sent>2026-07-20T09:40:00Z"),
		"order":    with(t, small, "<category>Fire</category>\n    <event>Fire</event>", "<event>Fire</event><category>Fire</category>"),
		"web":      with(t, small, "<area>", "<web>www.example.org</web><area>"),
		"uri":      with(t, small, "<area>", "<resource><resourceDesc>r</resourceDesc><mimeType>a/b</mimeType><uri>m.png</uri></resource><area>"),
		"encoding": with(t, small, "UTF-8", "ISO-8859-1"),
		"language": with(t, small, "</info>", "</info>"+inFrench(t)),
		"markup":   with(t, small, "Fire in", "Fire<br/>in"),
		"UTF-16":   string(utf16Of(small, binary.LittleEndian)),
	} {
		require.False(t, alike([]byte(raw)), name)
		a, _, err := Parse([]byte(raw))
		require.NoError(t, err)
		canonical, err := a.XML()
		require.NoError(t, err)
		require.True(t, alike(canonical), name)
		again, _, err := Parse(canonical)
		require.NoError(t, err)
		require.Equal(t, a.Digest(), again.Digest(), name)
	}
}
