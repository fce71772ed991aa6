package apply_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/storage/audience"
	"almenara/storage/member"
)

// placed is a transaction with places and members, and what applies changes of a place to it.
func placed(t *testing.T, members ...audience.Member) (to *apply.Transaction, change func(path, place string, was []byte) command.Result) {
	t.Helper()
	to = begun(t)
	index := uint64(0)
	do := func(p command.Payload) command.Result {
		index++
		raw, err := to.Apply(index, command.Command{Actor: "amy", At: 1, Version: command.Max(), Payload: p})
		return result(t, raw, err)
	}
	var raws [][]byte
	for i := range members {
		raws = append(raws, audience.EncodeMember(&members[i]))
	}
	require.Equal(t, command.KindNone, do(&command.PutPlaces{Places: []audience.Place{{Path: "d"}, {Path: "d/e"}, {Path: "d/e/b1"}, {Path: "d/e/b1/lift"}, {Path: "d/f"}}}).Kind)
	require.Equal(t, command.KindNone, do(&command.PutMembers{Members: raws}).Kind)
	return to, func(path, place string, was []byte) command.Result {
		p := &command.ChangePlace{Path: audience.Path(path), Was: was}
		if place != "" {
			p.Place = &audience.Place{Path: audience.Path(place), Names: []audience.Text{{Language: "en", Text: "Block"}}}
		}
		return do(p)
	}
}

func stateOf(t *testing.T, to *apply.Transaction, path audience.Path) []byte {
	t.Helper()
	rec, _, err := member.Places.Get(to.Txn, path)
	require.NoError(t, err)
	return rec.PlaceState()
}

func screen(id, place string) audience.Member {
	return audience.Member{ID: id, Kind: audience.KindScreen, Place: audience.Path(place)}
}

// Of two who change what both have read, the second changes nothing, whichever nodes they asked.
func TestChangePlace_IsOfWhatWasRead(t *testing.T) {
	to, change := placed(t)
	read := stateOf(t, to, "d/e/b1")
	require.Equal(t, command.KindNone, change("d/e/b1", "d/e/b1", read).Kind)
	changed := stateOf(t, to, "d/e/b1")
	require.NotEqual(t, read, changed)
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/e/b1", read).Kind)
	require.Equal(t, command.KindConflict, change("d/e/b1", "", read).Kind, "nor is it removed")
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/f/b1", read).Kind, "nor moved")
	require.Equal(t, changed, stateOf(t, to, "d/e/b1"))
	require.Equal(t, command.KindConflict, change("", "d/e/b1", nil).Kind, "a new place is none that there is")
	require.Equal(t, command.KindNone, change("", "d/e/b2", nil).Kind)
	require.Equal(t, command.KindConflict, change("", "d/e/b2", nil).Kind)
}

func TestChangePlace_TakesAlongWhatIsInIt(t *testing.T) {
	to, change := placed(t, screen("s1", "d/e/b1"), screen("s2", "d/e/b1/lift"), screen("s3", "d/e/b1/roof/mast"), screen("s4", "d/e/b10"))
	require.Equal(t, command.KindNone, change("d/e/b1", "d/f/b1", stateOf(t, to, "d/e/b1")).Kind)
	for id, place := range map[string]string{"s1": "d/f/b1", "s2": "d/f/b1/lift", "s3": "d/f/b1/roof/mast", "s4": "d/e/b10"} {
		rec, ok, err := member.Get(to.Txn, id)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, place, string(rec.Member.Place), id)
	}
	require.EqualValues(t, 3, to.Derived.Index.Under("d/f/b1").GetCardinality())
	require.Empty(t, stateOf(t, to, "d/e/b1"))
	require.Empty(t, stateOf(t, to, "d/e/b1/lift"))
	require.NotEmpty(t, stateOf(t, to, "d/f/b1/lift"))
	require.Equal(t, apply.ChangedPlaces|apply.ChangedMembers, to.Changed)
}

func TestChangePlace_MovesAllOrNothing(t *testing.T) {
	to, change := placed(t, screen("s1", "d/e/b1/a/b/c/d/e"), screen("s2", "d/f/full"))
	was := stateOf(t, to, "d/e/b1")
	require.Equal(t, command.KindInvalid, change("d/e/b1", "d/f/g/b1", was).Kind, "deeper than places may be")
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/f", was).Kind, "a place is there")
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/f/full", was).Kind, "members are there")
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/e/b1/inner", was).Kind, "within itself")
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/e", was).Kind, "what it lies in")
	rec, _, err := member.Get(to.Txn, "s1")
	require.NoError(t, err)
	require.Equal(t, "d/e/b1/a/b/c/d/e", string(rec.Member.Place))
	require.Equal(t, was, stateOf(t, to, "d/e/b1"))
}

func TestChangePlace_MovesNoMoreThanAnEntryMayWrite(t *testing.T) {
	var many []audience.Member
	for i := range command.MaxMembers {
		many = append(many, screen(fmt.Sprint("s", i), "d/e/b1"))
	}
	to, change := placed(t, many...)
	require.Equal(t, command.KindNone, change("d/e/b1", "d/f/b1", stateOf(t, to, "d/e/b1")).Kind, "as many as one entry may put")
	raw, err := to.Apply(99, command.Command{Actor: "amy", At: 1, Version: command.Max(), Payload: &command.PutMembers{Members: [][]byte{audience.EncodeMember(new(screen("one-more", "d/f/b1")))}}})
	require.Equal(t, command.KindNone, result(t, raw, err).Kind)
	require.Equal(t, command.KindInvalid, change("d/f/b1", "d/e/b1", stateOf(t, to, "d/f/b1")).Kind)
	require.EqualValues(t, command.MaxMembers+1, to.Derived.Index.Under("d/f/b1").GetCardinality())
}

func TestChangePlace_WaitsForAnImport(t *testing.T) {
	to, change := placed(t)
	for i, p := range []command.Payload{
		&command.StageMembers{Import: "i", Members: [][]byte{audience.EncodeMember(new(screen("s", "d/e/b1")))}}, &command.ActivateImport{Import: "i", Chunks: 1},
	} {
		raw, err := to.Apply(uint64(50+i), command.Command{Actor: "amy", At: 1, Version: command.Max(), Payload: p})
		require.Equal(t, command.KindNone, result(t, raw, err).Kind)
	}
	require.Equal(t, command.KindConflict, change("d/e/b1", "d/f/b1", stateOf(t, to, "d/e/b1")).Kind)
}

func TestChangePlace_RemovesWhatIsEmpty(t *testing.T) {
	to, change := placed(t, screen("s1", "d/f/x"))
	require.Equal(t, command.KindConflict, change("d/e/b1", "", stateOf(t, to, "d/e/b1")).Kind, "a place is below it")
	require.Equal(t, command.KindConflict, change("d/f", "", stateOf(t, to, "d/f")).Kind, "members are below it")
	require.Equal(t, command.KindNone, change("d/e/b1/lift", "", stateOf(t, to, "d/e/b1/lift")).Kind)
	require.Equal(t, command.KindNone, change("d/e/b1", "", stateOf(t, to, "d/e/b1")).Kind)
	require.Empty(t, stateOf(t, to, "d/e/b1"))
	require.Equal(t, command.KindNotFound, change("d/e/b1", "", nil).Kind)
}
