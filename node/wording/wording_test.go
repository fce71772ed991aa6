package wording_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire/caution"
	"almenara/node/wording"
	"almenara/storage/alert"
)

func good(language, headline, instruction string) alert.Info {
	return alert.Info{
		Language: language, Event: "Flood", SenderName: "Observatory", Headline: headline, Instruction: instruction,
		Areas: []alert.Area{{Description: "On Ting"}},
	}
}

func rules(found []caution.WordFinding) (out []caution.WordRule) {
	for _, f := range found {
		out = append(out, f.Rule)
	}
	return out
}

// Each part that a text lacks is named, and nothing else.
func TestCheck_NamesWhatATextLacks(t *testing.T) {
	en, zh := good("en-GB", "Flood in On Ting now", "Go upstairs."), good("zh-Hant", "安定邨水浸", "立即前往高處。")
	message := func(infos ...alert.Info) *alert.Alert { return &alert.Alert{MsgType: alert.MsgTypeAlert, Infos: infos} }
	require.Empty(t, wording.Check(message(en, zh), nil))
	for rule, change := range map[caution.WordRule]func(*alert.Info){
		caution.WordSource:   func(i *alert.Info) { i.SenderName = " " },
		caution.WordHazard:   func(i *alert.Info) { i.Event = "ＡＬＥＲＴ" },
		caution.WordPlace:    func(i *alert.Info) { i.Areas = []alert.Area{{}} },
		caution.WordAction:   func(i *alert.Info) { i.Instruction, i.Headline = "", "立即 Flood now" },
		caution.WordTime:     func(i *alert.Info) { i.Headline, i.Instruction = "水浸 flood", "前往高處 go up" },
		caution.WordLanguage: func(i *alert.Info) { i.Language, i.Headline, i.Instruction = "zh-HK", "Flood 14:00", "Go upstairs" },
	} {
		for _, i := range []alert.Info{en, zh} {
			change(&i)
			require.Equal(t, []caution.WordRule{rule}, rules(wording.Check(message(i), nil)), "%s %s", rule, i.Language)
		}
	}
	fr := good("fr", "Inondation", "Montez.")
	require.Empty(t, wording.Check(message(fr), nil), "of a language without known words nothing is said about time")
	require.Empty(t, wording.Check(&alert.Alert{MsgType: alert.MsgTypeCancel, Infos: []alert.Info{{}}}, nil))
	found := wording.Check(message(zh, en), []string{"FLOOD", "海嘯", " "})
	require.Equal(t, []caution.WordRule{caution.WordSensitive, caution.WordSensitive}, rules(found))
	require.Equal(t, "FLOOD", found[0].Word)
	require.Len(t, wording.Check(message(zh, zh), []string{"flood"}), 1, "once a language")
}

// Nobody brings a sensitive word past its tick by what a reader does not see, or by where it stands.
func TestAttack_ASensitiveWordIsFoundHoweverItIsWritten(t *testing.T) {
	for _, text := range []string{
		"contam\u200binated", "contam\u00adinated", "contam\u2060inated", "c\u200eontaminated", "CONTAM\ufe0fINATED", "ｃｏｎｔａｍｉｎａｔｅｄ", "contaḿinated", "c\u0336ontaminated", "contam\u3164inated", "contam\x00inated",
	} {
		i := good("en-GB", "Now: "+text+" water", "Go upstairs.")
		require.Equal(t, []caution.WordRule{caution.WordSensitive}, rules(wording.Check(&alert.Alert{MsgType: alert.MsgTypeAlert, Infos: []alert.Info{i}}, []string{"contaminated"})), "%q", text)
	}
	for _, text := range []string{"即時爆 炸", "即時爆\n炸", "即時爆\u3000炸", "即時爆\u200b炸"} {
		i := good("zh-Hant", text, "請前往高處")
		require.Equal(t, []caution.WordRule{caution.WordSensitive}, rules(wording.Check(&alert.Alert{MsgType: alert.MsgTypeAlert, Infos: []alert.Info{i}}, []string{"爆炸"})), "%q", text)
	}
	where := good("en-GB", "Flood now", "Go upstairs.")
	where.Areas[0].Description = "the contaminated  block"
	require.Len(t, wording.Check(&alert.Alert{MsgType: alert.MsgTypeAlert, Infos: []alert.Info{where}}, []string{"contaminated block"}), 1)
	apart := good("zh-Hant", "即時爆", "炸彈")
	require.Empty(t, wording.Check(&alert.Alert{MsgType: alert.MsgTypeAlert, Infos: []alert.Info{apart}}, []string{"爆炸"}), "two texts are no word")
}
