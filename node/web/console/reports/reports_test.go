package reports

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/drawing"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil), func() map[string]any { return map[string]any{"reports": &reportsPage{}} })
}

func TestMap_KnowsWhatIsOnIt(t *testing.T) {
	m := drawing.Of([]wire.Place{{Path: "d", Shape: []string{"22.30,113.90 22.30,114.00 22.40,114.00 22.30,113.90"}}}, drawing.Shown{}, words.All()[0])
	x, y, on := m.At(22.35, 113.95)
	require.True(t, on)
	require.NotEqual(t, x, "0.0")
	require.NotEqual(t, y, "0.0")
	for _, at := range [][2]float64{{23, 113.95}, {22.35, 120}, {-22.35, 113.95}} {
		_, _, on = m.At(at[0], at[1])
		require.False(t, on)
	}
}

func TestPathOf_KeepsForeignTextInItsPlace(t *testing.T) {
	require.Equal(t, "/console/reports", pathOf("", "", ""))
	got := pathOf("a&show=hidden#x", "new", "")
	require.Equal(t, "/console/reports?alert=a%26show%3Dhidden%23x&show=new", got)
	r := httptest.NewRequest(http.MethodGet, got, nil)
	require.Equal(t, "a&show=hidden#x", r.URL.Query().Get("alert"))
	require.False(t, strings.Contains(got, "#"))
}
