package capjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/schema"
	"almenara/storage/alert/tokens"
)

func fromJSON(t testing.TB, text string) (*alert.Alert, alert.Findings, error) {
	t.Helper()
	return FromJSON([]byte(text), "duty@example.org", "KT-1", alerttest.At(t, "17:40:00"))
}

func TestFromJSON_CompletesWhatIsMissing(t *testing.T) {
	a, found, err := fromJSON(t, alerttest.Short)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Equal(t, alerttest.Parsed(t, alerttest.Small), a)
}

func TestFromJSON_KeepsWhatIsThere(t *testing.T) {
	text := alerttest.With(t, alerttest.Short, "{", `{"identifier":"X","sender":"s","sent":"2026-07-20T10:00:00-00:00","status":"Exercise","note":"drill","msgType":"Update",
		"scope":"Private","addresses":"a \"b c\"","references":"s,W,2026-07-20T09:00:00-00:00","incidents":"\"d e\"","code":["1",""],`)
	a, _, err := fromJSON(t, text)
	require.NoError(t, err)
	require.Equal(t, "s,X,2026-07-20T10:00:00-00:00", a.Key().String())
	require.Equal(t, []string{"a", "b c"}, a.Addresses)
	require.Equal(t, []string{"d e"}, a.Incidents)
	require.Equal(t, []string{"1"}, a.Codes)
	require.Equal(t, "W", a.References[0].Identifier)
	require.Equal(t, []any{alert.StatusExercise, alert.MsgTypeUpdate, alert.ScopePrivate}, []any{a.Status, a.MsgType, a.Scope})
}

// requireJSONRoundTrip asserts that nothing is lost on the way through JSON, also
// when it comes back as foreign bytes.
func requireJSONRoundTrip(t *testing.T, a *alert.Alert, name string) {
	t.Helper()
	raw, err := json.Marshal(a)
	require.NoError(t, err, name)
	var again alert.Alert
	require.NoError(t, json.Unmarshal(raw, &again), name)
	require.Equal(t, a, &again, name)
	foreign, found, err := FromJSON(raw, "", "", alerttest.At(t, "00:00:00"))
	require.NoError(t, err, "%s: %v", name, found)
	again.Signed = false
	require.Equal(t, &again, foreign, name)
}

func TestJSON_LosesNothing(t *testing.T) {
	requireJSONRoundTrip(t, alerttest.Parsed(t, alerttest.Small), "small")
	requireJSONRoundTrip(t, alerttest.Parsed(t, alerttest.Whole), "whole")
}

func TestJSON_LosesNothingOfRealMessages(t *testing.T) {
	for _, row := range alerttest.Corpus(t) {
		if a, _, err := capxml.Parse(row.Raw); err == nil {
			requireJSONRoundTrip(t, a, row.File)
		}
	}
}

func TestJSON_HasTheNamesOfCAP(t *testing.T) {
	raw, err := json.Marshal(*alerttest.Parsed(t, alerttest.Whole)) // a value, too
	require.NoError(t, err)
	require.NoError(t, scanJSON(raw, new(alert.Findings)))
	for _, b := range schema.AllBlocks {
		for _, child := range b.Children {
			require.Contains(t, string(raw), `"`+child.Name+`":`)
		}
	}
}

func TestFromJSON_AppliesTheRulesOfXML(t *testing.T) {
	for rule, edit := range map[string][2]string{
		"urgency-unknown":    {"Immediate", "immediate"},
		"event-empty":        {`"event":"Fire"`, `"event":" "`},
		"category-missing":   {`["Fire"]`, `[]`},
		"polygon-not-closed": {"22.30,114.20\"", "22.3,114.2 1,1\""},
		"areaDesc-empty":     {`"areaDesc":"Block 4",`, ""},
		"identifier-chars":   {"{", `{"identifier":"a b",`},
		"references-missing": {"{", `{"msgType":"Cancel",`},
		"size-negative":      {`"area"`, `"resource":[{"resourceDesc":"a","mimeType":"a/b","uri":"a:b","size":-1}],"area"`},
	} {
		a, found, err := fromJSON(t, alerttest.With(t, alerttest.Short, edit[0], edit[1]))
		require.ErrorIs(t, err, alert.ErrRejected, rule)
		require.Nil(t, a)
		require.True(t, found.Has(rule), "%s: %v", rule, found)
	}
}

