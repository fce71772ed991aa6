package correction_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/correction"
	"almenara/storage/alert"
)

var now = time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)

func text(s string) *string { return &s }

func bilingual() *alert.Alert {
	return &alert.Alert{
		Identifier: "1", Sender: "almenara.tuen-mun", Sent: alert.NewDateTime(now.Add(-time.Minute)), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{
			{Language: "zh-HK", Headline: "一座火警", Instruction: "走樓梯", Expires: alert.NewDateTime(now.Add(time.Hour)), Areas: []alert.Area{{Description: "一座"}}},
			{Language: "en", Headline: "Fire in block 1", Instruction: "Leave", Effective: alert.NewDateTime(now.Add(-time.Minute))},
		},
	}
}

func update() correction.Update {
	return correction.Update{
		Identifier: "2", Sender: "almenara.tuen-mun", Now: now, Reason: "wrong block",
		References: []alert.Key{bilingual().Key()},
	}
}

func TestMake_ChangesTheWordsAndNothingElse(t *testing.T) {
	before := bilingual()
	got, warnings, err := correction.Make(before, []correction.Text{
		{Language: "EN", Headline: text("Fire in block 2")}, {Language: "zh-HK", Headline: text("二座火警"), Instruction: text("走火警樓梯")},
	}, time.Time{}, update())
	require.NoError(t, err)
	require.Empty(t, warnings)
	want := bilingual()
	want.Identifier, want.Sent, want.MsgType, want.Note = "2", alert.NewDateTime(now), alert.MsgTypeUpdate, "wrong block"
	want.References = update().References
	want.Infos[0].Headline, want.Infos[0].Instruction, want.Infos[1].Headline = "二座火警", "走火警樓梯", "Fire in block 2"
	want.Infos[1].Effective = alert.DateTime{} // it is in force at once
	require.Equal(t, want, got)
	require.Equal(t, bilingual(), before, "what is in force is left as it is")
}

func TestMake_SaysWhichLanguageStaysWrong(t *testing.T) {
	_, warnings, err := correction.Make(bilingual(), []correction.Text{{Language: "en", Headline: text("Fire in block 2")}}, time.Time{}, update())
	require.NoError(t, err)
	require.Equal(t, []string{"the text in zh-HK stays as it was; correct it, too, if it is wrong"}, warnings.Texts())
}

func TestMake_MovesEveryEnd(t *testing.T) {
	got, _, err := correction.Make(bilingual(), nil, now.Add(2*time.Hour), update())
	require.NoError(t, err)
	for _, in := range got.Infos {
		require.Equal(t, now.Add(2*time.Hour), in.Expires.Time().UTC())
	}
}

func TestMake_RefusesWhatSaysNothing(t *testing.T) {
	for want, try := range map[string]func() error{
		"says nothing new": func() error { _, _, err := correction.Make(bilingual(), nil, time.Time{}, update()); return err },
		"zh-HK, en": func() error {
			_, _, err := correction.Make(bilingual(), []correction.Text{{Headline: text("x")}}, time.Time{}, update())
			return err
		},
		"no text in fr": func() error {
			_, _, err := correction.Make(bilingual(), []correction.Text{{Language: "fr", Headline: text("x")}}, time.Time{}, update())
			return err
		},
		"the instruction is empty": func() error {
			_, _, err := correction.Make(bilingual(), []correction.Text{{Language: "en", Instruction: text(" ")}}, time.Time{}, update())
			return err
		},
		"in the past": func() error { _, _, err := correction.Make(bilingual(), nil, now, update()); return err },
	} {
		err := try()
		require.ErrorAs(t, err, new(*correction.Refused))
		require.ErrorContains(t, err, want)
	}
}
