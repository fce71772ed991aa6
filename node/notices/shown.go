package notices

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/judge"
	"almenara/node/levels"
	"almenara/node/shortid"
	"almenara/node/wire/caution"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
	"almenara/node/wording"
	"almenara/storage/alert"
	"almenara/storage/alert/capjson"
	"almenara/storage/audience"
	"almenara/storage/notice"
)

// states and deeds are what the API calls them.
var (
	states = map[notice.State]notices.NoticeStanding{
		notice.Waiting: notices.Waiting, notice.SentBack: notices.SentBack, notice.Locked: notices.Locked, notice.Sent: notices.Sent,
		notice.Withdrawn: notices.Withdrawn, notice.Failed: notices.Failed,
	}
	deeds = map[notice.Deed]string{
		notice.Wrote: notices.ActWrote, notice.Comment: notices.DoComment, notice.Pass: notices.DoPass, notice.SendBack: notices.DoBack,
		notice.Withdraw: notices.DoWithdraw, notice.GoOut: notices.ActSent, notice.Fail: notices.ActFailed,
	}
)

func stateOf(s notice.State) string { return strings.ReplaceAll(string(states[s]), "_", " ") }

func inWords(s notice.State) why.Words {
	return why.Words{Of: "notice.state.", Values: []string{string(states[s])}}
}

// standing is how a notice stands, without what it says. said may be nil: then it is read where it is
// needed.
func (s *Notices) standing(n notice.Notice, said []notice.Version, people []authority.Caller) (notices.Notice, error) {
	out := notices.Notice{
		ID: n.ID, Title: n.Title, Scenario: n.Scenario, Author: n.Author, Standing: states[n.State], Version: int(n.Versions),
		Since: timeOf(n.Since), At: timeOf(n.At), Digest: hex.EncodeToString(n.Digest),
	}
	if n.State != notice.Locked {
		out.Alert = n.Alert
	}
	if last := n.Acts[len(n.Acts)-1]; n.State == notice.SentBack || n.State == notice.Withdrawn || n.State == notice.Failed {
		for _, a := range slices.Backward(n.Acts) {
			if a.Do == notice.SendBack || a.Do == notice.Withdraw || a.Do == notice.Fail {
				last = a
				break
			}
		}
		out.Why = last.Text
	}
	if n.State != notice.Waiting {
		return out, nil
	}
	now, level := s.o.Clock(), n.Levels[n.Level]
	here := n.Passed(n.Level)
	out.Level, out.Missing = int(n.Level)+1, int(level.Count)-len(here)
	out.Due = out.Since.Add(hoursOf(level.Hours))
	out.Overdue = !now.Before(out.Due)
	var err error
	if out.MayPass, err = s.line(n, said, people); err != nil || len(out.MayPass) == 0 {
		return out, err
	}
	from := out.Since
	for _, a := range here {
		from = alert.Later(from, timeOf(a.At))
	}
	each := hoursOf(level.Hours)
	out.Missed = int(max(0, now.Sub(from)) / each)
	out.Next = out.MayPass[out.Missed%len(out.MayPass)]
	out.NextUntil = from.Add(time.Duration(out.Missed+1) * each)
	return out, nil
}

