// Package wording looks at what an alert says as the people who read it need it said: who warns, of
// what, where, what to do, and when, in every language. What is missing is named and never refused: a
// message of a central system goes out as it came. Words that a scenario calls sensitive are marked.
//
//	alert, sensitive words ─> Check ─> findings, one a language and rule
//
// It reads the message alone and has no clock. It never imports cluster, channels, api or another
// part of node but wire.
package wording

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"almenara/node/wire/caution"
	"almenara/storage/alert"
)

// generic are events that name no hazard.
var generic = []string{"alert", "warning", "emergency", "notice", "message", "alarm", "警報", "警告", "通知", "緊急", "緊急警報", "緊急通知", "消息"}

// times find a time in a text, by the first letters of its language. A language that is not here is
// looked at for digits alone.
var times = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`(?i)\b(now|at once|immediately|today|tonight|tomorrow|until|since|(minutes?|hours?|days?)|(mon|tues|wednes|thurs|fri|satur|sun)day|a\.?m\.?|p\.?m\.?)\b`),
	"zh": regexp.MustCompile(`現在|現時|現正|即時|即刻|立即|立刻|馬上|今日|今天|今晚|今早|明日|明天|明早|直至|目前|分鐘|小時|星期|[0-9０-９一二三四五六七八九十]+[時点點日]|现在|现时|马上|分钟|小时`),
}

var clock = regexp.MustCompile(`[0-9]{1,2}[:.][0-9]{2}|[0-9]{1,2}/[0-9]{1,2}`)

// Check names what the texts of an alert lack, and the words in them that are sensitive. A Cancel,
// an Ack and an Error have no texts for people, so nothing is found.
func Check(a *alert.Alert, sensitive []string) (found []caution.WordFinding) {
	if a.MsgType != alert.MsgTypeAlert && a.MsgType != alert.MsgTypeUpdate {
		return nil
	}
	for n := range a.Infos {
		for _, f := range checkInfo(&a.Infos[n], sensitive) {
			if !slices.Contains(found, f) { // blocks of one language for several areas
				found = append(found, f)
			}
		}
	}
	return found
}

func checkInfo(i *alert.Info, sensitive []string) (found []caution.WordFinding) {
	language := i.Language
	if language == "" {
		language = "en-US" // CAP 1.2 §3.2.2
	}
	add := func(rule caution.WordRule, word, format string, args ...any) {
		found = append(found, caution.WordFinding{Rule: rule, Language: language, Word: word, Text: fmt.Sprintf(format, args...)})
	}
	all := strings.Join([]string{i.Headline, i.Description, i.Instruction}, "\n")
	if strings.TrimSpace(i.SenderName) == "" {
		add(caution.WordSource, "", "the text in %s does not say who warns (senderName)", language)
	}
	if slices.Contains(generic, folded(i.Event)) {
		add(caution.WordHazard, i.Event, "the text in %s does not say of what it warns: the event is %q", language, i.Event)
	}
	if !slices.ContainsFunc(i.Areas, func(a alert.Area) bool { return strings.TrimSpace(a.Description) != "" }) {
		add(caution.WordPlace, "", "the text in %s does not say where (areaDesc)", language)
	}
	if strings.TrimSpace(i.Instruction) == "" {
		add(caution.WordAction, "", "the text in %s does not say what to do (instruction)", language)
	}
	if !saysWhen(language, all) {
		add(caution.WordTime, "", "the text in %s does not say when: now, since, or until", language)
	}
	if strings.HasPrefix(language, "zh") && strings.TrimSpace(all) != "" && !strings.ContainsFunc(all, isHan) {
		add(caution.WordLanguage, "", "the text that says it is in %s has no Chinese in it", language)
	}
	said := []string{folded(i.Event), folded(i.Headline), folded(i.Description), folded(i.Instruction), folded(i.SenderName)}
	for _, a := range i.Areas {
		said = append(said, folded(a.Description))
	}
	for _, word := range sensitive {
		w := folded(word)
		if w != "" && slices.ContainsFunc(said, func(text string) bool { return strings.Contains(text, w) }) {
			add(caution.WordSensitive, word, "the text in %s holds %q, which is a sensitive word here", language, word)
		}
	}
	return found
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// saysWhen reports whether a text says a time, as far as that can be told in its language.
func saysWhen(language, text string) bool {
	known := times[strings.ToLower(language[:min(2, len(language))])]
	if known == nil {
		return true // no words of that language are known here
	}
	return clock.MatchString(text) || known.MatchString(text)
}

// folded brings spellings of one word together: case, letters of full width, marks over letters, what shows
// nothing, such as a soft hyphen, and spaces however many, which beside Chinese say nothing at all.
func folded(s string) string {
	var out strings.Builder
	var last rune // before the space; 0: none
	space := false
	for _, r := range strings.ToLower(norm.NFKD.String(s)) {
		switch {
		case unicode.IsSpace(r):
			space = true
			continue
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point):
			continue
		case space && last != 0 && !isHan(last) && !isHan(r):
			out.WriteByte(' ')
		}
		out.WriteRune(r)
		last, space = r, false
	}
	return out.String()
}
