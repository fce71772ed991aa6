// Package judge says what a district makes of a CAP message, as far as that depends on
// the message alone: whether it warns anybody, whether devices can show it, and whom its
// areas mean. A node asks it about every message that comes in, and `cap check` about
// files, so that both say the same. What depends on a node, such as who sends it, what is
// in force and what is known already, is the node's matter.
package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"almenara/channels"
	"almenara/channels/plain"
	"almenara/node/budget"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/check"
	"almenara/storage/audience"
	"almenara/storage/audience/areas"
)

// The rules that are not CAP's.
// RuleCut is the finding of what devices get less of than was written.
const RuleCut = "text-cut"

const (
	ruleNoWarning = "no-warning"        // an Ack or Error
	ruleNoInfo    = "no-info"           // nothing to show
	ruleTooLarge  = "too-large"         // for devices
	ruleArea      = "area-unreadable"   // ErrUnreadableArea
	ruleSelection = "selection-needed"  // nothing but a selection can say who is meant
	ruleText      = "text-changed"      // devices show something else than was written
	ruleOver      = "expired"           // it has run out before it was sent
	ruleEmpty     = "text-empty"        // a text that was typed shows nothing
	ruleMany      = "references-many"   // more than budget.MaxReferences
	ruleAudience  = "audience-in-words" // an intended audience that is neither shown nor narrows anything
	ruleName      = "identifier-long"   // more than maxName
)

// maxName is how many bytes an identifier or a sender may have. Nodes keep both in memory for
// as long as the message, or one that references it, may matter. The longest of the real
// messages that we have has 112.
const maxName = 1000

// Message judges an alert that passed the rules of CAP. The findings are those of the
// district alone.
func Message(a *alert.Alert) alert.Findings {
	found := longNames(a)
	switch a.MsgType {
	case alert.MsgTypeAck, alert.MsgTypeError:
		found.Add(alert.Reject, ruleNoWarning, "a CAP %s answers a message and warns nobody", a.MsgType)
		return found
	case alert.MsgTypeCancel:
		return found
	}
	if len(a.Infos) == 0 {
		found.Add(alert.Reject, ruleNoInfo, "the message has no info block, so there is nothing to show and no area").As(ruleNoInfo, alert.Place{})
		return found
	}
	for n := range a.Infos {
		if err := channels.Presentable(a, n); err != nil {
			found.Add(alert.Reject, ruleTooLarge, "info %d: %v", n+1, err).As("headline-large", alert.Place{Info: n + 1})
		}
	}
	if found.Rejected() {
		return found
	}
	found = append(found, asked(a)...)
	cuts, err := channels.CheckSize(a)
	if err != nil {
		found.Add(alert.Reject, ruleTooLarge, "the headlines and instructions of its languages are together larger than devices take (%d KiB); shorten them", channels.MaxBody>>10).As("headlines-large", channels.MaxBody>>10)
		return found
	}
	return append(append(cutTexts(found, a, cuts), changedTexts(a)...), inWords(a)...)
}

// inWords warns once, behind everything else, of an audience that is named in words: who reads
// "Media" there must not believe that nobody else is warned. CAP's note and parameter, which devices
// are not told either, are for systems: of 158 real messages 93 have parameters, and a warning of
// each would teach to pass over warnings.
func inWords(a *alert.Alert) (found alert.Findings) {
	for n := range a.Infos {
		if text := a.Infos[n].AudienceText; !Empty(text) {
			found.Add(alert.Warn, ruleAudience, "%sthe audience is named in words (%q), which narrows nothing, and devices are not told it", alert.Place{Info: n + 1}, clip(text))
			break
		}
	}
	return found
}

// longNames refuses identifiers and senders that are too long, also those of references.
func longNames(a *alert.Alert) (found alert.Findings) {
	own := alert.Key{Sender: a.Sender, Identifier: a.Identifier}
	for n, k := range append([]alert.Key{own}, a.References...) {
		of := "the message"
		if n > 0 {
			of = fmt.Sprintf("reference %d", n)
		}
		for _, name := range []struct{ what, text string }{{"identifier", k.Identifier}, {"sender", k.Sender}} {
			if len(name.text) > maxName {
				found.Add(alert.Reject, ruleName, "the %s of %s has %d bytes, and %d is the most", name.what, of, len(name.text), maxName).As(ruleName, element(name.what), n, len(name.text), maxName)
				return found
			}
		}
	}
	return found
}

