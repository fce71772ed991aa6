package boxclock

import (
	"strconv"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// machine has files of a box: which run it is in, and the clocks of its hardware.
func machine(run string, clocks map[string][2]string) fstest.MapFS {
	m := fstest.MapFS{"proc/sys/kernel/random/boot_id": {Data: []byte(run + "\n")}}
	for name, of := range clocks {
		m["sys/class/rtc/"+name+"/hctosys"] = &fstest.MapFile{Data: []byte(of[0] + "\n")}
		m["sys/class/rtc/"+name+"/since_epoch"] = &fstest.MapFile{Data: []byte(of[1] + "\n")}
	}
	return m
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func TestClock_FollowsOnWhatItWas(t *testing.T) {
	right := map[string][2]string{"rtc0": {"1", seconds(noon.Add(-3 * time.Second))}}
	for name, c := range map[string]struct {
		clocks map[string][2]string
		since  string
		synced bool
		want   bool
	}{
		"the box was not started anew":                            {since: "b", want: true},
		"it was, and has no battery: it goes on from a note":      {since: "a"},
		"nothing is known of the run before":                      {since: ""},
		"it has a battery":                                        {clocks: right, since: "a", want: true},
		"it has a battery, and the run before is not known":       {clocks: right, since: "", want: true},
		"the battery is empty, and the hardware began at 1970":    {clocks: map[string][2]string{"rtc0": {"1", "12"}}, since: "a"},
		"the hardware's clock is another than it started from":    {clocks: map[string][2]string{"rtc0": {"0", seconds(noon)}}, since: "a"},
		"of two clocks the system started from the second":        {clocks: map[string][2]string{"rtc0": {"0", "12"}, "rtc1": {"1", seconds(noon)}}, since: "a", want: true},
		"what the hardware says cannot be read":                   {clocks: map[string][2]string{"rtc0": {"1", "soon"}}, since: "a"},
		"a server of times has set it since":                      {since: "a", synced: true, want: true},
		"somebody set it, and the hardware does not say the same": {clocks: map[string][2]string{"rtc0": {"1", seconds(noon.Add(2 * time.Minute))}}, since: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := made(func() time.Time { return noon }, machine("b", c.clocks), func() bool { return c.synced }, false)
			require.Equal(t, "b", clock.Run())
			require.Equal(t, c.want, clock.RanSince(c.since))
			require.Equal(t, noon, clock.Now())
		})
	}
}

func TestClock_WhereTheSystemTellsNothing(t *testing.T) {
	none := func() bool { return false }
	now := func() time.Time { return noon }
	require.True(t, made(now, fstest.MapFS{}, none, true).RanSince("a"), "machines of such systems have a battery")
	box := made(now, fstest.MapFS{}, none, false)
	require.Empty(t, box.Run())
	require.False(t, box.RanSince(""), "one that has no name is not the same as another")
	require.True(t, Of(now).RanSince(Of(now).Run()), "this machine was not started anew meanwhile")
}
