package enrol

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/pagetest"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil), func() map[string]any {
		return map[string]any{"enrol": &listPage{}, "codes": &codePage{}, "enrol-device": &devicePage{}}
	})
}

// A code is a square of black modules with the margin that cameras need.
func TestDraw(t *testing.T) {
	p, err := draw("http://10.0.0.1:8480/phone/#ticket=" + strings.Repeat("A", 22))
	require.NoError(t, err)
	require.LessOrEqual(t, p.Size, 45, "small enough to be read from paper")
	require.True(t, strings.HasPrefix(p.Path, "M4 4h7v1h-7z"), "the first finder pattern begins behind the margin: %.40s", p.Path)
	_, err = draw(strings.Repeat("x", 4000))
	require.ErrorContains(t, err, "drawing a code")
}

// A code that leads nobody anywhere is worse than none.
func TestLocal(t *testing.T) {
	for host, is := range map[string]bool{
		"127.0.0.1:8480": true, "localhost:8480": true, "LOCALHOST": true, "[::1]:8480": true, "127.9.9.9": true,
		"10.0.0.1:8480": false, "[2001:db8::1]:8480": false, "node-1.example:8480": false, "": false,
	} {
		require.Equal(t, is, local(host), host)
	}
}
