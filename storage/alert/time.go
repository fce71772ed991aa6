package alert

import (
	"strings"
	"time"
)

// Expires is the instant after which nothing of the message is in force: the latest
// expires of its infos. A message without info is in force for DefaultLifetime;
// a Cancel, Ack or Error without info never, which is told by the time it was sent.
func (a *Alert) Expires() time.Time { return a.ExpiresFrom(a.Sent.Time()) }

// ExpiresFrom is Expires as if the message were sent then.
func (a *Alert) ExpiresFrom(sent time.Time) time.Time {
	if len(a.Infos) == 0 {
		if a.MsgType == MsgTypeAlert || a.MsgType == MsgTypeUpdate {
			return sent.Add(DefaultLifetime)
		}
		return sent
	}
	var latest time.Time
	for n := range a.Infos {
		if at := a.Infos[n].expiresFrom(sent); at.After(latest) {
			latest = at
		}
	}
	return latest
}

// expiresFrom is when the info stops being in force: its expires, or when absent
// DefaultLifetime after its message was sent, in no case later than MaxLifetime
// after that.
func (i *Info) expiresFrom(sent time.Time) time.Time {
	if i.Expires.IsZero() {
		return sent.Add(DefaultLifetime)
	}
	if last := sent.Add(MaxLifetime); i.Expires.Time().After(last) {
		return last
	}
	return i.Expires.Time()
}

// Lang is the info's language; en-US when absent, as §3.2.2 says.
func (i *Info) Lang() string {
	if i.Language == "" {
		return "en-US"
	}
	return i.Language
}

// InfoFor is the info in the language lang or, when there is none, in another
// variant of it, or the first. It is nil only when the message has no info.
func (a *Alert) InfoFor(lang string) *Info {
	var best *Info
	rank := 0
	for n := range a.Infos {
		i := &a.Infos[n]
		if r := LanguageRank(i.Lang(), lang); r > rank {
			best, rank = i, r
		}
	}
	return best
}

// How near a language is to one that is asked for; see LanguageRank.
const (
	OtherLanguage = 1 // any other
	NearLanguage  = 2 // the same primary language, such as zh-HK and zh-Hant
	SameLanguage  = 3 // the same tag
)

// LanguageRank is how near the tag have is to the tag want.
func LanguageRank(have, want string) int {
	primary := func(tag string) string { p, _, _ := strings.Cut(tag, "-"); return p }
	switch {
	case strings.EqualFold(have, want):
		return SameLanguage
	case strings.EqualFold(primary(have), primary(want)):
		return NearLanguage
	default:
		return OtherLanguage
	}
}

// Headline is the headline for the language as InfoFor finds it, the event when
// there is no headline, and the note when there is no info.
func (a *Alert) Headline(lang string) string {
	i := a.InfoFor(lang)
	switch {
	case i == nil:
		return a.Note
	case i.Headline == "":
		return i.Event
	default:
		return i.Headline
	}
}

// ShiftedLifetime is what Shift gives an info that would already be over.
const ShiftedLifetime = time.Hour

// Shift returns a copy that looks as if it were sent at now: effective, onset and
// expires move by as much as sent does. An info that would not be in force gets
// ShiftedLifetime. The copy shares nothing with a. References stay as they are.
// Demonstrations and drills replay recorded alerts with it.
func Shift(a *Alert, now time.Time) *Alert {
	now = now.Truncate(time.Second)
	by := now.Sub(a.Sent.Time())
	shifted := a.Clone()
	shifted.Sent = a.Sent.add(by)
	for n := range shifted.Infos {
		i := &shifted.Infos[n]
		i.Effective, i.Onset, i.Expires = i.Effective.add(by), i.Onset.add(by), i.Expires.add(by)
		if !i.Expires.IsZero() && !i.Expires.Time().After(now) {
			i.Expires = shifted.Sent.add(ShiftedLifetime)
		}
	}
	return shifted
}
