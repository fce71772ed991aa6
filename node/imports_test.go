package node_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
)

func (d *district) imports(csv string, change ...func(*client.Import)) (wire.Imported, error) {
	in := client.Import{CSV: strings.NewReader(csv)}
	for _, fn := range change {
		fn(&in)
	}
	return d.client(0).Import(d.ctx(), in)
}

func TestImport_HoldsRowsAgainstTheDistrict(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	out, err := d.imports("id,kind,place,tags,languages\nok,person,tuen-mun/a,risk=ｈｉｇｈ,zh-HK\n,,,,\n")
	require.NoError(t, err)
	require.True(t, out.Applied)
	require.Equal(t, 1, out.Normalized)
	found, err := d.client(0).Select(d.ctx(), "risk = high\u200b", "", 10)
	require.NoError(t, err)
	require.EqualValues(t, 1, found.Counts.Total)

	out, err = d.imports("id,kind,place,languages\na,sreen,tuen-mun/a,en\nb,person,shenzhen/a,en\nc,person,tuen-mun/a,English\n")
	require.NoError(t, err)
	require.False(t, out.Applied)
	require.Len(t, out.Faults, 3)
	for i, want := range []string{`line 2: kind "sreen"`, `line 3: place "shenzhen/a" is not in the district`, `line 4: language "English"`} {
		require.Contains(t, out.Faults[i].Text, want)
	}

	// A kind that a device was enrolled with is one of the district's.
	_, err = d.client(0).EnrolDevices(d.ctx(), []wire.Enrol{{ID: "wall", Kind: "led-wall", Place: "tuen-mun/a", NewKind: true}})
	require.NoError(t, err)
	out, err = d.imports("id,kind,place\nwall-2,LED-wall,tuen-mun/a\n")
	require.NoError(t, err)
	require.Empty(t, out.Faults)
}

func TestImport_OrphansNoDeviceUnasked(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	csv := "id,kind,place\n"
	var enrol []wire.Enrol
	for i := range 12 {
		csv += fmt.Sprintf("m%02d,screen,tuen-mun/a\n", i)
		enrol = append(enrol, wire.Enrol{ID: fmt.Sprintf("m%02d", i)})
	}
	_, err := d.imports(csv)
	require.NoError(t, err)
	_, err = d.client(0).EnrolDevices(d.ctx(), enrol)
	require.NoError(t, err)
	require.NoError(t, d.client(0).RevokeDevice(d.ctx(), "m01"))

	replace := func(in *client.Import) { in.Replace = true }
	short := "id,kind,place\nm00,screen,tuen-mun/a\n"
	out, err := d.imports(short, replace, func(in *client.Import) { in.DryRun = true })
	require.NoError(t, err)
	require.Equal(t, 10, out.Orphaned, "the revoked one is nobody's loss")
	require.Len(t, out.OrphanedFirst, 10)
	require.Equal(t, 11, out.Removed)

	_, err = d.imports(short, replace)
	requireKind(t, wire.KindConflict, err, "devices would be orphaned")
	require.ErrorContains(t, err, "10 enrolled devices")
	found, err := d.client(0).Select(d.ctx(), "all", "", 0)
	require.NoError(t, err)
	require.EqualValues(t, 12, found.Counts.Total, "nothing was changed")

	out, err = d.imports(short, replace, func(in *client.Import) { in.Yes = true })
	require.NoError(t, err)
	require.True(t, out.Applied)
	require.Equal(t, 10, out.Orphaned)
	_, err = d.imports(short, replace)
	require.NoError(t, err, "nobody is orphaned twice")
}

func TestEnrol_TakesNoLivingDeviceItsSecret(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	e := d.estate("enrolled")
	options := d.enrol("screen", e.Block, 2)
	d.fleet(options...)
	again := []wire.Enrol{{ID: "new", Kind: "screen", Place: e.Block}, {ID: options[0].ID}}
	_, err := d.client(0).EnrolDevices(d.ctx(), again)
	requireKind(t, wire.KindConflict, err, "it is enrolled already")
	require.ErrorContains(t, err, "--rotate")
	require.False(t, d.refuses(options[0], 0), "its secret is good")
	devices, err := d.client(0).ListDevices(d.ctx(), "", 10)
	require.NoError(t, err)
	require.Len(t, devices, 2, "all or none")

	again[1].Rotate = true
	renewed := d.enrolAll(again)
	require.True(t, d.refuses(options[0], 0))
	require.False(t, d.refuses(renewed[1], 0))
	require.NoError(t, d.client(0).RevokeDevice(d.ctx(), options[1].ID))
	d.enrolAll([]wire.Enrol{{ID: options[1].ID}}) // what was revoked is nobody's any more
}

// Two nodes that enrol one device at the same moment: the log decides.
func TestEnrol_OneDeviceAtTwoNodesAtOnce(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	e := d.estate("twice")
	const times = 6
	results := make(chan error, times)
	for i := range times {
		c := d.client(i % 3)
		go func() {
			_, err := c.EnrolDevices(d.ctx(), []wire.Enrol{{ID: "one", Kind: "screen", Place: e.Block}})
			results <- err
		}()
	}
	enrolled := 0
	for range times {
		if err := told(t, results); err == nil {
			enrolled++
		}
	}
	require.Equal(t, 1, enrolled)
}
