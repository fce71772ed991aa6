package inflight

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

func TestOpen_BoundsEachUserAndAll(t *testing.T) {
	o := NewOpen("event streams", Bounds{Each: 2, All: 3})
	require.NoError(t, o.Take("a", false))
	require.NoError(t, o.Take("a", false))
	var problem *wire.Problem
	require.ErrorAs(t, o.Take("a", false), &problem)
	require.Equal(t, wire.KindBusy, problem.Kind)
	require.Contains(t, problem.Sentence, "a has 2 event streams open")
	require.NoError(t, o.Take("b", false), "one user cannot take another's")
	require.ErrorContains(t, o.Take("c", false), "3 event streams are open")
	o.Give("a")
	require.NoError(t, o.Take("c", false))
	o.Give("a")
	o.Give("b")
	o.Give("c")
	require.Zero(t, o.total)
	require.Empty(t, o.by)
}

func TestOpen_KeepsAShareForPrivilegedUsers(t *testing.T) {
	o := NewOpen("large bodies", Bounds{Each: 2, All: 6, Kept: 2})
	for _, user := range []string{"a", "a", "b", "b"} {
		require.NoError(t, o.Take(user, false))
	}
	require.ErrorContains(t, o.Take("c", false), "which is the most of those who are neither administrators nor central systems")
	require.NoError(t, o.Take("weather", true))
	require.NoError(t, o.Take("weather", true))
	require.ErrorContains(t, o.Take("weather", true), "weather has 2 large bodies open")
	require.ErrorContains(t, o.Take("chief", true), "6 large bodies are open here, which is the most;")
	o.Give("weather")
	require.Error(t, o.Take("c", false), "that place is kept")
	require.NoError(t, o.Take("chief", true))
}
