package alert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// small is the least that a Public alert to an area needs.
const small = `<?xml version="1.0" encoding="UTF-8"?>
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

// whole has every element of CAP 1.2, the repeated ones twice.
const whole = `<?xml version="1.0" encoding="UTF-8"?>
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

// with replaces the first occurrence of old, which must be there.
func with(t testing.TB, text, old, replacement string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.Replace(text, old, replacement, 1)
}

// parsed is the alert of a text that must not be rejected.
func parsed(t testing.TB, text string) *Alert {
	t.Helper()
	a, found, err := Parse([]byte(text))
	require.NoError(t, err, found)
	return a
}

// at is an instant of the day that the fixtures play on.
func at(t testing.TB, clock string) time.Time {
	t.Helper()
	instant, err := time.Parse(time.RFC3339, "2026-07-20T"+clock+"+08:00")
	require.NoError(t, err)
	return instant
}
