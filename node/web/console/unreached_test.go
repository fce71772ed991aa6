package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/wire"
)

// Of ten thousand who have not heard it a page holds a part, also where each is in a block of its own with a long
// name; and it leads to each block.
func TestUnreached_OfTenThousandComesInPages(t *testing.T) {
	r := newRig(t)
	r.fake.Rows, r.fake.Alerts[0].ByGroup = nil, nil
	for i := range doorsShown {
		r.fake.Rows = append(r.fake.Rows, wire.ReceiptRow{Member: fmt.Sprintf("tuen-mun-on-ting-lift-%05d", i), Name: strings.Repeat("安定邨", 12), Kind: "screen", Place: fmt.Sprintf("tuen-mun/on-ting/block-%03d", i), Reason: "dark", Since: night})
	}
	for i := range 100 {
		place := fmt.Sprintf("tuen-mun/on-ting/block-%03d", i)
		r.fake.Alerts[0].ByGroup = append(r.fake.Alerts[0].ByGroup,
			wire.GroupRow{Place: place, Kind: "screen", Rungs: wire.Rungs{Queued: 100, Presented: 1}}, wire.GroupRow{Place: place, Kind: "speaker", Rungs: wire.Rungs{Queued: 3}})
	}
	r.fake.Alerts[0].ByGroup = append(r.fake.Alerts[0].ByGroup, wire.GroupRow{Place: "tuen-mun/on-ting/reached", Kind: "screen", Rungs: wire.Rungs{Queued: 5, Presented: 5}})
	r.fake.Next = "lift-00199"
	path := "alerts/" + apitest.AlertID + "/unreached"
	page := r.get(path).Body.String()
	t.Logf("a page of %d doors and 100 blocks has %d KiB", doorsShown, len(page)>>10)
	require.Less(t, len(page), 300<<10)
	require.Contains(t, page, `href="/console/`+path+`?place=tuen-mun%2Fon-ting%2Fblock-007"><bdi>tuen-mun/on-ting/block-007</bdi></a> <b>102</b>`)
	require.NotContains(t, page, "reached</bdi>", "a block in which all have heard it")
	require.Contains(t, page, `href="/console/`+path+`?after=lift-00199"`)
	require.Contains(t, strings.Join(r.fake.Calls(), "\n"), fmt.Sprintf(`presented "" true "" %d`, doorsShown))

	page = r.get(path + "?place=tuen-mun/on-ting/block-007&after=lift-00001").Body.String()
	require.Contains(t, strings.Join(r.fake.Calls(), "\n"), fmt.Sprintf(`presented "tuen-mun/on-ting/block-007" true "lift-00001" %d`, doorsShown))
	require.Contains(t, page, `?after=lift-00199&amp;place=tuen-mun%2Fon-ting%2Fblock-007"`, "the next page is of the same block")
	require.Contains(t, page, `name="in" value="tuen-mun/on-ting/block-007"`, "and whoever ticks a door comes back to it")
	require.NotContains(t, page, `class="blocks"`)
}
