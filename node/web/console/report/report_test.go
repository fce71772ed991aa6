package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil, nil), func() map[string]any { return map[string]any{"report": &reportPage{}} })
}

// A step of the curve is where its device presented, and what is far away stays on the paper.
func TestCurve_StaysInTheChart(t *testing.T) {
	noon := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	c := curveOf("all", "all", []wire.CurvePoint{{At: noon.Add(-time.Hour), Count: 1}, {At: noon.Add(time.Second), Count: 5}, {At: noon.Add(1000 * time.Hour), Count: 20}}, noon, 10, 100)
	require.Equal(t, "64.0,220.0 64.0,220.0 64.0,199.2 246.7,199.2 246.7,116.0 612.0,116.0 612.0,12.0 612,12.0", c.Points)
}
