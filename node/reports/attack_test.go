package reports

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/factbody"
)

// dated is what was agreed, and when.
type dated struct {
	facts
	at map[uint64]time.Time
}

func (d dated) AgreedAt(index uint64) (time.Time, bool, error) { return d.at[index], true, nil }

// A node whose clock was ahead hid a report; somebody took it up again since. After a start of this node, later than
// that clock said, it is still to be seen.
func TestRecall_BelievesTimesAsOfWhenTheyWereAgreedOn(t *testing.T) {
	one, ahead := report(1, 1, noon), noon.Add(5*time.Hour)
	all := facts{
		factOf(t, one),
		factOf(t, factbody.Moderation{Report: one.Report, State: factbody.ReportHidden, By: "eve", At: ahead.UnixMilli()}),
		factOf(t, factbody.Moderation{Report: one.Report, State: factbody.ReportSeen, By: "amy", At: noon.Add(3 * time.Minute).UnixMilli()}),
	}
	b := NewBook(dated{all, map[uint64]time.Time{1: noon, 2: noon.Add(time.Minute), 3: noon.Add(3 * time.Minute)}}, noPhotos{}, func() time.Time { return ahead.Add(time.Hour) })
	require.NoError(t, b.Recall())
	_, last, ok := b.one(one.Report)
	require.True(t, ok)
	require.Equal(t, factbody.ReportSeen, last.State)
}

// What a node whose clock is ahead, or is set to the year 9999, says of now stands above nothing that comes later:
// neither where somebody is, nor how much was reported in the last hour.
func TestAttack_ATimeThatLiesAheadIsOfNow(t *testing.T) {
	for _, ahead := range []time.Time{noon.Add(5 * time.Hour), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.UnixMilli(1<<62 - 1)} {
		now := noon
		b := NewBook(nil, noPhotos{}, func() time.Time { return now })
		position := func(n int, at time.Time, lat int32) factbody.Report {
			r := report(1, n, at)
			r.Kind, r.Alert, r.Point = factbody.ReportPosition, "abcdefghijklmnopqrstuvwxyz", &factbody.Point{Lat: lat}
			return r
		}
		learn(t, b, position(1, ahead, 1), report(1, 2, ahead))
		now = noon.Add(2 * time.Minute)
		learn(t, b, position(3, now, 2))
		where := b.responders(func(string) bool { return true })
		require.Len(t, where, 1)
		require.EqualValues(t, 2, where[0].Point.Lat, "where they are now")
		last, _ := b.positioned(1, now.Add(-time.Minute))
		require.False(t, last.After(now))
		own, all := b.counted(1, noon.Add(time.Hour+time.Minute).Add(-time.Hour))
		require.Equal(t, []int{0, 0}, []int{own, all}, "an hour later it does not count")
	}
}
