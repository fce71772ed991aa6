package said

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/audience"
	"almenara/storage/audience/imports"
	"almenara/storage/coded"
)

var (
	inEnglish = Reader{words.All()[0], time.UTC}
	chinese   = Reader{words.All()[1], time.UTC}
)

func TestError_IsInTheReadersLanguage(t *testing.T) {
	_, err := audience.Parse("kind = screen and")
	require.Equal(t, Point{Text: "第 18 個字元：此處須為條件，例如「kind = screen」或「place under tuen-mun」，但現為結尾"}, chinese.Error(err))
	require.Equal(t, Point{Text: err.Error()}, inEnglish.Error(fmt.Errorf("reading: %w", err)))
	require.Equal(t, Point{Text: "torn", Tag: "en"}, chinese.Error(errors.New("torn")))
	require.Equal(t, Point{Text: "讀取檔案時：torn", Tag: "en"}, chinese.Error(coded.Errorf("reading-file", "reading the file: %w", errors.New("torn"))), "a part of it is English")
	require.Equal(t, "本節點沒有警報 x。", chinese.Error(wire.Problemf(wire.KindNotFound, "no alert x").Because(why.NoAlert, "x")).Text)
}

// What a reason has no place for is said behind it, in the reader's language too.
func TestBecause_SaysTheErrorBehind(t *testing.T) {
	_, err := audience.Parse("")
	is := why.Why{Reason: why.SelectionWrong, With: []any{err}}
	require.Equal(t, Point{Text: "看不懂此選擇條件。", Detail: "第 1 個字元：選擇條件空白；如要選取所有人，請寫 all"}, chinese.Because("in English", is))
	is.With = []any{errors.New("torn")}
	require.Equal(t, Point{Text: "看不懂此選擇條件。", Detail: "torn", DetailTag: "en"}, chinese.Because("in English", is))
}

// What the state machine refuses is said in the reader's language, once it has come from the node that applied it.
func TestBecause_SaysWhatTheStateMachineRefuses(t *testing.T) {
	raw, err := command.Refuse(command.KindConflict, "place-holds-members", "%d members are in %s; nothing was changed", 1200, "tm/on-ting").Encode()
	require.NoError(t, err)
	answer, err := command.DecodeResult(raw)
	require.NoError(t, err)
	is := why.Why{Reason: why.RecordDiffers, With: []any{answer.Error()}}
	require.Equal(t, Point{Text: "未有執行：與現有紀錄不符。", Detail: "tm/on-ting 內有 1,200 名成員；沒有作出任何更改"}, chinese.Because("in English", is))
	require.Equal(t, "1,200 members are in tm/on-ting; nothing was changed", inEnglish.Because("in English", is).Detail)
}

// A row says all that is wrong with it.
func TestSay_OfARowOfAFile(t *testing.T) {
	report, err := imports.Scan(strings.NewReader("id,kind,place\na b,Screen!,tuen-mun\n"), func(int, audience.Member) error { return nil })
	require.NoError(t, err)
	require.Len(t, report.Faults, 1)
	f := report.Faults[0]
	got := chinese.Say(why.Sayf("%v", error(f)).Because(why.ImportFault, f))
	require.Equal(t, Point{Text: "第 2 行：編號「a b」：須為 1 至 64 個英文字母、數字、. _ -"}, got)
	visit := imports.NewDiffer(func(string) (*audience.Member, bool) {
		return &audience.Member{ID: "r-1", Kind: "person", Place: "a"}, true
	}, nil)
	require.NoError(t, visit.Visit(0, audience.Member{ID: "r-1", Kind: "screen", Place: "a", Name: "甲", Tags: []audience.Tag{{Name: "risk", Value: "high"}}}))
	changes := why.Each(why.ImportChange, visit.Finish().Changes)
	require.Equal(t, "~ r-1: name none → 甲; kind person → screen; tags +risk=high", inEnglish.Say(changes[0]).Text)
	require.Equal(t, Point{Text: "~ r-1：名稱 無 → 甲；類別 個人 → 顯示屏；標籤 +risk=high"}, chinese.Say(changes[0]))
	require.Equal(t, f.String(), inEnglish.Say(why.Sayf("%v", error(f)).Because(why.ImportFault, f)).Text)
}

func TestSay_HasSentencesWithin(t *testing.T) {
	name := why.Sayf("the key of node n1").Because(why.ThingKey, "n1")
	do := why.Sayf("look").Because(why.DoKey)
	got := chinese.Say(why.Sayf("x").Because(why.ThingEnds, name, time.Date(2026, 11, 30, 3, 4, 0, 0, time.UTC), do))
	require.Equal(t, "節點 n1 的密鑰將於 2026-11-30 03:04 UTC 到期：主導節點會於一年前更新，請查明為何沒有更新。", got.Text)
	require.Empty(t, got.Tag)
	require.Empty(t, chinese.Say(why.Sentence{}))
}
