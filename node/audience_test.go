package node_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
)

func warnsLatecomers(d *district) {
	here := d.estate("latecomers")
	early := d.fleet(d.enrol("screen", here.Block, 2)...)
	sent := d.post(0, warning("latecomers", polygon(here.Area)), "", "committed")
	early.proven(revisionOf(sent), 2)

	late := d.fleet(d.enrol("speaker", here.Block, 1)...)
	late.proven(revisionOf(sent), 1)
	d.everywhere(sent.Alert, "one joined", func(a wire.Alert) bool {
		return a.Joined == 1 && a.Addressed.Total == 2 && a.Rungs.Presented == 3
	})
	early.settle()
	require.Equal(d.t, []int{1, 1}, early.starts(revisionOf(sent)))
}

func warnsImported(d *district) {
	here := d.estate("imported")
	sent := d.post(0, warning("imported", polygon(here.Area)), "", "committed")
	require.Zero(d.t, sent.Addressed.Total)
	csv := fmt.Sprintf("id,name,kind,place,tags,languages,lat,lon,endpoints\n"+
		"inside,A,phone,%[1]s,,zh-HK,%[2]f,%[3]f,mqtt:inside\noutside,B,phone,%[1]s,,en,22.0,113.0,mqtt:outside\n",
		here.Block, here.Lat, here.Lon)
	in, err := d.client(1).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
	require.NoError(d.t, err)
	require.True(d.t, in.Applied, "%v", in.Faults)

	fleet := d.fleet(d.enrolAll([]wire.Enrol{{ID: "inside"}, {ID: "outside"}})...)
	fleet.proven(revisionOf(sent), 1)
	d.everywhere(sent.Alert, "one joined", func(a wire.Alert) bool { return a.Joined == 1 && a.Addressed.Total == 0 })
	fleet.settle()
	require.Equal(d.t, []int{1, 0}, fleet.starts(revisionOf(sent)))
}

// readsAreas has a place with a code, one with an outline, and a member whose place
// has neither that nor a position.
func readsAreas(d *district) {
	here := d.estate("areas")
	coded, outlined, nowhere := here.Path+"/coded", here.Path+"/outlined", "tuen-mun/nowhere"
	shape := square(here.Lat, here.Lon+0.02, 0.004)
	require.NoError(d.t, d.client(0).PutPlaces(d.ctx(), []wire.Place{
		{Path: coded, Geocodes: []wire.Geocode{{ValueName: "HK-EST", Value: "A17"}}},
		{Path: outlined, Shape: []string{shape}},
	}))
	byCode, byShape := d.fleet(d.enrol("screen", coded+"/lift", 1)...), d.fleet(d.enrol("screen", outlined, 1)...)
	lost := d.fleet(d.enrol("screen", nowhere, 1)...)

	code := warning("by-code", "<areaDesc>A</areaDesc><geocode><valueName>HK-EST</valueName><value>A17</value></geocode>")
	first := d.post(0, code, "", "committed")
	require.EqualValues(d.t, 1, first.Addressed.Total)
	byCode.proven(revisionOf(first), 1)

	touching := warning("by-shape", polygon(square(here.Lat, here.Lon+0.025, 0.004)))
	second := d.post(0, touching, "", "committed")
	require.EqualValues(d.t, 1, second.Addressed.Total)
	require.Positive(d.t, second.Unlocated, "members that no shape can reach are counted")
	byShape.proven(revisionOf(second), 1)

	lost.settle()
	byCode.settle()
	require.Equal(d.t, []int{0}, lost.starts(revisionOf(second)))
	require.Equal(d.t, []int{0}, byCode.starts(revisionOf(second)))
}

func refusesUnreadable(d *district) {
	here := d.estate("unreadable")
	open := strings.Join(strings.Fields(here.Area)[:4], " ")
	for _, c := range []struct{ name, area, selection, kind, says string }{
		{"no area", "", "", wire.KindRefused, "names no area"},
		{"only words", "<areaDesc>Everywhere</areaDesc>", "", wire.KindRefused, "names no area"},
		{"open polygon", polygon(open), "", wire.KindRefused, "does not end where it begins"},
		{"garbage", polygon("here there everywhere now"), "", wire.KindRefused, "is not latitude,longitude"},
		{"off the globe", polygon("91,0 91,1 92,1 91,0"), "", wire.KindRefused, "is not on the globe"},
		{"one of two", polygon(here.Area) + "</area><area>" + polygon(open), "", wire.KindRefused, "does not end where it begins"},
		{"foreign code", "<areaDesc>A</areaDesc><geocode><valueName>FIPS6</valueName><value>1</value></geocode>", "", wire.KindRefused, `geocodes of the kind "FIPS6"`},
		{"unreadable selection", polygon(here.Area), "place within here", wire.KindMalformed, "the selection cannot be read"},
		{"selects nobody", polygon(here.Area), "place under tuen-mun/no-such-estate", wire.KindRefused, "selects nobody"},
	} {
		b := warning("unreadable-"+strings.ReplaceAll(c.name, " ", "-"), c.area)
		problem := d.refused(1, b, c.selection)
		require.Equal(d.t, c.kind, problem.Kind, c.name)
		require.Contains(d.t, problem.Sentence, c.says, c.name)
		require.NotContains(d.t, problem.Sentence, "\n", c.name)
		d.unknown(b.id())
	}
	text, _ := d.audit(0)
	require.NotContains(d.t, text, "unreadable-")
}

func takesEmptyArea(d *district) {
	sea := warning("open-sea", polygon(square(10, 110, 0.1)))
	sent := d.post(0, sea, "", "committed")
	require.Equal(d.t, wire.StateInForce, sent.State)
	require.Zero(d.t, sent.Addressed.Total)
	require.Contains(d.t, strings.Join(sent.Warnings.Texts(), "; "), "nobody is addressed")
	for _, w := range sent.Warnings.Texts() {
		require.NotContains(d.t, w, "warn:", "whoever shows a warning calls it one")
	}
}
