package check_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/schema"
)

func TestParse_AcceptsTheFixture(t *testing.T) {
	_, found, err := capxml.Parse([]byte(alerttest.Small))
	require.NoError(t, err)
	require.Empty(t, found)
	require.Equal(t, alert.VerdictAccept, found.Verdict())
}

func TestParse_RequiresWhatTheSchemaRequires(t *testing.T) {
	missing := alerttest.Verdicts{}
	for _, name := range []string{"identifier", "sender", "sent", "status", "msgType", "scope", "category", "event",
		"urgency", "severity", "certainty", "areaDesc", "valueName", "value", "resourceDesc", "mimeType"} {
		opening := strings.Index(alerttest.Whole, "<"+name+">")
		closing := strings.Index(alerttest.Whole, "</"+name+">") + len("</"+name+">")
		if name == "category" {
			closing = strings.Index(alerttest.Whole, "<event>")
		}
		missing[name+"-missing"] = [][2]string{{alerttest.Whole[opening:closing], ""}}
	}
	missing.Require(t, alert.Reject, alerttest.Whole)
}

func TestParse_RefusesSecondOfWhatComesOnce(t *testing.T) {
	for _, b := range schema.AllBlocks {
		for _, child := range b.Children {
			opening := strings.Index(alerttest.Whole, "<"+child.Name+">")
			require.Positive(t, opening, child.Name)
			end := "</" + child.Name + ">"
			closing := opening + strings.Index(alerttest.Whole[opening:], end) + len(end)
			doubled := alerttest.Whole[:closing] + alerttest.Whole[opening:closing] + alerttest.Whole[closing:]
			_, found, err := capxml.Parse([]byte(doubled))
			require.Equal(t, !child.Many, found.Has("element-repeated"), "%s: %v", child.Name, found)
			require.Equal(t, !child.Many, err != nil, "%s: %v", child.Name, found)
		}
	}
}

func TestParse_RefusesHeadersThatCannotBeActedOn(t *testing.T) {
	sent := "<sent>2026-07-20T17:40:00+08:00"
	alerttest.Verdicts{
		"identifier-chars": {{"KT-1", "KT 1"}, {"KT-1", "KT,1"}, {"KT-1", "KT&lt;1"}, {"KT-1", "KT&amp;1"}, {"KT-1", "KT\u00a01"}},
		"identifier-empty": {{"KT-1", ""}, {"KT-1", " "}},
		"sender-chars":     {{"duty@", "duty @"}, {"duty@", "duty,"}},
		"sender-empty":     {{"duty@example.org", "\n"}},
		"sent-format": {
			{sent, "<sent>2026-07-20T17:40Z"}, {sent, "<sent>2026-07-20T17:40:00.+08:00"}, {sent, "<sent>2026-07-20T17:40+08:00"},
			{sent, "<sent>2026-07-20T17:40:00z"}, {sent, "<sent>2026-02-30T17:40:00Z"}, {sent, "<sent>2026-07-20T17:40:00.1"},
			{sent, "<sent>2026-02-30T17:40:00+08:00"}, {sent, "<sent>2026-07-20T25:40:00+08:00"}, {sent, "<sent>2026-07-20 17:40:00+08:00"},
			{sent, "<sent>"}, {sent, "<sent>2026-07-20T17:40:00"}, {sent, "<sent>2026-07-20T17:40:00+0800"}, {sent, "<sent>2026-07-20T17:40:60+08:00"},
			{sent, "<sent>2026-07-20T17:40:00+15:00"}, {sent, "<sent>0000-07-20T17:40:00+08:00"}, {sent, "<sent>2026-07-20T17:40:00,08:00"},
		},
		"status-unknown":                 {{"Actual", "actual"}, {"Actual", "Real"}, {"Actual", ""}},
		"msgType-unknown":                {{"<msgType>Alert", "<msgType>ALERT"}, {"<msgType>Alert", "<msgType>"}},
		"scope-unknown":                  {{"Public", "public"}, {"Public", ""}},
		"private-without-addresses":      {{"Public</scope>", "Private</scope>"}, {"Public</scope>", "Private</scope><addresses> </addresses>"}},
		"restricted-without-restriction": {{"Public</scope>", "Restricted</scope>"}, {"Public</scope>", "Restricted</scope><restriction/>"}},
		"restriction-with-public-scope":  {{"</scope>", "</scope><restriction>x</restriction>"}},
		"references-missing": {
			{"<msgType>Alert", "<msgType>Update"}, {"<msgType>Alert", "<msgType>Cancel"}, {"<msgType>Alert", "<msgType>Ack"},
			{"<msgType>Alert", "<msgType>Error"},
		},
		"references-format": {
			{"</scope>", "</scope><references>a,b</references>"}, {"</scope>", "</scope><references>a,b,yesterday</references>"},
			{"</scope>", "</scope><references>,b,2026-07-20T17:40:00+08:00</references>"},
			{"</scope>", "</scope><references>a,,2026-07-20T17:40:00+08:00</references>"},
			{"</scope>", "</scope><references>a,b,2026-07-20T17:40:00+08:00,c,d,2026-07-20T17:40:00+08:00</references>"},
		},
		"text-markup": {{"KT-1", "KT<b>-1</b>"}, {"22.30,114.20 22.31", "22.30,114.20<b/> 22.31"}},
	}.Require(t, alert.Reject, alerttest.Small)
	for _, msgType := range []string{"Update", "Cancel", "Ack", "Error"} {
		text := alerttest.With(t, alerttest.Small, "<msgType>Alert", "<msgType>"+msgType)
		_, found, err := capxml.Parse([]byte(alerttest.With(t, text, "</scope>", "</scope><references/>")))
		require.Error(t, err)
		require.True(t, found.Has("references-missing"), msgType)
	}
}

