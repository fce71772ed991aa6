package personal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplace_FindsWholeWordsInAnyScript(t *testing.T) {
	words := []string{"Chan Tai Man", "陳大文", "chan-1", "+85291234567", "abc"}
	for text, want := range map[string]string{
		"1 devices: chan-1":               "1 devices: X",
		"chan-12 and chan-1, chan-1":      "chan-12 and X, X",
		"xchan-1 chan-1x chan-1-b":        "xchan-1 chan-1x chan-1-b",
		"致電陳大文先生 +85291234567":            "致電X先生 X",
		"Chan Tai Man's \"Chan Tai Man\"": "X's \"X\"",
		"abc is too short to look for":    "abc is too short to look for",
		"chan-1chan-1":                    "chan-1chan-1",
		"CHAN TAI MAN, Chan-1":            "X, X",
		"":                                "",
	} {
		got, found := Replace(text, words, "X")
		require.Equal(t, want, got)
		require.Equal(t, got != text, found)
	}
}

func TestCheckPseudonym(t *testing.T) {
	require.NoError(t, CheckPseudonym("erased-abcdefghijklmnop"))
	for _, bad := range []string{"", "erased-", "erased-short", "chan-abcdefghijklmnop", "erased-ABCDEFGHIJKLMNOP", "erased-abcdefghijklmno\x00"} {
		require.Error(t, CheckPseudonym(bad), bad)
	}
}

func TestNames_AreAlsoThoseOfEachScript(t *testing.T) {
	for name, want := range map[string][]string{
		"Chan Tai Man 陳大文":  {"Chan Tai Man 陳大文", "Chan Tai Man", "陳大文"},
		" 陳大文 CHAN Tai Man": {"陳大文 CHAN Tai Man", "陳大文", "CHAN Tai Man"},
		"Wong 王":            {"Wong 王"},
		"Chan":              {"Chan"},
		"陳大文":               {"陳大文"},
		"":                  {""},
	} {
		require.Equal(t, want, Names(name), name)
	}
}

func TestCommon_AreTheWordsOfTheAudit(t *testing.T) {
	require.True(t, Common("Alert"))
	require.True(t, Common("moderated"))
	require.False(t, Common("chan-tai-man"))
}
