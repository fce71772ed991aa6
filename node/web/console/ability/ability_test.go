package ability

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/able"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(Services{}), func() map[string]any {
		return map[string]any{"ability": &abilityPage{}, "drills": &drillsPage{}}
	})
}

// fleet is devices, of which every third is connected, and every third is at a node that does not answer.
type fleet struct {
	devices []wire.Device
	asked   int
}

func (f *fleet) ListDevices(_ context.Context, after string, limit int) (page []wire.Device, next string, err error) {
	f.asked++
	for _, d := range f.devices {
		if d.ID > after && len(page) < limit {
			page = append(page, d)
		}
	}
	if len(page) == limit {
		next = page[limit-1].ID
	}
	return page, next, nil
}

// A device of which nothing is known is neither connected nor dark, and a revoked one is none.
func TestCount_TellsDarkFromUnknown(t *testing.T) {
	f := &fleet{}
	for i := range 2500 {
		d := wire.Device{ID: fmt.Sprintf("d%05d", i), Member: fmt.Sprint("m", i%500), Place: fmt.Sprintf("d/e/b%d/lift", i%2), Revoked: i == 7}
		if i%3 > 0 {
			d.Connected = new(i%3 == 1)
		}
		f.devices = append(f.devices, d)
	}
	q := &frame.Request{R: httptest.NewRequest(http.MethodGet, "/console/ability", nil)}
	got, err := pages{Services{Devices: f}}.count(q)
	require.NoError(t, err)
	require.Equal(t, counted{2499, 832, 833}, got.all)
	require.Len(t, got.blocks, 2)
	require.EqualValues(t, 1250, got.blocks["d/e/b0"].devices)
	require.Len(t, got.members, 500, "a member of several devices is one")
	require.True(t, got.members["m1"])
	require.Equal(t, 3, f.asked)
	require.Equal(t, "99.9 %", percent(9999, 10_000), "as long as one is missing it is not all")
	require.Equal(t, "100.0 %", percent(3, 3))
	require.Equal(t, "d", blockOf("d"))
}

// The chart draws those who have most to do, and the table has a cell for every night of everybody.
func TestNightsOf_DrawsTheWorstAndTellsOfAll(t *testing.T) {
	q := &frame.Request{R: httptest.NewRequest(http.MethodGet, "/console/ability", nil), Lang: words.All()[0]}
	var nights []able.AbilityNight
	for n := 20; n > 0; n-- { // the newest first
		night := able.AbilityNight{Night: fmt.Sprintf("2026-07-%02d", n)}
		for e := range 6 {
			if e == 5 && n < 18 { // built lately
				continue
			}
			night.Places = append(night.Places, able.AbilityPlace{Place: fmt.Sprintf("d/e%d", e), Devices: 10, Passed: uint64(5 + e)})
		}
		nights = append(nights, night)
	}
	c := nightsOf(q, nights, nil)
	require.Len(t, c.Lines, linesMost)
	require.Equal(t, "d/e0", c.Lines[0].Name, "the worst is drawn first")
	require.Equal(t, []string{"07-14", "07-15", "07-16", "07-17", "07-18", "07-19", "07-20"}, c.Heads)
	require.Len(t, c.Rows, 6)
	require.Equal(t, []string{"–", "–", "–", "–", "100.0 %", "100.0 %", "100.0 %"}, c.Rows[5].Cells)
	for _, row := range c.Rows {
		require.Len(t, row.Cells, len(c.Heads), row.Name)
	}
	one := nightsOf(q, nights[:1], nil)
	require.Len(t, one.Rows[0].Cells, 1)
	require.Contains(t, one.Lines[0].Points, "338.0,", "a single night is in the middle")
	require.Empty(t, nightsOf(q, nil, nil).Lines)
}
