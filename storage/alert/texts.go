package alert

import (
	"fmt"
	"unicode/utf8"
)

// EachText calls visit with every free text of the alert.
func (a *Alert) EachText(visit func(*string)) {
	for _, s := range []*string{&a.Identifier, &a.Sender, (*string)(&a.Status), (*string)(&a.MsgType), &a.Source,
		(*string)(&a.Scope), &a.Restriction, &a.Note} {
		visit(s)
	}
	EachOf(visit, a.Addresses, a.Codes, a.Incidents)
	for n := range a.References {
		visit(&a.References[n].Sender)
		visit(&a.References[n].Identifier)
	}
	for n := range a.Infos {
		a.Infos[n].eachText(visit)
	}
}

func (i *Info) eachText(visit func(*string)) {
	for _, s := range []*string{&i.Language, &i.Event, &i.Urgency, &i.Severity, &i.Certainty, &i.AudienceText,
		&i.SenderName, &i.Headline, &i.Description, &i.Instruction, &i.Web, &i.Contact} {
		visit(s)
	}
	EachOf(visit, i.Categories, i.ResponseTypes)
	EachPair(visit, i.EventCodes)
	EachPair(visit, i.Parameters)
	for n := range i.Resources {
		r := &i.Resources[n]
		for _, s := range []*string{&r.Description, &r.MIMEType, &r.URI, &r.DerefURI, &r.Digest} {
			visit(s)
		}
	}
	for n := range i.Areas {
		area := &i.Areas[n]
		for _, s := range []*string{&area.Description, &area.Altitude, &area.Ceiling} {
			visit(s)
		}
		EachOf(visit, area.Polygons, area.Circles)
		EachPair(visit, area.Geocodes)
	}
}

func EachOf(visit func(*string), lists ...[]string) {
	for _, list := range lists {
		for n := range list {
			visit(&list[n])
		}
	}
}

func EachPair(visit func(*string), list []Named) {
	for n := range list {
		visit(&list[n].Name)
		visit(&list[n].Value)
	}
}

// NotXML names the first character that XML cannot hold; "" when there is none.
func NotXML(text string) string {
	if !utf8.ValidString(text) {
		return "bytes that are not UTF-8"
	}
	for _, r := range text {
		if !IsXMLChar(r) {
			return fmt.Sprintf("the character U+%04X", r)
		}
	}
	return ""
}

// IsXMLChar is the production Char of XML 1.0 §2.2.
func IsXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}
