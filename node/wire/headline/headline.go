// Package headline is what an alert says in one line, in each of its languages, so that whoever lists alerts
// says them in the language of who reads. It may import storage/alert alone.
package headline

import (
	"cmp"

	"almenara/storage/alert"
)

// Line is the headline in one language.
type Line struct {
	Language string `json:"language"` // BCP 47
	Text     string `json:"text"`
}

// Lines are the headlines of an alert, each language once, the first text's first. There are none where all is
// said in one language: the headline itself is that.
type Lines []Line

// most is in how many languages a headline is told. What devices show has no such bound.
const most = 8

// Of are the lines of a message; nil of one that is not in several languages, such as a Cancel.
func Of(a *alert.Alert) Lines {
	var out Lines
	for n := range a.Infos {
		i := &a.Infos[n]
		line := Line{i.Lang(), cmp.Or(i.Headline, i.Event)}
		if len(out) < most && !out.has(line.Language) {
			out = append(out, line)
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

func (l Lines) has(language string) bool {
	for _, line := range l {
		if alert.LanguageRank(line.Language, language) == alert.SameLanguage {
			return true
		}
	}
	return false
}

// In is the line in a language or else in another variant of it; otherwise where there is neither.
func (l Lines) In(language, otherwise string) string {
	best, rank := otherwise, alert.OtherLanguage
	for _, line := range l {
		if r := alert.LanguageRank(line.Language, language); r > rank {
			best, rank = line.Text, r
		}
	}
	return best
}