func TestFromJSON_RefusesWithOneClearSentence(t *testing.T) {
	for text, sentence := range map[string]string{
		"":                                       "reading JSON: it ends too early",
		"{":                                      "reading JSON: it ends too early",
		"[]":                                     "the alert must be an object",
		"null":                                   "the alert must be an object",
		`{"info":[]} {}`:                         "something follows the alert",
		`{"info":[]`:                             "reading JSON: it ends too early",
		`{"hedline":"x"}`:                        `the alert has an unknown field "hedline"`,
		`{"Identifier":"x"}`:                     `the alert has an unknown field "Identifier"`,
		`{"info":[{},{"x":1}]}`:                  `the alert.info[1] has an unknown field "x"`,
		`{"note":"a","note":"b"}`:                `the alert has the field "note" twice`,
		`{"note":1}`:                             "the alert.note must be text",
		`{"info":{}}`:                            "the alert.info must be an array",
		`{"info":[null]}`:                        "the alert.info[0] must be an object",
		`{"code":["a",2]}`:                       "the alert.code[1] must be text",
		`{"note":["a"]}`:                         "the alert.note must be text",
		`{"note":{}}`:                            "the alert.note must be text",
		`{"sent":"tomorrow"}`:                    `"tomorrow" is not a CAP date and time`,
		`{"references":"a,b"}`:                   `"a,b" is not a reference`,
		`{"note":"a\u0007"}`:                     "a text contains the character U+0007",
		"{\"note\":\"\xff\"}":                    "bytes do not fit the encoding UTF-8",
		`{"signed":"yes"}`:                       "the alert.signed must be true or false",
		`{"info":[{"resource":[{"size":1.5}]}]}`: "size must be a whole number",
	} {
		_, found, err := fromJSON(t, text)
		require.ErrorIs(t, err, alert.ErrRejected, text)
		require.Contains(t, found.Reason(), sentence, text)
		require.Len(t, found, 1)
	}
	a, _, err := fromJSON(t, alerttest.With(t, alerttest.Short, "{", `{"note":null,"signed":true,`))
	require.NoError(t, err, "null is absent")
	require.False(t, a.Signed, "nobody can sign in JSON")
}

func TestFromJSON_IsBounded(t *testing.T) {
	list := func(field, item string, n int) string {
		return alerttest.With(t, alerttest.Short, `"area":[`, fmt.Sprintf(`%q:[%s],"area":[`, field, strings.TrimSuffix(strings.Repeat(item+",", n), ",")))
	}
	for name, text := range map[string]string{
		"bytes":     alerttest.With(t, alerttest.Short, "Fire in", strings.Repeat("x", alert.MaxMessageBytes)),
		"infos":     `{"info":[` + strings.Repeat("{},", alert.MaxInfos) + `{}]}`,
		"areas":     `{"info":[{"area":[` + strings.Repeat("{},", alert.MaxAreas) + `{}]}]}`,
		"resources": list("resource", "{}", alert.MaxResources+1),
		"pairs":     list("parameter", "{}", tokens.MaxElements+1),
		"texts":     list("responseType", `""`, tokens.MaxElements+1),
		"addresses": alerttest.With(t, alerttest.Short, "{", `{"addresses":"`+strings.Repeat("a ", alert.MaxListItems+1)+`",`),
		"refs":      alerttest.With(t, alerttest.Short, "{", `{"references":"`+strings.Repeat("a,b,2026-07-20T17:40:00+08:00 ", alert.MaxReferences+1)+`",`),
	} {
		var found alert.Findings
		used := alerttest.Allocated(func() { _, found, _ = fromJSON(t, text) })
		require.True(t, found.Has("too-large"), "%s: %s", name, found.Reason())
		require.LessOrEqual(t, used, uint64(24*alert.MaxMessageBytes), name)
	}
	deep := strings.Repeat(`{"info":[`, 10_000)
	_, found, err := fromJSON(t, deep)
	require.ErrorIs(t, err, alert.ErrRejected)
	require.Contains(t, found.Reason(), "unknown field")
}

// FuzzFromJSON asserts the same of the JSON form.
func FuzzFromJSON(f *testing.F) {
	for _, seed := range []string{alerttest.Short, `{"info":[{}]}`, `{"addresses":"\"a b\" c","note":null}`, "[[", `{"sent":"2026-07-20T17:40:00+08:00"}`} {
		f.Add([]byte(seed))
	}
	for _, text := range []string{alerttest.Small, alerttest.Whole} {
		raw, err := json.Marshal(alerttest.Parsed(f, text))
		require.NoError(f, err)
		f.Add(raw)
	}
	now := time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, found, err := FromJSON(raw, "sender", "identifier", now)
		require.Equal(t, found.Rejected(), errors.Is(err, alert.ErrRejected))
		require.Equal(t, err != nil, a == nil)
		if err == nil {
			alerttest.RequireStable(t, a)
		}
	})
}