// line is who may pass a notice on where it waits and has not, in the order in which they are asked: by
// name, administrators last.
func (s *Notices) line(n notice.Notice, said []notice.Version, people []authority.Caller) ([]string, error) {
	passed := map[string]bool{n.Author: true}
	for level := range n.Level + 1 {
		for _, a := range n.Passed(level) {
			passed[a.By] = true
		}
	}
	level, names, last := n.Levels[n.Level], []string{}, []string{}
	var about authority.About // of what the limited among them are held against
	for _, p := range people {
		if passed[p.Name] || !levels.Asks(level, p) {
			continue
		}
		if len(p.Places) > 0 {
			if said == nil {
				var err error
				if _, said, err = s.find(n.ID); err != nil {
					return nil, err
				}
			}
			if about.Message.Targets == nil {
				about = s.about(said[len(said)-1])
			}
			if s.within(p, about) != nil {
				continue
			}
		}
		if level.Role != authority.RoleAdministrator && !slices.Contains(p.Roles, cmp.Or(level.Role, p.Roles[0])) {
			last = append(last, p.Name)
		} else {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	slices.Sort(last)
	return append(names, last...), nil
}

// shown is one notice with all that is on record of it, as the caller may see it.
func (s *Notices) shown(n notice.Notice, said []notice.Version, by authority.Caller) (notices.Notice, error) {
	people, err := s.people()
	if err != nil {
		return notices.Notice{}, err
	}
	out, err := s.standing(n, said, people)
	if err != nil {
		return out, err
	}
	for i, l := range n.Levels {
		one := notices.NoticeLevelStands{Level: levels.WireLevel(l), Passed: []string{}}
		for _, a := range n.Passed(uint32(i)) {
			one.Passed = append(one.Passed, a.By)
		}
		out.Levels = append(out.Levels, one)
	}
	for _, a := range n.Acts {
		out.Acts = append(out.Acts, actOf(a, n))
	}
	whole := authority.Door(by, authority.ReviewNotice) == nil
	for i, v := range said {
		one, err := s.version(v, n, whole)
		if err != nil {
			return out, err
		}
		if i > 0 {
			one.Changed = changes(out.Versions[i-1], one, said[i-1], v)
		}
		out.Versions = append(out.Versions, one)
	}
	out.Found, err = s.found(&n, said[len(said)-1])
	return out, err
}

func actOf(a notice.Act, n notice.Notice) notices.NoticeAct {
	out := notices.NoticeAct{Do: deeds[a.Do], By: a.By, At: timeOf(a.At), Version: int(a.Version), Language: a.Language, Text: a.Text, Ticked: a.Ticked, Words: a.Words}
	if a.Do == notice.Pass || a.Do == notice.SendBack {
		out.Level = int(a.Level) + 1
	}
	return out
}

func (s *Notices) version(v notice.Version, n notice.Notice, whole bool) (notices.NoticeVersion, error) {
	out := notices.NoticeVersion{N: int(v.N), By: n.Author, Alert: json.RawMessage(v.Alert), Reason: v.Reason, Blanks: v.Blanks, Texts: []notices.NoticeText{}}
	for _, a := range n.Acts {
		if a.Do == notice.Wrote && a.Version == v.N {
			out.At, out.Why = timeOf(a.At), a.Text
		}
	}
	if whole {
		out.Select = v.Select
	}
	a, err := s.read(v)
	if err != nil {
		return out, err
	}
	for _, i := range a.Infos {
		var areas []string
		for _, area := range i.Areas {
			areas = append(areas, area.Description)
		}
		out.Texts = append(out.Texts, notices.NoticeText{
			Language: languageOf(i), Event: i.Event, Headline: i.Headline, Description: i.Description, Instruction: i.Instruction, Sender: i.SenderName, Areas: strings.Join(areas, ", "),
		})
	}
	return out, nil
}

// changes are the differences of two versions: text by text, and whether anything else differs.
func changes(was, is notices.NoticeVersion, before, after notice.Version) (out []notices.NoticeChange) {
	add := func(language, field, was, is string) {
		if was != is {
			out = append(out, notices.NoticeChange{Language: language, Field: field, Was: was, Is: is})
		}
	}
	texts := func(v notices.NoticeVersion, language string) (t notices.NoticeText) {
		for _, one := range v.Texts {
			if one.Language == language {
				return one
			}
		}
		return t
	}
	var languages []string
	for _, t := range slices.Concat(was.Texts, is.Texts) {
		if !slices.Contains(languages, t.Language) {
			languages = append(languages, t.Language)
		}
	}
	for _, language := range languages {
		a, b := texts(was, language), texts(is, language)
		add(language, "event", a.Event, b.Event)
		add(language, "headline", a.Headline, b.Headline)
		add(language, "description", a.Description, b.Description)
		add(language, "instruction", a.Instruction, b.Instruction)
		add(language, "sender", a.Sender, b.Sender)
		add(language, "areas", a.Areas, b.Areas)
	}
	add("", "select", was.Select, is.Select)
	if len(out) == 0 && (string(before.Alert) != string(after.Alert) || before.Reason != after.Reason || before.Select != after.Select) {
		out = append(out, notices.NoticeChange{Field: "rest"})
	}
	return out
}

// found are the words in a version that are looked at with care, and who has ticked them.
func (s *Notices) found(n *notice.Notice, v notice.Version) (out []notices.NoticeFound, err error) {
	if len(n.Words) == 0 {
		return nil, nil
	}
	a, err := s.read(v)
	if err != nil {
		return nil, err
	}
	var words []string
	for _, w := range n.Words {
		words = append(words, w.Word)
	}
	for _, f := range wording.Check(a, words) {
		if f.Rule != caution.WordSensitive {
			continue
		}
		w := n.Words[slices.Index(words, f.Word)]
		one := notices.NoticeFound{Word: w.Word, Language: f.Language, Why: w.Why, Tick: w.Tick}
		for _, act := range n.Newest() {
			if act.Do == notice.Pass && slices.Contains(act.Words, w.Word) {
				one.Ticked = act.By
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// read is what a version says, which was read before it was put on record.
func (s *Notices) read(v notice.Version) (*alert.Alert, error) {
	a, _, err := capjson.FromJSON(v.Alert, s.o.District(), shortid.New(), s.o.Clock())
	return a, err
}

// targets are whom a version addresses.
func (s *Notices) targets(v notice.Version) ([]audience.Target, error) {
	a, err := s.read(v)
	if err != nil {
		return nil, err
	}
	limit := audience.Selection{}
	for _, text := range []string{v.Within, v.Select} {
		if text == "" {
			continue
		}
		one, err := audience.Parse(text)
		if err != nil {
			return nil, err
		}
		limit = limit.And(s.o.State.Index().WithSpellings(one))
	}
	targets, _ := judge.Targets(a, limit, s.o.State.Index().KnowsScheme)
	for i := range targets {
		targets[i].Select = limit.String()
	}
	return targets, nil
}

func languageOf(i alert.Info) string { return cmp.Or(i.Language, "en-US") } // CAP 1.2 §3.2.2

func timeOf(ms int64) (at time.Time) {
	if ms > 0 {
		at = time.UnixMilli(ms).UTC()
	}
	return at
}

// inOrder puts overdue ones first, then those that wait longest.
func inOrder(all []notices.Notice) {
	slices.SortStableFunc(all, func(a, b notices.Notice) int {
		if a.Overdue != b.Overdue {
			if a.Overdue {
				return -1
			}
			return 1
		}
		return a.Since.Compare(b.Since)
	})
}
