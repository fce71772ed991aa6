package contract

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const oneReceipt = `{"alert":"abc","revision":7,"rung":"presented","at":"2026-07-20T12:00:00Z","seq":1}`

func TestParseReceipts_IgnoresWhatItDoesNotKnow(t *testing.T) {
	rs, err := ParseReceipts([]byte(`[{"alert":"abc","revision":7,"rung":"acknowledged","at":"2026-07-20T12:00:00.5Z",` +
		`"seq":9,"answer":"need help","location":{"lat":22.4,"lon":113.9,"accuracy":5},"maker":{"x":[1]}}]`))
	require.NoError(t, err)
	require.Len(t, rs, 1)
	require.Equal(t, "need help", rs[0].Answer)
	require.InDelta(t, 22.4, rs[0].Location.Lat, 0)
	rs, err = ParseReceipts([]byte(`[]`))
	require.NoError(t, err)
	require.Empty(t, rs)
}

func TestParseReceipts_RefusesTheWholePayload(t *testing.T) {
	replace := func(old, new string) string {
		return "[" + oneReceipt + "," + strings.Replace(oneReceipt, old, new, 1) + "]"
	}
	for name, raw := range map[string]string{
		"not an array":      oneReceipt,
		"empty":             ``,
		"null":              `null`,
		"null inside":       `[null]`,
		"cut":               `[` + oneReceipt,
		"tail":              `[` + oneReceipt + `] x`,
		"claims delivered":  replace("presented", "delivered"),
		"claims queued":     replace("presented", "queued"),
		"unknown rung":      replace("presented", "seen"),
		"text for number":   replace(`"seq":1`, `"seq":"1"`),
		"number for text":   replace(`"abc"`, `5`),
		"negative revision": replace(`7`, `-7`),
		"no revision":       replace(`7`, `0`),
		"no seq":            replace(`"seq":1`, `"seq":0`),
		"no time":           replace(`2026-07-20T12:00:00Z`, `0001-01-01T00:00:00Z`),
		"wild alert":        replace(`abc`, `a/#`),
		"long answer":       replace(`"seq":1`, `"seq":1,"answer":"`+strings.Repeat("a", MaxAnswer+1)+`"`),
		"off the earth":     replace(`"seq":1`, `"seq":1,"location":{"lat":91,"lon":0}`),
		"too many":          "[" + strings.Repeat(oneReceipt+",", MaxReceipts) + oneReceipt + "]",
		"too long":          "[" + strings.Repeat(" ", MaxReceiptBytes) + "]",
	} {
		t.Run(name, func(t *testing.T) {
			rs, err := ParseReceipts([]byte(raw))
			require.ErrorIs(t, err, ErrMalformed)
			require.Empty(t, rs)
		})
	}
}

func TestParseState(t *testing.T) {
	s, err := ParseState([]byte(`{"state":"lost","session":3,"extra":1}`))
	require.NoError(t, err)
	require.Equal(t, State{State: "lost", Session: 3}, s)

	s, err = ParseState([]byte(`{"state":"ready","tested":{"id":"c","result":"later","exercised":["light"],"more":1}}`))
	require.NoError(t, err, "words of later versions are read")
	require.Equal(t, &Tested{ID: "c", Result: "later", Exercised: []string{"light"}}, s.Tested)

	long := strings.Repeat("a", MaxStateText+1)
	many, _ := json.Marshal(make([]string, MaxPresenting+1))
	for name, raw := range map[string]string{
		"word":    `{"state":"fine"}`,
		"cut":     `{"state":`,
		"array":   `[]`,
		"kind":    `{"state":"ready","kind":"` + long + `"}`,
		"health":  `{"state":"ready","health":{"a":"` + long + `"}}`,
		"many":    `{"state":"ready","presenting":` + string(many) + `}`,
		"wild id": `{"state":"ready","presenting":["#"]}`,
		"no id":   `{"state":"ready","tested":{"result":"passed"}}`,
		"result":  `{"state":"ready","tested":{"id":"c"}}`,
		"words":   `{"state":"ready","tested":{"id":"c","result":"passed","exercised":["a","b","c","d","e","f","g","h","i"]}}`,
		"long":    `{"state":"ready","tested":{"id":"c","result":"passed","why":"` + long + `"}}`,
		"size":    `{"state":"ready"}` + strings.Repeat(" ", MaxStateBytes),
	} {
		_, err := ParseState([]byte(raw))
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestTopics_AreTakenApartAsTheyWereMade(t *testing.T) {
	for topic, want := range map[string]DeviceTopic{
		TopicAlert("lift-1", "abc"): {Device: "lift-1", Leaf: LeafAlert, Alert: "abc"},
		TopicCommand("a.b_c"):       {Device: "a.b_c", Leaf: LeafCommand},
		TopicReceipt("x"):           {Device: "x", Leaf: LeafReceipt},
		TopicReport("x"):            {Device: "x", Leaf: LeafReport},
		TopicState("x"):             {Device: "x", Leaf: LeafState},
	} {
		got, ok := ParseDeviceTopic(topic)
		require.True(t, ok, topic)
		require.Equal(t, want, got)
		require.True(t, strings.HasPrefix(topic, DevicePrefix(want.Device)))
	}
	for _, topic := range []string{
		"", TopicNow, TopicKeys, DevicePrefix("x"), DevicePrefix("x") + "alert", DevicePrefix("x") + "alert/",
		DevicePrefix("x") + "alert/a/b", AlertFilter("x"), DevicePrefix("x") + "#", "almenara/1/device/+/state", "almenara/1/device//state",
		"almenara/2/device/x/state", DevicePrefix("x") + "state/y", DevicePrefix("x y") + "state",
	} {
		_, ok := ParseDeviceTopic(topic)
		require.False(t, ok, topic)
	}
	require.False(t, strings.HasPrefix(TopicState("lift-10"), DevicePrefix("lift-1")))
	require.Zero(t, testing.AllocsPerRun(100, func() { ParseDeviceTopic("almenara/1/device/lift-1/receipt") }))
}

func TestValidDeviceID(t *testing.T) {
	for _, id := range []string{"a", "Lift-0042", "00:11"[:2], strings.Repeat("x", 64)} {
		require.True(t, ValidDeviceID(id), id)
	}
	for _, id := range []string{"", "a b", "a/b", "+", "#", "ä", ".", "..", "a\x00", strings.Repeat("x", 65)} {
		require.False(t, ValidDeviceID(id), id)
	}
}

func FuzzParseReceipts(f *testing.F) {
	f.Add([]byte("[" + oneReceipt + "]"))
	f.Add([]byte("[{},null,[]]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rs, err := ParseReceipts(raw)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(rs), MaxReceipts)
		for i, r := range rs {
			require.NoError(t, r.check(), fmt.Sprint(i))
		}
	})
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"state":"ready","session":1,"presenting":["abc"],"health":{"sound":"ok"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := ParseState(raw); err == nil {
			require.NoError(t, s.check())
		}
	})
}

func BenchmarkParseReceipts(b *testing.B) {
	raw := []byte("[" + strings.Repeat(oneReceipt+",", 7) + oneReceipt + "]")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseReceipts(raw); err != nil {
			b.Fatal(err)
		}
	}
}
