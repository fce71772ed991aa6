// Package sendername says in a message who warns, where the district itself does and the message leaves it out, and
// compares messages apart from that. Without it devices show people the CAP sender, "almenara.tuen-mun".
//
// It changes what it is given and reads nothing. It imports storage alone.
package sendername

import (
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience"
)

// Give names the sender in each text that leaves it out, by the name that there is in the language of the text, and
// returns which texts these are. A message of another sender, and one for which there is no name, is left as it is.
func Give(a *alert.Alert, sender string, names []audience.Text) (given []int) {
	if a.Sender != sender {
		return nil
	}
	for n := range a.Infos {
		text := &a.Infos[n]
		if strings.TrimSpace(text.SenderName) != "" {
			continue
		}
		if name := nameIn(names, text.Language); name != "" {
			text.SenderName, given = name, append(given, n)
		}
	}
	return given
}

// As is the message with the names that were given as a message of before has them: a repeat is one also after the
// district got another name.
func As(a, before *alert.Alert, given []int) *alert.Alert {
	if len(given) == 0 || len(before.Infos) != len(a.Infos) {
		return a
	}
	out := *a
	out.Infos = slices.Clone(a.Infos)
	for _, n := range given {
		out.Infos[n].SenderName = before.Infos[n].SenderName
	}
	return &out
}

// Same compares two messages without their identifiers and times.
func Same(a, b *alert.Alert) bool {
	plain := func(a *alert.Alert) alert.Digest {
		c := *a
		c.Identifier, c.Sent, c.Infos = "", alert.DateTime{}, slices.Clone(a.Infos)
		for i := range c.Infos {
			c.Infos[i].Expires, c.Infos[i].Effective = alert.DateTime{}, alert.DateTime{}
		}
		return c.Digest()
	}
	return plain(a) == plain(b)
}

// nameIn is a name in the language of a text (BCP 47; "" is English), else in English; "" where there is neither.
// Chinese that is not said to be simplified is traditional.
func nameIn(names []audience.Text, language string) string {
	main, _, _ := strings.Cut(strings.ToLower(language), "-")
	tags := []string{language, main}
	if main == "zh" {
		tags = []string{language, "zh-Hant", "zh-HK", "zh-TW", "zh"}
		if strings.EqualFold(language, "zh-CN") || strings.HasPrefix(strings.ToLower(language), "zh-hans") {
			tags = []string{language, "zh-Hans", "zh-CN", "zh"}
		}
	}
	for _, tag := range append(tags, "en") {
		if n := slices.IndexFunc(names, func(t audience.Text) bool { return strings.EqualFold(t.Language, tag) }); n >= 0 {
			return names[n].Text
		}
	}
	return ""
}