// changedTexts warns of what devices show otherwise than it was written.
func changedTexts(a *alert.Alert) (found alert.Findings) {
	said, more := map[channels.Taken]bool{}, 0
	for n := range a.Infos {
		for _, taken := range channels.TakenOut(&a.Infos[n]) {
			switch {
			case said[taken]:
			case len(found) == mostTexts:
				more++
			default:
				found.Add(alert.Warn, ruleText, "info %d %s", n+1, taken).As(takenCode(taken), alert.Place{Info: n + 1}, element(taken.Element), taken.Text.Names)
			}
			said[taken] = true
		}
	}
	if more > 0 {
		found.Add(alert.Warn, ruleText, "devices show %d more texts otherwise than they were written", more).As("texts-changed", more)
	}
	return found
}

// Selected are the findings that are left where a selection says who is meant: that the message has
// no area, or one without a shape, is nothing wrong then. The rules are those of storage/alert.
func Selected(found alert.Findings, selections ...string) alert.Findings {
	if !slices.ContainsFunc(selections, func(s string) bool { return s != "" }) {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(f alert.Finding) bool { return f.Rule == check.RuleNoArea || f.Rule == check.RuleNoShape })
}

// cutTexts warns of what devices have no room for.
func cutTexts(found alert.Findings, a *alert.Alert, cuts []channels.Cut) alert.Findings {
	for n, c := range cuts {
		if n == mostTexts {
			found.Add(alert.Warn, RuleCut, "devices lack %d more texts, areas or files; a message for them has at most %d KiB", len(cuts)-n, channels.MaxBody>>10).As("texts-cut", len(cuts)-n, channels.MaxBody>>10)
			return found
		}
		at := alert.Place{}
		if c.Info < len(a.Infos) {
			at.Info = c.Info + 1
		}
		found.Add(alert.Warn, RuleCut, "%s%s", at, cutDetail(c)).As(cutCode(c), at, element(string(c.Of)), clip(c.Name), c.Kept, c.Whole)
	}
	return found
}

// element is an element of CAP as pages name it.
func element(name string) why.Words { return why.Words{Of: "element.", Values: []string{name}} }

// cutCode is the code of cutDetail's sentence.
func cutCode(c channels.Cut) string {
	switch c.Of {
	case channels.Areas:
		return "cut-areas"
	case channels.Attachment:
		return "cut-attachment"
	case channels.File:
		return "cut-file"
	case channels.AreaDesc:
		return "cut-areadesc"
	case channels.Overlap:
		return "cut-overlap"
	case channels.Web, channels.Contact:
		return "cut-left-out"
	}
	return "cut-short"
}

// takenCode is the code of the sentence of what is taken out of a text.
func takenCode(t channels.Taken) string {
	switch t.Text.Change {
	case plain.Markup:
		return "taken-markup"
	case plain.Controls:
		return "taken-controls"
	case plain.Windows:
		return "taken-windows"
	case plain.Overrides:
		return "taken-overrides"
	case plain.Marks:
		return "taken-marks"
	}
	return "taken-address"
}

func cutDetail(c channels.Cut) string {
	switch c.Of {
	case channels.Areas:
		return fmt.Sprintf("devices get the names of the first %d of %d areas", c.Kept, c.Whole)
	case channels.Web, channels.Contact:
		return fmt.Sprintf("devices get no %s, which has %d characters", c.Of, c.Whole)
	case channels.Attachment:
		return fmt.Sprintf("the attachment %q is too large to be passed on to devices, which get its description, its digest and its link, if there is one", clip(c.Name))
	case channels.File:
		return fmt.Sprintf("devices do not hear of the file %q, for which there is no room", clip(c.Name))
	case channels.AreaDesc:
		return fmt.Sprintf("devices get the first %d of %d characters of the areaDesc %q", c.Kept, c.Whole, clip(c.Name))
	case channels.Overlap:
		return "who is in the areas of several info blocks gets one message for all, in which descriptions and attachments are cut further, or the gravest of these areas alone"
	}
	return fmt.Sprintf("devices get the first %d of %d characters of the %s", c.Kept, c.Whole, c.Of)
}

// clip keeps names short in sentences.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// mostTexts bounds the warnings about texts of one kind: every info of a long message has
// the same.
const mostTexts = 10

// Empty reports whether devices show nothing of a text.
func Empty(text string) bool {
	return !strings.ContainsFunc(plain.Text(text), func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) })
}

