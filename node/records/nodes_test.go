package records

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/storage/noderecord"
)

func TestNodeMeant_ByIdByNameOrByTheBeginningOfTheId(t *testing.T) {
	nodes := []noderecord.Node{
		{ID: "aaaa1111-1", Name: "on-ting"}, {ID: "aaaa2222-2", Name: "n2"}, {ID: "bbbb3333-3", Name: "n3"}, {ID: "cccc4444-4", Name: "n3"},
		{ID: "dddd5555-5", Name: "gone", Removed: true}, {ID: "eeee6666-6", Name: "aaaa1111-1"}, {ID: "ffff7777-7", Name: "n2", Removed: true},
	}
	for typed, id := range map[string]string{
		"on-ting": "aaaa1111-1", "n2": "aaaa2222-2", "bbbb3333-3": "bbbb3333-3", "bbbb": "bbbb3333-3", "aaaa1": "aaaa1111-1",
		"dddd5555-5": "dddd5555-5", "aaaa1111-1": "aaaa1111-1", // an id goes before a name
	} {
		got, err := nodeMeant(nodes, typed)
		require.NoError(t, err, typed)
		require.Equal(t, id, got, typed)
	}
	for typed, says := range map[string]wire.Problem{
		"n3":   {Kind: wire.KindConflict, Sentence: "2 nodes have the name n3 (bbbb3333-3, cccc4444-4): say by its id which is meant"},
		"aaaa": {Kind: wire.KindConflict, Sentence: "aaaa is the beginning of 2 node ids (aaaa1111-1, aaaa2222-2): write more of the one that is meant"},
		"gone": {Kind: wire.KindNotFound}, "bbb": {Kind: wire.KindNotFound}, "": {Kind: wire.KindNotFound}, "on": {Kind: wire.KindNotFound}, "dddd": {Kind: wire.KindNotFound},
	} {
		_, err := nodeMeant(nodes, typed)
		var p *wire.Problem
		require.ErrorAs(t, err, &p, typed)
		require.Equal(t, says.Kind, p.Kind, typed)
		if says.Sentence != "" {
			require.Equal(t, says.Sentence, p.Sentence)
		} else {
			require.Contains(t, p.Sentence, "there are on-ting (aaaa1111-1), n2 (aaaa2222-2), ")
			require.NotContains(t, p.Sentence, "dddd5555-5", "what was removed is no choice")
		}
	}
}
