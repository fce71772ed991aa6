package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrder_PutsUsersBeforeWhatTheyUse(t *testing.T) {
	uses := map[string]map[string]bool{
		"start": {"store": true, "clock": true},
		"store": {"clock": true},
		"tests": {"start": true},
	}
	require.Equal(t, []string{"tests", "start", "store", "clock"}, order(uses))
}

func TestOrder_HasEveryFileOnceWhereTheyUseEachOther(t *testing.T) {
	uses := map[string]map[string]bool{"a": {"b": true}, "b": {"c": true}, "c": {"a": true, "d": true}}
	require.ElementsMatch(t, []string{"a", "b", "c", "d"}, order(uses))
}

func TestCheck_NamesWhatIsTooLarge(t *testing.T) {
	none := filepath.Join(t.TempDir(), "exceptions.txt")
	require.NoError(t, os.WriteFile(none, []byte("# none\n"), 0o600))
	large := room{path: "almenara/node", lines: maxLines + 1, methods: map[string]int{"Node": maxMethods + 1, "options": 2}}
	require.EqualError(t, checkAll([]room{large}, none), "node has 1501 lines, 1500 at most\nnode.Node has 41 methods, 40 at most")

	some := filepath.Join(t.TempDir(), "exceptions.txt")
	require.NoError(t, os.WriteFile(some, []byte("node 1600 wires everything\nnode.Node 41 the same\n"), 0o600))
	require.NoError(t, checkAll([]room{large}, some))
	small := room{path: "almenara/node", lines: 10, methods: map[string]int{}}
	require.EqualError(t, checkAll([]room{small}, some), "node has 10 lines and needs no exception any more")

	require.NoError(t, os.WriteFile(some, []byte("node 1600\n"), 0o600))
	require.ErrorContains(t, checkAll([]room{large}, some), "has no reason")
}

func TestMeasure_CountsThisPackage(t *testing.T) {
	rooms, err := measure(".")
	require.NoError(t, err)
	require.Len(t, rooms, 1)
	require.Equal(t, "scripts/rooms", rooms[0].name())
	require.Equal(t, 3, rooms[0].files)
	require.Positive(t, rooms[0].lines)
	require.Positive(t, rooms[0].methods["room"])
	require.Positive(t, rooms[0].references)
}
