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
