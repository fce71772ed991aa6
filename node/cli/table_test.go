package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestColumns_CountWideLettersTwice(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "屯門": 4, "ｶﾅ": 2, "Ａ": 2, "é": 1, "e\u0301": 1, "안": 2, "…": 1} {
		require.Equal(t, want, columnsOf(text), text)
	}
}

func TestTable_AlignsWideLettersAndCutsTheLastColumn(t *testing.T) {
	table := newTable("PLACE", ">COUNT", "NAME")
	table.add("屯門", "1,204", "安定邨安禮樓大堂升降機顯示屏")
	table.add("on-ting", "7", "lobby")
	var b strings.Builder
	table.write(&b, 30)
	require.Equal(t, "PLACE    COUNT  NAME\n屯門     1,204  安定邨安禮樓…\non-ting      7  lobby\n", b.String())
	for _, line := range strings.Split(b.String(), "\n") {
		require.LessOrEqual(t, columnsOf(line), 30)
	}
}

func TestTable_CutsPathsAtTheFront(t *testing.T) {
	table := newTable("ID", "<PLACE", "~NAME")
	table.add("a-long-identifier", "tuen-mun/on-ting/on-lai/lift-0042", "lobby")
	table.add("b", "屯門/安定邨/安麗樓/升降機四十二號", strings.Repeat("x", 40))
	var b strings.Builder
	table.write(&b, 50)
	require.Contains(t, b.String(), "/lift-0042  lobby\n")
	require.Contains(t, b.String(), "…降機四十二號   xxx")
	require.Contains(t, b.String(), "a-long-identifier  …")
	for _, line := range strings.Split(b.String(), "\n") {
		require.LessOrEqual(t, columnsOf(line), 50)
	}
}

func TestClean_KeepsForeignTextFromSteeringTheTerminal(t *testing.T) {
	require.Equal(t, "a [2Jb c d", clean("a\x1b[2Jb\nc\u202ed"))
	table := newTable("NAME")
	table.add("\x1b]0;title\a")
	var b strings.Builder
	table.write(&b, 80)
	require.NotContains(t, b.String(), "\x1b")
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1204: "-1,204", -120: "-120"} {
		require.Equal(t, want, thousands(n))
	}
}

func TestNearest(t *testing.T) {
	names := []string{"status", "serve", "simulate"}
	require.Equal(t, "status", nearest("stauts", names))
	require.Equal(t, "serve", nearest("server", names))
	require.Empty(t, nearest("cancel", names))
}