func TestParse_WarnsOfOddHeaders(t *testing.T) {
	reference := "</scope><references>duty@example.org,KT-%,2026-07-20T1#:40:00+08:00</references>"
	alerttest.Verdicts{
		"note-missing":                   {{"Actual", "Exercise"}},
		"no-info":                        {{alerttest.Small[strings.Index(alerttest.Small, "<info>") : strings.Index(alerttest.Small, "</info>")+len("</info>")], ""}},
		"restriction-with-private-scope": {{"Public</scope>", "Private</scope><restriction>x</restriction><addresses>a</addresses>"}},
		"references-self":                {{"</scope>", strings.NewReplacer("%", "1", "#", "7").Replace(reference)}},
		"references-later-than-sent":     {{"</scope>", strings.NewReplacer("%", "0", "#", "9").Replace(reference)}},
		"addresses-quotes":               {{"</scope>", `</scope><addresses>a"b c</addresses>`}},
	}.Require(t, alert.Warn, alerttest.Small)
}

func TestParse_RefusesInfosThatCannotBeShown(t *testing.T) {
	alerttest.Verdicts{
		"category-unknown":     {{"<category>Fire", "<category>fire"}, {"<category>Fire", "<category>CBRN"}, {"<category>Fire", "<category>"}},
		"event-empty":          {{"<event>Fire", "<event> "}},
		"responseType-unknown": {{"<urgency>", "<responseType>Run</responseType><urgency>"}},
		"urgency-unknown":      {{"Immediate", "immediate"}, {"Immediate", ""}, {"Immediate", "Very Likely"}},
		"severity-unknown":     {{"Severe", "severe"}, {"Severe", "High"}},
		"certainty-unknown":    {{"Observed", "Very Likely"}, {"Observed", "Certain"}},
		"language-format":      {{"<category>", "<language>zh_HK</language><category>"}, {"<category>", "<language>en us</language><category>"}},
		"effective-format":     {{"<expires>", "<effective/><expires>"}},
		"onset-format":         {{"<expires>", "<onset>soon</onset><expires>"}},
		"expires-format":       {{"2026-07-20T19:40:00+08:00", "2026-02-29T19:40:00+08:00"}},
	}.Require(t, alert.Reject, alerttest.Small)
}

func TestParse_WarnsOfLifetimesThatCannotBeMeant(t *testing.T) {
	expires := "<expires>2026-07-20T19:40:00+08:00</expires>"
	alerttest.Verdicts{
		"expires-missing":      {{expires, ""}},
		"expires-too-early":    {{"T19:40:00", "T17:40:00"}, {"T19:40:00", "T07:00:00"}, {expires, "<effective>2026-07-20T20:00:00+08:00</effective>" + expires}},
		"expires-before-onset": {{expires, "<onset>2026-07-20T20:00:00+08:00</onset>" + expires}},
		"expires-too-late":     {{"<expires>2026", "<expires>2031"}},
	}.Require(t, alert.Warn, alerttest.Small)
}

func TestParse_ChecksResources(t *testing.T) {
	resource := func(content string) [][2]string {
		return [][2]string{{"<area>", "<resource><resourceDesc>r</resourceDesc>" + content + "</resource><area>"}}
	}
	png := "<mimeType>image/png</mimeType>"
	alerttest.Verdicts{
		"mimeType-empty":      resource("<mimeType/>"),
		"mimeType-format":     append(resource("<mimeType>png</mimeType>"), resource("<mimeType>image/</mimeType>")...),
		"size-format":         append(resource(png+"<size>5 kB</size>"), resource(png+"<size/>")...),
		"size-negative":       resource(png + "<size>-1</size><uri>http://a/b</uri>"),
		"derefUri-not-base64": append(resource(png+"<derefUri>%%%</derefUri>"), resource(png+"<derefUri>aGVsbG8</derefUri>")...),
	}.Require(t, alert.Reject, alerttest.Small)
	alerttest.Verdicts{
		"resource-without-uri": resource(png),
		"size-differs":         resource(png + "<size>6</size><derefUri>aGVsbG8=</derefUri>"),
		"digest-format":        resource(png + "<uri>http://a/b</uri><digest>md5:1</digest>"),
		"digest-mismatch":      resource(png + "<derefUri>aGVsbG8=</derefUri><digest>" + strings.Repeat("0", 40) + "</digest>"),
		"resourceDesc-empty":   {{"<area>", "<resource><resourceDesc/>" + png + "<uri>http://a/b</uri></resource><area>"}},
	}.Require(t, alert.Warn, alerttest.Small)
}

