package scenario

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/storage/rights"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func TestFilled_FindsABlankHoweverItIsWritten(t *testing.T) {
	s := rights.Scenario{ID: "fire", Alert: []byte(`{"note":"Leave \u007b\u007bwhere}} now"}`)}
	require.Equal(t, []string{"where"}, Blanks(s.Alert))
	_, err := Filled(s, nil, noon)
	require.ErrorContains(t, err, `needs the blank "where"`, "a text must not go out with a hole")
	raw, err := Filled(s, map[string]string{"where": "{{where}}"}, noon)
	require.NoError(t, err)
	require.JSONEq(t, `{"note":"Leave {{where}} now"}`, string(raw), "what a text brings is no blank")
	require.True(t, strayBlank([]byte(`{"note":"\u007b{a b}}"}`)))
}

func TestFilled_SaysOfAllThatIsMissingWhatItIsFor(t *testing.T) {
	s := rights.Scenario{ID: "fire", Alert: []byte(`{"note":"{{a}} {{b}} {{c}}"}`), Details: rights.Details{Blanks: []rights.Blank{{Name: "b", For: "number of the block"}}}}
	_, err := Filled(s, map[string]string{"a": "x"}, noon)
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "nothing was sent: the scenario fire needs 2 blanks filled in; its blanks are a, b, c", p.Sentence)
	require.Equal(t, []string{"b: number of the block", "c"}, p.Details)
}

func TestFilled_TakesOnlyWhatTheScenarioLetsFillABlank(t *testing.T) {
	s := rights.Scenario{ID: "fire", Alert: []byte(`{"note":"{{a}} {{b}}"}`), Details: rights.Details{Blanks: []rights.Blank{{Name: "a", Values: []string{"1", "22"}}, {Name: "b", Max: 3}}}}
	for says, blanks := range map[string]map[string]string{
		`the blank "a" is none of those that the scenario takes: 1, 22`: {"a": "3", "b": "x"},
		`the blank "b" has more than 3 characters`:                      {"a": "1", "b": "四個字了"},
		`the blank "b" is empty`:                                        {"a": "1", "b": " "},
	} {
		_, err := Filled(s, blanks, noon)
		require.ErrorContains(t, err, says)
	}
	raw, err := Filled(s, map[string]string{"a": "22", "b": "三個字"}, noon)
	require.NoError(t, err)
	require.JSONEq(t, `{"note":"22 三個字"}`, string(raw))
	require.Equal(t, map[string]string{"a": "22", "b": "字字字"}, longest(s))
}

// FuzzFilled holds the filling of blanks to: one text goes exactly where its blank was,
// nothing else changes, and what comes out is JSON.
func FuzzFilled(f *testing.F) {
	f.Add(`{"note":"{{where}}"}`, "block 1")
	f.Add(`{"info":[{"headline":"Fire at {{where}}","expires":"x"},{}]}`, `"},{"`)
	f.Add(`{"info":[{"headline":"{{{{a}}}}"}],"n":1e999}`, "b")
	f.Add(`{"\u007b\u007bk}}":"\u007b\u007bk}}"}`, "{{k}}")
	f.Add(`{"info":{"a":"{{a}}{{b}}"}}`, "\u2028")
	f.Add(`[null]`, "")
	f.Fuzz(func(t *testing.T, form, text string) {
		s := rights.Scenario{ID: "fuzz", Alert: []byte(form), Lifetime: time.Hour.Milliseconds()}
		blanks := map[string]string{}
		for _, name := range Blanks(s.Alert) {
			blanks[name] = text
		}
		raw, err := Filled(s, blanks, noon)
		if BadText(text, maxBlankText) != nil && len(blanks) > 0 {
			require.Error(t, err)
			return
		}
		if err != nil {
			require.False(t, json.Valid(s.Alert) && len(blanks) > 0, "%v", err)
			return
		}
		require.True(t, json.Valid(raw))
		if !strayBlank(s.Alert) && !strings.Contains(text, "{") {
			require.Zero(t, count(raw, "{{"), "every blank is Filled")
		}
	})
}

// count says how often a text is in the texts of a document.
func count(raw []byte, of string) (n int) {
	texts(raw, func(text string) { n += strings.Count(text, of) })
	return n
}

// How an alert is presented is said by its scenario, and not by whoever fills in a blank: also not by a parameter.
func TestCheck_LeavesNotOpenHowLoudItIs(t *testing.T) {
	of := func(severity, name, value string) rights.Scenario {
		return rights.Scenario{ID: "rain", Title: "Rain", Select: "all", Lifetime: time.Hour.Milliseconds(), Alert: []byte(`{"info":[{"language":"en","category":["Met"],"event":"Rain {{where}}",` +
			`"urgency":"Immediate","severity":"` + severity + `","certainty":"Observed","headline":"Rain","parameter":[{"valueName":"` + name + `","value":"` + value + `"}]}]}`)}
	}
	for s, says := range map[*rights.Scenario]string{
		new(of("Extreme", "almenara:confirm", "{{c}}")):        "leaves its almenara:confirm open",
		new(of("Extreme", " almenara:confirm", "\\u007b{c}}")): "leaves its almenara:confirm open",
		new(of("Extreme", "{{n}}", "none")):                    "leaves its parameter open",
		new(of("Extreme", "almenara:{{n}}", "none")):           "leaves its parameter open",
		new(of("{{s}}", "almenara:confirm", "none")):           "leaves its severity open",
	} {
		_, err := Check(*s, "almenara.d", anywhere{}, noon)
		require.ErrorContains(t, err, says)
	}
	_, err := Check(of("Extreme", "depth", "{{metres}}"), "almenara.d", anywhere{}, noon)
	require.NoError(t, err)

	// Space around a text does not count when the alert is sent, so it does not count here.
	out := Wire(of(" Extreme ", " almenara:confirm", "none "))
	require.Equal(t, []string{"emergency", "siren", "none"}, []string{out.Tier, out.Sound, out.Confirm})
}
