// Package alerttest has messages that the tests of CAP read, and what must hold of every one.
package alerttest

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/check"
)

// Small is the least that a Public alert to an area needs.
const Small = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>KT-1</identifier>
  <sender>duty@example.org</sender>
  <sent>2026-07-20T17:40:00+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <category>Fire</category>
    <event>Fire</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Observed</certainty>
    <expires>2026-07-20T19:40:00+08:00</expires>
    <headline>Fire in block 4</headline>
    <area>
      <areaDesc>Block 4</areaDesc>
      <polygon>22.30,114.20 22.31,114.20 22.31,114.21 22.30,114.20</polygon>
    </area>
  </info>
</alert>
`

// Short is what an operator's tool has to send at least.
const Short = `{"info":[{"category":["Fire"],"event":"Fire","urgency":"Immediate","severity":"Severe","certainty":"Observed",
 "expires":"2026-07-20T19:40:00+08:00","headline":" Fire in block 4 ",
 "area":[{"areaDesc":"Block 4","polygon":["22.30,114.20  22.31,114.20\n22.31,114.21 22.30,114.20"]}]}]}`

// Whole has every element of CAP 1.2, the repeated ones twice.
const Whole = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a drill --><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>KT-2</identifier><sender>duty@example.org</sender><sent>2026-07-20T18:00:00+08:00</sent>
<status>Exercise</status><msgType>Update</msgType><source>desk 2</source><scope>Restricted</scope>
<restriction>wardens only</restriction><addresses>a@example.org "Warden of Block 4"</addresses>
<code>one</code><code>two</code><note>only a drill</note>
<references>duty@example.org,KT-1,2026-07-20T17:40:00+08:00 duty@example.org,KT-0,2026-07-20T09:00:00-00:00</references>
<incidents>I-7 "Block 4 fire"</incidents>
<info><language>zh-HK</language><category>Fire</category><category>Safety</category><event>火警</event>
<responseType>Evacuate</responseType><responseType>Avoid</responseType><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty><audience>wardens</audience>
<eventCode><valueName>HKF</valueName><value>4</value></eventCode><eventCode><valueName>X</valueName><value></value></eventCode>
<effective>2026-07-20T18:00:00+08:00</effective><onset>2026-07-20T18:05:00+08:00</onset><expires>2026-07-20T20:00:00+08:00</expires>
<senderName>On Ting</senderName><headline>第四座火警</headline><description>濃煙 &amp; &lt;火&gt; <![CDATA[<b>]]>&#13;
第二行</description><instruction>請離開</instruction><web>https://example.org/4</web><contact>999</contact>
<parameter><valueName>p</valueName><value>1</value></parameter><parameter><valueName>p</valueName><value>2</value></parameter>
<resource><resourceDesc>plan</resourceDesc><mimeType>text/plain; charset=utf-8</mimeType><size>5</size><uri>plan.txt</uri>
<derefUri>aGVs
bG8=</derefUri><digest>aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d</digest></resource>
<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType><uri>https://example.org/map.png</uri></resource>
<area><areaDesc>第四座</areaDesc><polygon>22.30,114.20 22.31,114.20
 22.31,114.21 22.30,114.20</polygon><polygon>1,2 3,4 5,6 1,2</polygon><circle>22.3,114.2 0.5</circle>
<geocode><valueName>HK-DC</valueName><value>J</value></geocode><altitude>10</altitude><ceiling>20.5</ceiling></area>
<area><areaDesc>lobby</areaDesc><geocode><valueName>place</valueName><value>kt/4/lobby</value></geocode></area></info>
<info><category>Fire</category><event>Fire</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty></info>
</alert>`

// With replaces the first occurrence of old, which must be there.
func With(t testing.TB, text, old, replacement string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.Replace(text, old, replacement, 1)
}

// Parsed is the alert of a text that must not be rejected.
func Parsed(t testing.TB, text string) *alert.Alert {
	t.Helper()
	a, found, err := capxml.Parse([]byte(text))
	require.NoError(t, err, found)
	return a
}

// At is an instant of the day that the fixtures play on.
func At(t testing.TB, clock string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, "2026-07-20T"+clock+"+08:00")
	require.NoError(t, err)
	return instant
}

// Row is one labelled message of the test collection.
type Row struct {
	File, Expect, Class string
	Raw                 []byte
}

