package scenarios

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/scenario/ready"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/notices"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil, ""), func() map[string]any { return map[string]any{"scenario": &writePage{}} })
}

func same(t *testing.T, want, got wire.Scenario) {
	t.Helper()
	require.JSONEq(t, string(want.Alert), string(got.Alert), want.ID)
	want.Alert, got.Alert = nil, nil
	want.Tier, want.Sound, want.Confirm, want.Blanks = "", "", "", nil
	require.Equal(t, want, got, want.ID)
}

// Whoever opens the form of a scenario and saves it as it is has changed nothing of it.
func TestForm_AScenarioThatIsOpenedAndSavedStaysAsItIs(t *testing.T) {
	all, err := ready.All()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	all = append(all, wire.Scenario{
		ID: "odd", Title: "What the form does not know", Minutes: 5, Select: `place under "a b" and kind = screen`, UsualMin: 1, UsualMax: 9, Choose: true, RemindMinutes: 3, Approvals: 2,
		Alert: json.RawMessage(`{"note":"n","status":"Exercise","info":[
			{"language":"en","event":"a {{where}}","urgency":"Future","severity":"Minor","category":["Met","Geo"],"parameter":[{"valueName":"x","value":"y"},{"valueName":"almenara:residents","value":"seen"}],"area":[{"areaDesc":"A","geocode":[{"valueName":"p","value":"q"}]},{"areaDesc":"B"}],"resource":[{"uri":"u"}]},
			{"language":"en","event":"b","urgency":"Past","severity":"Minor","area":[{"circle":["1,2 3"]}],"parameter":[{"valueName":"almenara:confirm","value":"none"}]},{"event":"c"},{"event":"d"},{"event":"e"},{"event":"f"},{"event":"g"},{"event":"h"},{"event":"i","x":1},{"event":"j"}]}`),
		BlankRules: []wire.BlankRule{{Name: "where", For: "f", Values: []string{"a", "b"}, MaxLength: 7}},
		Escalate:   &acts.Escalate{Answers: 2, Minutes: 3, Groups: []string{"kind = phone", "all"}},
		Chain:      &notices.NoticeChain{Levels: []notices.NoticeLevel{{Title: "a", Role: "approver", People: []string{"amy", "ben"}, Count: 2, Hours: 3, Checklist: []string{"x", "y"}}, {People: []string{"c"}}}, Words: []notices.NoticeWord{{Word: "w", Why: "because: so", Tick: true}, {Word: "v"}}},
	})
	for _, s := range all {
		f, err := formOf(s)
		require.NoError(t, err, s.ID)
		got, err := f.scenario(words.All()[0])
		require.NoError(t, err, s.ID)
		same(t, s, got)
	}
}

func TestForm_ChangesWhatItSays(t *testing.T) {
	s, ok, err := ready.Get("block-evacuation")
	require.NoError(t, err)
	require.True(t, ok)
	f, err := formOf(s)
	require.NoError(t, err)
	f.Texts[1].Headline, f.Severity, f.Status, f.Residents, f.Confirm = "Leave {{estate}}", "Severe", "Exercise", nil, "none"
	f.Texts[0] = text{N: 0, Language: "zh-Hant"} // left empty: not said in this language
	f.addLanguage("fil")
	f.Texts[2].Headline = "Umalis {{estate}}"
	f.By, f.Place, f.Minutes = byPlace, "a/b c", "7"
	got, err := f.scenario(words.All()[0])
	require.NoError(t, err)
	require.Equal(t, `place under "a/b c"`, got.Select)
	require.Equal(t, 7, got.Minutes)
	require.NotContains(t, string(got.Alert), "almenara:residents")
	var of struct {
		Status string
		Info   []capInfo
	}
	require.NoError(t, json.Unmarshal(got.Alert, &of))
	require.Equal(t, "Exercise", of.Status)
	require.Len(t, of.Info, 2)
	require.Equal(t, []string{"en", "Leave {{estate}}", "Severe", "none"}, []string{of.Info[0].Language, of.Info[0].Headline, of.Info[0].Severity, of.Info[0].parameter(parameterConfirm)})
	require.Equal(t, []string{"fil", "Umalis {{estate}}", ""}, []string{of.Info[1].Language, of.Info[1].Headline, of.Info[1].Instruction}, "a new language has no words of another")
	for _, rule := range got.BlankRules {
		require.Contains(t, blanksOf(got.Alert), rule.Name, "a rule of a blank that is gone is gone")
	}
}

// The picture has every language that says something, Chinese first, as screens have it.
func TestForm_ShowsEveryLanguageOnTheScreen(t *testing.T) {
	f := empty()
	f.Texts = []text{{N: 0, Language: "en", Event: "Fire", Headline: "Fire in {{block}}", From: "Fire Services", Area: "On Ting"}, {N: 1, Language: "fil"}, {N: 2, Language: "zh-Hant", Headline: "火警"}}
	now := time.Date(2026, 11, 30, 3, 4, 0, 0, time.UTC)
	body := f.shown(now, 45)
	require.Equal(t, now.Add(45*time.Minute), body.Expires)
	require.Len(t, body.Texts, 2)
	require.Equal(t, "火警", body.Texts[0].Headline)
	require.Equal(t, []string{"Fire in {{block}}", "Fire Services"}, []string{body.Texts[1].Headline, body.Texts[1].SenderName})
	require.Equal(t, []string{"On Ting"}, body.Texts[1].Areas)
}

func TestForm_RefusesWhatIsNoNumber(t *testing.T) {
	for _, bad := range []string{"-1", "1.5", "x", "99999999999", "１"} {
		f := empty()
		f.Minutes = bad
		_, err := f.scenario(words.All()[0])
		require.ErrorContains(t, err, "no whole number", bad)
	}
}
