package view

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A name of a place never becomes a part of the selection.
func TestQuoted(t *testing.T) {
	for value, want := range map[string]string{"tuen-mun/on-ting": "tuen-mun/on-ting", "a b": `"a b"`, `a"b\`: `"a\"b\\"`, "": `""`, "安定邨": "安定邨", "a) or all": `"a) or all"`, "All": `"All"`} {
		require.Equal(t, want, Quoted(value))
	}
}

func TestBelow(t *testing.T) {
	for selection, want := range map[string]string{
		"place under a/b": "a/b", `place under "a/b"`: "a/b", Under("tuen-mun/on-ting"): "tuen-mun/on-ting",
		"place under a and kind = screen": "", "place under a or place under b": "", "kind = screen": "", "": "", `place under "a b"`: "", "not place under a": "",
	} {
		require.Equal(t, want, Below(selection), selection)
	}
}
