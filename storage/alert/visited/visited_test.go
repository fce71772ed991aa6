package visited_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/visited"
)

var visitedSent = time.Date(2026, 11, 28, 18, 0, 0, 0, time.UTC)

func TestVisited_IsASpanAndAPlace(t *testing.T) {
	v, err := visited.Parse("2026-11-28T10:00:00+08:00/2026-11-28T14:00+08:00  tuen-mun/market")
	require.NoError(t, err)
	require.Equal(t, "tuen-mun/market", v.Place)
	require.Equal(t, 4*time.Hour, v.To.Sub(v.From))
	again, err := visited.Parse(v.String())
	require.NoError(t, err)
	require.True(t, again.From.Equal(v.From) && again.To.Equal(v.To) && again.Place == v.Place, v.String())
	for _, bad := range []string{
		"", "tuen-mun/market", "2026-11-28T10:00:00+08:00 tuen-mun", "2026-11-28T10:00:00/2026-11-28T14:00:00 tuen-mun", "a/b c", "2026-11-28T10:00:00+08:00/ tuen-mun",
		"2026-11-28T10:00:00+08:00/2026-11-28T14:00:00+08:00 tuen-mun market", "2026-13-28T10:00:00+08:00/2026-11-28T14:00:00+08:00 tuen-mun",
	} {
		_, err := visited.Parse(bad)
		require.Error(t, err, bad)
	}
}

func TestVisited_OfWildSpansMeansNobody(t *testing.T) {
	at := func(from, to time.Duration) visited.Visit {
		return visited.Visit{Place: "d/b", From: visitedSent.Add(from), To: visitedSent.Add(to)}
	}
	for name, v := range map[string]visited.Visit{
		"backwards": at(-time.Hour, -2*time.Hour), "of no time": at(-time.Hour, -time.Hour), "a year": at(-366*24*time.Hour, 0), "tomorrow": at(0, 25*time.Hour),
		"forgotten by every phone": at(-visited.Kept-2*time.Hour, -visited.Kept),
	} {
		require.Error(t, v.Plausible(visitedSent), name)
	}
	require.NoError(t, at(-4*time.Hour, 0).Plausible(visitedSent))
	require.NoError(t, at(-visited.Kept, 0).Plausible(visitedSent))
}

func visitedInfo(values ...string) []alert.Info {
	var i alert.Info
	for _, v := range values {
		i.Parameters = append(i.Parameters, alert.Named{Name: visited.Parameter, Value: v})
	}
	return []alert.Info{i}
}

const visitedHour = "2026-11-28T10:00:00+08:00/2026-11-28T11:00:00+08:00 "

func TestVisitedOutside_IsWhatIsBelowNoneOfThePlaces(t *testing.T) {
	infos := visitedInfo(visitedHour+"d/b/market", visitedHour+"d/other", "not readable")
	require.Empty(t, visited.Outside(infos), "who is not limited")
	require.Equal(t, []string{"d/other"}, visited.Outside(infos, "d/b"))
	require.Empty(t, visited.Outside(infos, "d"))
	require.Equal(t, []string{"d/b/market"}, visited.Outside(visitedInfo(visitedHour+"d/b/market"), "d/b/mark"), "a name that begins so is another place")
	many := visitedInfo(strings.Split(strings.Repeat(visitedHour+"d/b,", 100), ",")...)
	require.Len(t, visited.In(many), 1, "each once")
}

func TestVisitedWider_IsWhoWasNotMeantBefore(t *testing.T) {
	before := visitedInfo("2026-11-28T08:00:00+08:00/2026-11-28T12:00:00+08:00 d/b")
	require.False(t, visited.Wider(visitedInfo(visitedHour+"d/b/market"), before), "a part of them")
	require.False(t, visited.Wider(nil, before))
	require.True(t, visited.Wider(visitedInfo(visitedHour+"d"), before))
	require.True(t, visited.Wider(visitedInfo("2026-11-28T08:00:00+08:00/2026-11-28T13:00:00+08:00 d/b"), before))
	require.True(t, visited.Wider(visitedInfo(visitedHour+"d/b"), nil))
}