// Typed judges the texts of the JSON form of an alert, which somebody has just written, as
// far as Message cannot: one that is there and shows nothing is a slip, such as a variable
// that was not set. What is not there, or "", was left away.
func Typed(form json.RawMessage) (found alert.Findings) {
	var said struct {
		Info []struct{ Event, Headline, Description, Instruction string }
	}
	if json.Unmarshal(form, &said) != nil {
		return nil // capjson.FromJSON says what is wrong
	}
	for n, i := range said.Info {
		for _, text := range [][2]string{{"event", i.Event}, {"headline", i.Headline}, {"description", i.Description}, {"instruction", i.Instruction}} {
			if text[1] != "" && Empty(text[1]) {
				found.Add(alert.Reject, ruleEmpty, "info %d: the %s is empty", n+1, text[0]).As(ruleEmpty, alert.Place{Info: n + 1}, element(text[0]))
			}
		}
	}
	return found
}

// Over rejects a message that has run out by now, for who writes it now: it would warn
// nobody, and cannot be meant. What a central system wrote in time and brings too late is
// another matter: that it was written is worth recording.
func Over(a *alert.Alert, now time.Time) (found alert.Findings) {
	warns := a.MsgType == alert.MsgTypeAlert || a.MsgType == alert.MsgTypeUpdate
	until := a.ExpiresFrom(alert.Earlier(a.Sent.Time(), now))
	if !warns || until.After(now) {
		return nil
	}
	found.Add(alert.Reject, ruleOver, "its end, %s, has passed, so it would warn nobody", until.Format(time.RFC3339)).As("end-passed", until)
	return found
}

// Targets works out whom each info block addresses; nil for a Cancel, which ends its
// alert wherever that is. limit is the sender's selection, the zero one is none. The
// targets are there unless the findings reject.
func Targets(a *alert.Alert, limit audience.Selection, knowsScheme func(name string) bool) ([]audience.Target, alert.Findings) {
	if a.MsgType == alert.MsgTypeCancel {
		return nil, nil
	}
	targets, found, err := areas.TargetsOf(a, limit, knowsScheme)
	switch {
	case err == nil:
		return targets, found
	case limit.IsZero() && (errors.Is(err, audience.ErrNoArea) || errors.Is(err, areas.ErrNotAddressed)):
		found.Add(alert.Reject, ruleSelection, "%v", err).As(targetCode(err))
	default:
		found.Add(alert.Reject, ruleArea, "%v", err)
	}
	return nil, found
}

// targetCode is the code of what keeps a message from saying whom it is for.
func targetCode(err error) string {
	if errors.Is(err, areas.ErrNotAddressed) {
		return "not-addressed"
	}
	return ruleSelection
}

// Times judges what a message says of time at now, when a node is about to take it. known says of a
// reference whether its message has come; sure is false where the node does not know what time it
// is.
func Times(a *alert.Alert, now time.Time, sure bool, known func(alert.Key) bool) alert.Findings {
	return check.Times(a, now, sure, known)
}

// File judges a message as it lies in a file at now: what capxml.Parse finds, then Message,
// its times and references, and Targets. Age alone refuses nothing: a message that lies in a
// collection is judged as when it was sent, unless it says that it still holds. Without a
// selection it cannot be known whether one will be given with the message: what is refused
// only for the lack of one is a warning, and comes first. Geocodes of every kind count as
// known.
func File(raw []byte, limit audience.Selection, now time.Time) alert.Findings {
	a, found, err := capxml.Parse(raw)
	if err != nil {
		return found
	}
	if !limit.IsZero() {
		found = Selected(found, limit.String())
	}
	found = append(append(Message(a), found...), timesAndReferences(a, now)...)
	if found.Rejected() {
		return found
	}
	_, areas := Targets(a, limit, func(string) bool { return true })
	for n := range areas {
		if areas[n].Rule == ruleSelection {
			areas[n].Level = alert.Warn
			areas[n].Detail = "a district refuses it without a selection: " + areas[n].Detail
			return append(alert.Findings{areas[n]}, found...)
		}
	}
	return append(found, areas...)
}

// timesAndReferences is what every node refuses of a message whenever it comes. Which of its
// references are known is a node's matter.
func timesAndReferences(a *alert.Alert, now time.Time) (found alert.Findings) {
	if len(a.References) > budget.MaxReferences {
		found.Add(alert.Reject, ruleMany, "it references %d messages, and %d is the most", len(a.References), budget.MaxReferences)
	}
	known := func(alert.Key) bool { return true }
	found = append(found, Times(a, alert.Earlier(a.Sent.Time(), now), true, known)...)
	for _, f := range Times(a, now, true, known) {
		if f.Level == alert.Reject && !found.Rejected() {
			holds := slices.ContainsFunc(a.Infos, func(i alert.Info) bool { return i.Expires.Time().After(now) })
			if !holds {
				f.Level = alert.Warn
			}
			found = append(found, f)
		}
	}
	return found
}
