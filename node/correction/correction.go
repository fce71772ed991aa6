// Package correction makes the Update that changes an alert and keeps what is not given: other words
// or another end for the same people, so that a correction can go out in one press, or another
// loudness. What may be changed by whom is for the rules of authority to say. It reads nothing of a
// node.
package correction

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/node/judge"
	"almenara/node/wire/why"
	"almenara/storage/alert"
)

// Refused is why there is nothing to send, in one sentence and for pages.
type Refused struct {
	Sentence string
	Why      why.Why
}

// Error makes Refused an error.
func (r *Refused) Error() string { return "not corrected: " + r.Sentence }

func refused(reason why.Reason, with []any, format string, args ...any) error {
	return &Refused{"nothing was sent: " + fmt.Sprintf(format, args...), why.Why{Reason: reason, With: with}}
}

// Text replaces words of the info blocks in one language. A nil text stays as it is; one of
// which devices would show nothing is refused: a variable that was not set must not take the
// headline off every screen.
type Text struct {
	Language    string // "" is the only language that the alert has
	Headline    *string
	Description *string
	Instruction *string
}

// Update is what the new message needs besides the words.
type Update struct {
	Identifier string
	Sender     string
	Now        time.Time
	References []alert.Key // at least one, the newest last
	Reason     string

	// Severity, Urgency and Certainty are CAP's, of every info block; "" stays as it is.
	Severity, Urgency, Certainty string
	Elsewhere                    bool // it is for others than before, which is something new by itself

	Areas []Areas // in place of those of the info blocks; none leaves them as they are
}

// Areas are the areas of the info blocks in one language.
type Areas struct {
	Language string // "" is of every language that has none of its own
	Areas    []alert.Area
}

// moved puts the areas into the blocks, and reports whether any are given. Every block gets some: a
// language that kept its areas would go on warning people who have heard in another one that it is over.
func (u Update) moved(infos []alert.Info) (bool, error) {
	if len(u.Areas) == 0 {
		return false, nil
	}
	for i := range infos {
		language := languageOf(infos[i])
		at := slices.IndexFunc(u.Areas, func(a Areas) bool { return strings.EqualFold(a.Language, language) })
		if at < 0 {
			at = slices.IndexFunc(u.Areas, func(a Areas) bool { return a.Language == "" })
		}
		if at < 0 || len(u.Areas[at].Areas) == 0 {
			return false, refused(why.AreasMissing, []any{language}, "no areas are given for the text in %s; give them for every language", language)
		}
		infos[i].Areas = u.Areas[at].Areas
	}
	return true, nil
}

// louder puts severity, urgency and certainty into the blocks, and reports whether any is given.
func (u Update) louder(infos []alert.Info) bool {
	for i := range infos {
		infos[i].Severity = cmp.Or(u.Severity, infos[i].Severity)
		infos[i].Urgency = cmp.Or(u.Urgency, infos[i].Urgency)
		infos[i].Certainty = cmp.Or(u.Certainty, infos[i].Certainty)
	}
	return u.Severity+u.Urgency+u.Certainty != ""
}

// Make returns the Update that says texts in place of what current says, and what its
// sender should know. Expires is when it ends; zero leaves every end as it is.
func Make(current *alert.Alert, texts []Text, expires time.Time, u Update) (*alert.Alert, why.Sentences, error) {
	a := current.Clone()
	moved, err := u.moved(a.Infos)
	if err != nil {
		return nil, nil, err
	}
	if loudness := u.louder(a.Infos); len(texts) == 0 && expires.IsZero() && !loudness && !u.Elsewhere && !moved {
		return nil, nil, refused(why.SaysNothing, nil, "it says nothing new; give a text or an end")
	}
	changed := make([]bool, len(a.Infos))
	for _, text := range texts {
		if what := text.empty(); what != "" {
			return nil, nil, refused(why.TextTaken, nil, "the %s is empty, and a correction takes no words away; leave it out, and it stays as it is", what)
		}
		if err := replace(a.Infos, text, changed); err != nil {
			return nil, nil, err
		}
	}
	if !expires.IsZero() {
		if !expires.After(u.Now) {
			return nil, nil, refused(why.EndPast, nil, "the new end lies in the past; cancel the alert instead")
		}
		for i := range a.Infos {
			a.Infos[i].Expires = alert.NewDateTime(expires)
		}
	}
	Address(a, u)
	if len(texts) == 0 {
		return a, nil, nil
	}
	return a, unchanged(a.Infos, changed), nil
}

// empty names a text that shows nothing; "" where there is none.
func (t Text) empty() string {
	for _, text := range []struct {
		name string
		is   *string
	}{{"headline", t.Headline}, {"description", t.Description}, {"instruction", t.Instruction}} {
		if text.is != nil && judge.Empty(*text.is) {
			return text.name
		}
	}
	return ""
}

// Address makes a message the Update that u says, in force at once unless it was to come.
func Address(a *alert.Alert, u Update) {
	a.Identifier, a.Sender, a.Sent = u.Identifier, u.Sender, alert.NewDateTime(u.Now)
	a.MsgType, a.References, a.Note = alert.MsgTypeUpdate, slices.Clone(u.References), u.Reason
	for i := range a.Infos {
		if in := &a.Infos[i]; !in.Effective.Time().After(u.Now) {
			in.Effective = alert.DateTime{}
		}
	}
}

// replace puts a text into the blocks of its language.
func replace(infos []alert.Info, text Text, changed []bool) error {
	known := languages(infos)
	if text.Language == "" {
		if len(known) != 1 {
			return refused(why.LanguageMissing, []any{strings.Join(known, " · ")}, "the alert has texts in %s; say which of them is corrected", strings.Join(known, ", "))
		}
		text.Language = known[0]
	}
	found := false
	for i := range infos {
		if !strings.EqualFold(languageOf(infos[i]), text.Language) {
			continue
		}
		found, changed[i] = true, true
		for into, from := range map[*string]*string{
			&infos[i].Headline: text.Headline, &infos[i].Description: text.Description, &infos[i].Instruction: text.Instruction,
		} {
			if from != nil {
				*into = *from
			}
		}
	}
	if !found {
		return refused(why.LanguageMissing, []any{strings.Join(known, " · ")}, "the alert has no text in %s; it has %s", text.Language, strings.Join(known, ", "))
	}
	return nil
}

// unchanged warns of languages that still say what was said before.
func unchanged(infos []alert.Info, changed []bool) why.Sentences {
	var same []string
	for i := range infos {
		if language := languageOf(infos[i]); !changed[i] && !slices.Contains(same, language) {
			same = append(same, language)
		}
	}
	if len(same) == 0 {
		return nil
	}
	return why.Sentences{why.Sayf("the text in %s stays as it was; correct it, too, if it is wrong", strings.Join(same, ", ")).Because(why.TextsStay, strings.Join(same, " · "))}
}

func languages(infos []alert.Info) (all []string) {
	for _, in := range infos {
		if language := languageOf(in); !slices.Contains(all, language) {
			all = append(all, language)
		}
	}
	return all
}

// languageOf is the language of a block; CAP 1.2 §3.2.2 says en-US where none is given.
func languageOf(in alert.Info) string {
	if in.Language == "" {
		return "en-US"
	}
	return in.Language
}