// Corpus reads the collection of real messages that ALMENARA_TESTDATA points at.
func Corpus(t testing.TB) []Row {
	t.Helper()
	dir := os.Getenv("ALMENARA_TESTDATA")
	if dir == "" {
		t.Skip("ALMENARA_TESTDATA is not set: the collection of real messages is not here")
	}
	index, err := os.ReadFile(filepath.Join(dir, "expect.tsv"))
	require.NoError(t, err)
	var rows []Row
	for line := range strings.Lines(string(index)) {
		fields := strings.Split(line, "\t")
		if !strings.HasPrefix(fields[0], "cap/") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, fields[0]))
		require.NoError(t, err)
		rows = append(rows, Row{File: fields[0], Expect: fields[1], Class: fields[2], Raw: raw})
	}
	require.NotEmpty(t, rows)
	return rows
}

// UTF16 is the text in UTF-16 with its mark.
func UTF16(text string, order binary.AppendByteOrder) []byte {
	raw := order.AppendUint16(nil, 0xFEFF)
	for _, unit := range utf16.Encode([]rune(text)) {
		raw = order.AppendUint16(raw, unit)
	}
	return raw
}

// Prefixed gives every element the prefix cap.
func Prefixed(text string) string {
	text = strings.NewReplacer("</", "</cap:", "<?", "<?", "<", "<cap:").Replace(text)
	return strings.Replace(text, "xmlns=", "xmlns:cap=", 1)
}

// InFrench is the info of Small in another language, without an area.
func InFrench(t *testing.T) string {
	t.Helper()
	info := Small[strings.Index(Small, "<info>") : strings.Index(Small, "</info>")+len("</info>")]
	info = With(t, info, "<info>", "<info><language>fr</language>")
	return With(t, info, info[strings.Index(info, "<area>"):strings.Index(info, "</area>")+len("</area>")], "")
}

// RequireRoundTrip asserts that nothing of the alert is lost in XML or JSON.
func RequireRoundTrip(t *testing.T, a *alert.Alert, name string) {
	t.Helper()
	want := a.Clone()
	want.Signed = false // a signature is not written
	raw, err := capxml.Write(a)
	require.NoError(t, err, name)
	got, found, err := capxml.Parse(raw)
	require.NoError(t, err, "%s: %v", name, found)
	require.Equal(t, want, got, name)
	require.False(t, found.Has("element-order") || found.Has("element-unknown") || found.Has("text-stray"), name)
}

// RequireStable asserts that an accepted alert is still the same after XML and that
// nothing on it panics.
func RequireStable(t *testing.T, a *alert.Alert) {
	t.Helper()
	raw, err := capxml.Write(a)
	if errors.Is(err, capxml.ErrTooLarge) {
		return
	}
	require.NoError(t, err)
	again, found, err := capxml.Parse(raw)
	require.NoError(t, err, found)
	a.Signed = false
	require.Equal(t, a, again)
	require.Equal(t, a.Digest(), again.Digest())
	shifted := alert.Shift(a, a.Sent.Time().Add(time.Hour))
	require.False(t, Faults(shifted).Rejected())
	require.False(t, Faults(alert.Ack(a, "s", "i", "n", a.Sent.Time())).Rejected())
	require.NotEmpty(t, a.Key().ID())
	_, _, _ = a.Expires(), a.Headline("en"), a.Revision()
}

// Faults are what the rules of CAP find wrong with an alert.
func Faults(a *alert.Alert) (found alert.Findings) {
	check.Check(a, &found)
	return found
}

// Verdicts maps a rule to edits of one text that must break it: pairs of what is
// replaced and by what.
type Verdicts map[string][][2]string

// Require asserts that each edit breaks its rule at the level, and is refused or not accordingly.
func (v Verdicts) Require(t *testing.T, level alert.Level, text string) {
	t.Helper()
	for rule, edits := range v {
		for _, edit := range edits {
			_, found, err := capxml.Parse([]byte(With(t, text, edit[0], edit[1])))
			require.True(t, found.Has(rule), "%s by %q: %v", rule, edit[1], found)
			require.Equal(t, level == alert.Reject, found.Rejected(), "%s by %q: %v", rule, edit[1], found)
			require.Equal(t, level == alert.Reject, err != nil)
			for _, one := range found {
				require.True(t, one.Rule != rule || one.Level == level, "%s has level %s", rule, one.Level)
			}
		}
	}
}

// Allocated is what f takes from the heap, in bytes, freed or not.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
