// Package judgetest has messages for tests of what a district takes and refuses.
package judgetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

// Case is a message with what becomes of it.
type Case struct {
	Name    string
	Message string
	Verdict alert.Verdict // without a selection, from a file
	Rule    string        // that decides; "" for accept

	// Selects: only a selection can say who is meant. From a file that is a warning; a
	// district refuses the message as it is, and takes it with a selection.
	Selects bool
}

// square is an outline in Tuen Mun.
const square = "<polygon>22.38,113.96 22.40,113.96 22.40,113.98 22.38,113.98 22.38,113.96</polygon>"

// message is a CAP message sent at a time, changed by pairs of texts.
func message(name string, sent time.Time, pairs ...string) string {
	form := func(t time.Time) string { return alert.NewDateTime(t.UTC()).String() }
	text := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns=%q><identifier>judge-%s</identifier><sender>bureau@example.org</sender><sent>%s</sent><status>Actual</status>`+
		`<msgType>Alert</msgType><scope>Public</scope><info><language>en</language><category>Met</category><event>Flood</event>`+
		`<urgency>Immediate</urgency><severity>Moderate</severity><certainty>Observed</certainty><expires>%s</expires>`+
		`<headline>Flood in On Ting</headline><instruction>Go upstairs.</instruction><area><areaDesc>On Ting</areaDesc>%s</area></info></alert>`,
		capxml.Namespace, strings.ReplaceAll(name, " ", "-"), form(sent), form(sent.Add(time.Hour)), square)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("judgetest: " + name + " has no " + pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// attached is a file of so many bytes inside the message, before its area.
func attached(size int) string {
	return "<resource><resourceDesc>Spoken</resourceDesc><mimeType>audio/mpeg</mimeType><uri>https://example.org/spoken.mp3</uri><derefUri>" +
		base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), size)) + "</derefUri></resource><area>"
}

// Cases are messages sent at now: each kind that a district refuses although CAP allows
// it, and neighbours that it takes.
func Cases(now time.Time) []Case {
	const accept, warn, reject = alert.VerdictAccept, alert.VerdictWarn, alert.VerdictReject
	reference := "<references>bureau@example.org,other," + alert.NewDateTime(now.Add(-time.Hour).UTC()).String() + "</references><info>"
	info := message("", now)
	info = info[strings.Index(info, "<info>") : strings.Index(info, "</info>")+len("</info>")]
	one := func(name string, verdict alert.Verdict, rule string, pairs ...string) Case {
		return Case{Name: name, Message: message(name, now, pairs...), Verdict: verdict, Rule: rule}
	}
	selects := func(name string, pairs ...string) Case {
		c := one(name, warn, "selection-needed", pairs...)
		c.Selects = true
		return c
	}
	form := func(t time.Time) string { return alert.NewDateTime(t.UTC()).String() }
	sent, ends := "<sent>"+form(now), "<expires>"+form(now.Add(time.Hour))
	var many strings.Builder
	for n := range 101 {
		fmt.Fprintf(&many, " bureau@example.org,other-%d,%s", n, form(now.Add(-time.Hour)))
	}
	return []Case{
		one("as it should be", accept, ""),

		// Times that no node takes, and more references than one message may have.
		one("sent in the year 9999", reject, "sent-ahead", sent, "<sent>9999-12-31T23:59:59-00:00"),
		one("sent two days ahead", reject, "sent-ahead", sent, "<sent>"+form(now.Add(48*time.Hour))),
		one("sent years ago and still in force", reject, "sent-too-long-ago", sent, "<sent>2020-01-01T00:00:00-00:00"),
		one("effective after its end", reject, "never-in-force", "<expires>", "<effective>"+form(now.Add(2*time.Hour))+"</effective><expires>"),
		one("effective in 40 days", reject, "effective-ahead", "<expires>", "<effective>"+form(now.Add(40*24*time.Hour))+"</effective><expires>",
			ends, "<expires>"+form(now.Add(41*24*time.Hour))),
		one("101 references", reject, "references", "<msgType>Alert", "<msgType>Update", "<info>", "<references>"+strings.TrimSpace(many.String())+"</references><info>"),

		// Names that nodes would keep in memory.
		one("identifier too long", reject, "identifier-long", "judge-identifier", strings.Repeat("j", 1001)),
		one("sender of 100 KiB", reject, "identifier-long", "bureau@example.org", strings.Repeat("b", 100<<10)),
		one("reference to a long name", reject, "identifier-long", "<msgType>Alert", "<msgType>Update",
			"<info>", strings.Replace(reference, "other", strings.Repeat("o", 1001), 1)),
		one("cancel of a long name", reject, "identifier-long", "<msgType>Alert", "<msgType>Cancel",
			"<info>", strings.Replace(reference, "other", strings.Repeat("o", 1001), 1)),
		one("long sender that is taken", accept, "", "bureau@example.org", strings.Repeat("b", 1000)),

		// An answer warns nobody.
		one("Ack", reject, "no-warning", "<msgType>Alert", "<msgType>Ack", "<info>", reference),
		one("Error", reject, "no-warning", "<msgType>Alert", "<msgType>Error", "<info>", "<note>x</note>"+reference),
		// Nothing to show.
		one("no info", reject, "no-info", info, ""),
		// Areas that cannot be read.
		one("over the 180th meridian", reject, "area-unreadable", square, "<polygon>1,179 1,-179 2,-179 1,179</polygon>"),
		one("circle over the 180th meridian", reject, "area-unreadable", square, "<circle>0,179.9 50</circle>"),
		one("huge circle", reject, "area-unreadable", square, "<circle>22,114 2001</circle>"),
		one("circle at the pole", reject, "area-unreadable", square, "<circle>89,0 500</circle>"),
		one("too many geocodes", reject, "area-unreadable", square, "<geocode><valueName>judge</valueName><value>"+strings.Repeat("x1 ", 10_001)+"</value></geocode>"),
		// Texts that no device can take.
		one("endless instruction", reject, "too-large", "Go upstairs.", strings.Repeat("Go upstairs. ", 5_000)),
		// Nothing says who is meant, unless a selection does.
		selects("no area", square, "", "<areaDesc>On Ting</areaDesc>", "<areaDesc>x</areaDesc>", "<area><areaDesc>x</areaDesc></area>", ""),
		selects("only words", square, ""),
		selects("circle of radius 0", square, "<circle>22.39,113.97 0</circle>"),
		selects("polygon on a line", square, "<polygon>22.3,114.1 22.4,114.2 22.5,114.3 22.3,114.1</polygon>"),
		selects("Restricted", "<scope>Public</scope>", "<scope>Restricted</scope><restriction>staff</restriction>"),
		// A second info that is about something else has no area of its own.
		selects("one info without area", "</alert>", strings.NewReplacer("<area><areaDesc>On Ting</areaDesc>"+square+"</area>", "", "Met", "Fire").Replace(info)+"</alert>"),

		// What CAP refuses.
		one("no severity", reject, "severity-unknown", "<severity>Moderate", "<severity>High"),
		one("open polygon", reject, "polygon-not-closed", "22.38,113.98 22.38,113.96</polygon>", "22.38,113.98</polygon>"),

		// Neighbours that are taken.
		one("circle of radius 0 beside", warn, "circle-radius-zero", square, square+"<circle>22.39,113.97 0</circle>"),
		one("relative link", warn, "web-not-absolute", "<area>", "<web>www.example.org</web><area>"),
		one("markup", warn, "text-changed", "Go upstairs.", "&lt;p&gt;Go upstairs.&lt;/p&gt;"),
		one("prose with a bracket", accept, "", "Go upstairs.", "Leave where water is &lt;one metre below the door. Go."),
		one("second language", warn, "area-shared", "</alert>", strings.NewReplacer("<area><areaDesc>On Ting</areaDesc>"+square+"</area>", "", ">en<", ">fr<").Replace(info)+"</alert>"),
		one("a hole", accept, "", square, square+"<geocode><valueName>EXCLUDE_POLYGON</valueName><value>22.385,113.965 22.39,113.965 22.39,113.97 22.385,113.965</value></geocode>"),
		one("a hole outside", warn, "area-changed", square, square+"<geocode><valueName>EXCLUDE_POLYGON</valueName><value>2,3 2,4 3,4 2,3</value></geocode>"),

		// What devices have no room for, and neighbours that fit.
		one("a description that fits", accept, "", "<instruction>", "<description>"+strings.Repeat("Water rises. ", 3_000)+"</description><instruction>"),
		one("long description", warn, "text-cut", "<instruction>", "<description>"+strings.Repeat("Water rises. ", 8_000)+"</description><instruction>"),
		one("an attachment that fits", accept, "", "<area>", attached(20_000)),
		one("large attachment", warn, "text-cut", "<area>", attached(75_000)),
		one("many long area names", warn, "text-cut", "<area>", strings.Repeat("<area><areaDesc>"+strings.Repeat("On Ting ", 500)+"</areaDesc></area>", 30)+"<area>"),
		one("long sender and web and contact", warn, "text-cut", "<headline>", "<senderName>"+strings.Repeat("Bureau ", 10_000)+"</senderName><headline>",
			"<area>", "<web>https://example.org/"+strings.Repeat("w", 10_000)+"</web><contact>"+strings.Repeat("2345 6789 ", 10_000)+"</contact><area>"),
		one("two languages too long together", reject, "too-large", "Go upstairs.", strings.Repeat("Go upstairs. ", 2_500),
			"</alert>", strings.NewReplacer(">en<", ">fr<", "Go upstairs.", strings.Repeat("Go upstairs. ", 2_500)).Replace(info)+"</alert>"),
		one("a contact", accept, "", "<area>", "<contact>Mrs Lee, 2345 6789</contact><area>"),
		one("markup in a contact", warn, "text-changed", "<area>", "<contact>&lt;b&gt;2345 6789&lt;/b&gt;</contact><area>"),
		one("markup in the name of a file", warn, "text-changed", "<area>", strings.Replace(attached(20), "Spoken", "&lt;b&gt;Spoken&lt;/b&gt;", 1)),
	}
}
