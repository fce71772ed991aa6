package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestColumns_CountWideLettersTwice(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "屯門": 4, "ｶﾅ": 2, "Ａ": 2, "é": 1, "e\u0301": 1, "안": 2, "…": 1} {
		require.Equal(t, want, ColumnsOf(text), text)
	}
}

func TestTable_AlignsWideLettersAndCutsTheLastColumn(t *testing.T) {
	table := NewTable("PLACE", ">COUNT", "NAME")
	table.Add("屯門", "1,204", "安定邨安禮樓大堂升降機顯示屏")
	table.Add("on-ting", "7", "lobby")
	var b strings.Builder
	table.Write(&b, 30)
	require.Equal(t, "PLACE    COUNT  NAME\n屯門     1,204  安定邨安禮樓…\non-ting      7  lobby\n", b.String())
	for _, line := range strings.Split(b.String(), "\n") {
		require.LessOrEqual(t, ColumnsOf(line), 30)
	}
}

func TestTable_CutsPathsAtTheFront(t *testing.T) {
	table := NewTable("ID", "<PLACE", "~NAME")
	table.Add("a-long-identifier", "tuen-mun/on-ting/on-lai/lift-0042", "lobby")
	table.Add("b", "屯門/安定邨/安麗樓/升降機四十二號", strings.Repeat("x", 40))
	var b strings.Builder
	table.Write(&b, 50)
	require.Contains(t, b.String(), "/lift-0042  lobby\n")
	require.Contains(t, b.String(), "…降機四十二號   xxx")
	require.Contains(t, b.String(), "a-long-identifier  …")
	for _, line := range strings.Split(b.String(), "\n") {
		require.LessOrEqual(t, ColumnsOf(line), 50)
	}
}

func TestClean_KeepsForeignTextFromSteeringTheTerminal(t *testing.T) {
	require.Equal(t, "a [2Jb c d", Clean("a\x1b[2Jb\nc\u202ed"))
	table := NewTable("NAME")
	table.Add("\x1b]0;title\a")
	var b strings.Builder
	table.Write(&b, 80)
	require.NotContains(t, b.String(), "\x1b")
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1204: "-1,204", -120: "-120"} {
		require.Equal(t, want, Thousands(n))
	}
}

func TestShortClock_IsAsShortAsItIsClear(t *testing.T) {
	now := time.Date(2026, 7, 20, 23, 30, 0, 0, time.Local)
	for want, at := range map[string]time.Time{
		"-": {}, "17:40": time.Date(2026, 7, 20, 17, 40, 59, 0, time.Local), "Jul 21": now.Add(time.Hour),
		"Jan 2": time.Date(2026, 1, 2, 0, 0, 0, 0, time.Local), "2025-07-20": time.Date(2025, 7, 20, 17, 40, 0, 0, time.Local),
	} {
		require.Equal(t, want, ShortClock(at, now))
	}
}

func TestTable_WithoutAHeadNothingIsCut(t *testing.T) {
	var out strings.Builder
	list := Table{}
	list.Add("Ready", "no: no majority can be reached; devices are still warned")
	list.Add("Id", strings.Repeat("x", 40))
	list.Add("", "")
	list.Write(&out, 30)
	require.Equal(t, "Ready  no: no majority can be\n       reached; devices are\n       still warned\nId     "+strings.Repeat("x", 40)+"\n\n", out.String())
}