func TestParse_RefusesAreasThatCannotBeRead(t *testing.T) {
	polygon := "22.30,114.20 22.31,114.20 22.31,114.21 22.30,114.20"
	circle := func(c string) [2]string { return [2]string{"</area>", "<circle>" + c + "</circle></area>"} }
	alerttest.Verdicts{
		"areaDesc-empty":     {{"Block 4</areaDesc>", "</areaDesc>"}},
		"polygon-too-few":    {{polygon, "1,2 3,4 1,2"}, {polygon, "1,2"}},
		"polygon-not-closed": {{polygon, "1,2 3,4 5,6 7,8"}},
		"polygon-format": {
			{polygon, "1,2;3,4;5,6;1,2"}, {polygon, "1 2 3 4 1 2 1 2"}, {polygon, "1,2 3,4 NaN,6 1,2"}, {polygon, "1,2 3,4 5e0,6 1,2"},
			{polygon, "1,2 3,4 5,0x6 1,2"}, {polygon, "1,2 3,4 5,6,7 1,2"}, {polygon, "1,2 3,4 5, 6 1,2"}, {polygon, "1,2 3,4 .,6 1,2"},
			{polygon, "1,2 3,4 --5,6 1,2"}, {polygon, "1,2 3,4 5.1.2,6 1,2"}, {polygon, "1,2 3,4 5_0,6 1,2"},
		},
		"coordinate-range": {
			{polygon, "114.20,22.30 114.20,22.31 114.21,22.31 114.20,22.30"}, {polygon, "1,2 3,4 5,-180.1 1,2"},
			circle("90.1,2 3"), circle("1,181 3"),
		},
		"circle-format":            {circle("1,2"), circle("1 2 3"), circle("1,2 3 km"), circle("1,2,3"), circle("1,2 x"), circle("a,2 3")},
		"circle-radius-negative":   {circle("1,2 -3")},
		"altitude-format":          {{"</area>", "<altitude>high</altitude></area>"}, {"</area>", "<altitude/></area>"}, {"</area>", "<altitude>1e3</altitude></area>"}},
		"ceiling-format":           {{"</area>", "<altitude>1</altitude><ceiling>high</ceiling></area>"}},
		"ceiling-without-altitude": {{"</area>", "<ceiling>3</ceiling></area>"}},
	}.Require(t, alert.Reject, alerttest.Small)
	for _, good := range []string{"1.0,2 3,4. +5,-.6 1,2.00", "1,2\n3,4\t5,6 1,2", "-90,-180 90,180 0,0 -90,-180"} {
		_, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, polygon, good)))
		require.NoError(t, err, good)
		require.Empty(t, found)
	}
}

func TestParse_WarnsOfAreasThatReachNobody(t *testing.T) {
	opening, closing := strings.Index(alerttest.Small, "<area>"), strings.Index(alerttest.Small, "</area>")+len("</area>")
	polygon := alerttest.Small[strings.Index(alerttest.Small, "<polygon>"):strings.Index(alerttest.Small, "</area>")]
	alerttest.Verdicts{
		"no-area":                 {{alerttest.Small[opening:closing], ""}},
		"area-without-shape":      {{polygon, ""}},
		"polygon-empty":           {{polygon, "<polygon/><geocode><valueName>a</valueName><value>b</value></geocode>"}},
		"circle-empty":            {{polygon, polygon + "<circle> </circle>"}},
		"circle-radius-zero":      {{polygon, polygon + "<circle>22.3,114.2 0</circle>"}, {polygon, "<circle>22.3,114.2 0.0</circle>"}},
		"geocode-several":         {{polygon, polygon + "<geocode><valueName>n</valueName><value>AB1, CD2;EF3</value></geocode>"}},
		"geocode-valueName-empty": {{polygon, "<geocode><valueName/><value>b</value></geocode>"}},
		"ceiling-below-altitude":  {{polygon, polygon + "<altitude>9</altitude><ceiling>3</ceiling>"}},
	}.Require(t, alert.Warn, alerttest.Small)
}

func TestFindings_KeepAFirstRejectEvenWhenFull(t *testing.T) {
	var found alert.Findings
	for range 2 * alert.MaxFindings {
		found.Add(alert.Warn, "w", "x")
	}
	require.Len(t, found, alert.MaxFindings)
	found.Add(alert.Reject, "r", "y")
	require.Len(t, found, alert.MaxFindings)
	require.Equal(t, "r: y", found.Reason())
	require.Equal(t, alert.VerdictReject, found.Verdict())
	word, err := alert.Reject.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "reject", string(word))
}
