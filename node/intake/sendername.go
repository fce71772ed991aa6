package intake

import (
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/audience"
)

// nameSender says in each text who warns, where the district itself does and the text leaves it out: the
// district by its name, in the language of the text. Without it devices show people the CAP sender,
// "almenara.tuen-mun". Other senders, and a district whose place has no name, are left as they are.
func (t *Intake) nameSender(in *incoming) {
	if in.passed || in.alert.Sender != t.district.Sender() { // nodes send what passed its levels as one message: it stays as it was written
		return
	}
	own, _ := t.audience().Place(audience.Path(t.district.Record().Name))
	for n := range in.alert.Infos {
		text := &in.alert.Infos[n]
		if strings.TrimSpace(text.SenderName) != "" {
			continue
		}
		if name := nameIn(own.Names, text.Language); name != "" {
			text.SenderName, in.named = name, append(in.named, n)
		}
	}
}

// namedAs is the message with the names that this node gave its sender as a message of before has them: a repeat
// is one also after the district got another name.
func (in *incoming) namedAs(before *alert.Alert) *alert.Alert {
	if len(in.named) == 0 || len(before.Infos) != len(in.alert.Infos) {
		return in.alert
	}
	a := *in.alert
	a.Infos = slices.Clone(a.Infos)
	for _, n := range in.named {
		a.Infos[n].SenderName = before.Infos[n].SenderName
	}
	return &a
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
