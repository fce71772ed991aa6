package demo

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/inprocess"
	"almenara/storage/audience/geometry"
)

// now is when these tests send their messages.
var now = time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)

// capWith is an alert whose area holds the given elements.
func capWith(area string) []byte {
	return []byte(strings.Replace(builtIn, "<circle>22.3960,113.9740 2.5</circle>", area, 1))
}

func TestRun_ProvesTheAlertThroughTheLossOfItsLeader(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	result, err := Run(ctx, inprocess.DemoOptions{Devices: 30, Nodes: 3}, &out)
	require.NoError(t, err, out.String())
	require.True(t, result.Proven, "%+v", result)
	require.Equal(t, "node-1", result.Stopped)
	require.Zero(t, result.Missing+result.Twice+result.Outside)
	require.NotEmpty(t, result.Groups)
	for _, g := range result.Groups {
		require.NotContains(t, g.Place, "lakeside-estate", "a device outside of the area was reached")
	}
}

func TestRun_RecordsADraftAndWarnsNobody(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	raw := bytes.Replace([]byte(builtIn), []byte("Actual"), []byte("Draft"), 1)
	var out bytes.Buffer
	result, err := Run(ctx, inprocess.DemoOptions{Devices: 8, Nodes: 1, CAP: raw}, &out)
	require.NoError(t, err, out.String())
	require.True(t, result.Proven, "%+v", result)
	require.Contains(t, out.String(), "never sent to devices")
}

func TestPrepare_MovesTheTimesAndSaysSo(t *testing.T) {
	m, err := prepare(nil, now)
	require.NoError(t, err)
	require.Equal(t, now, m.alert.Sent.Time())
	require.Equal(t, now.Add(2*time.Hour), m.alert.Expires())
	require.Contains(t, strings.Join(m.said, " "), "Times moved from 2026-01-01T00:00:00+08:00")
}

func TestPrepare_MakesAFutureMessagePresent(t *testing.T) {
	raw := bytes.ReplaceAll([]byte(builtIn), []byte("<expires>"), []byte("<effective>2026-01-01T00:30:00+08:00</effective><expires>"))
	m, err := prepare(raw, now)
	require.NoError(t, err)
	require.Equal(t, now, m.alert.Infos[0].Effective.Time())
}

func TestPrepare_NamesTheDistrictWhereTheAreaIsInWords(t *testing.T) {
	m, err := prepare(capWith(""), now)
	require.NoError(t, err)
	require.Contains(t, m.selected, "not place under "+district+"/lakeside-estate")
}

func TestPrepare_GivesAPointTheKilometreAroundIt(t *testing.T) {
	m, err := prepare(capWith("<circle>22.4,113.9 0</circle>"), now)
	require.NoError(t, err)
	require.Contains(t, strings.Join(m.said, " "), "holds nobody")
	require.Len(t, m.aims[0].target.Shapes, 1)
}

func TestPrepare_RefusesOtherTypes(t *testing.T) {
	_, err := prepare(bytes.Replace([]byte(builtIn), []byte(">Alert<"), []byte(">Ack<"), 1), now)
	require.Error(t, err)
}

func TestLayTown_PutsEveryEstateWhereItBelongs(t *testing.T) {
	for name, area := range map[string]string{
		"a sliver":     "<polygon>22.40,113.90 22.4001,114.20 22.4002,113.90 22.40,113.90</polygon>",
		"near a pole":  "<polygon>80,10 84,10 84,20 80,20 80,10</polygon>",
		"at the edge":  "<polygon>-10,179 10,179 10,180 -10,180 -10,179</polygon>",
		"two polygons": "<polygon>1,1 2,1 2,2 1,1</polygon><polygon>5,5 6,5 6,6 5,5</polygon>",
	} {
		m, err := prepare(capWith(area), now)
		require.NoError(t, err, name)
		town, err := layTown(40, m.aims)
		require.NoError(t, err, name)
		for _, p := range town.places {
			if p.Lat == nil {
				continue
			}
			at, err := geometry.NewPoint(*p.Lat, *p.Lon)
			require.NoError(t, err)
			in := false
			for _, a := range m.aims {
				in = in || held(a.target.Shapes, at)
			}
			require.Equal(t, !strings.Contains(p.Path, "lakeside"), in, "%s: %s", name, p.Path)
		}
	}
}
