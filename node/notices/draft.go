package notices

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/intake"
	"almenara/node/judge"
	"almenara/node/levels"
	"almenara/node/scenario"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capjson"
	"almenara/storage/notice"
	"almenara/storage/rights"
)

// DraftNotice implements service.Notices: what could not go out now is refused now.
func (s *Notices) DraftNotice(ctx context.Context, by authority.Caller, in notices.DraftNotice) (notices.Notice, error) {
	if err := authority.Door(by, authority.WriteNotice); err != nil {
		return notices.Notice{}, err
	}
	if err := s.few(by); err != nil {
		return notices.Notice{}, err
	}
	d, err := s.drafted(ctx, by, in)
	if err != nil {
		return notices.Notice{}, err
	}
	now := s.o.Clock().UnixMilli()
	n := notice.Notice{
		ID: shortid.New()[:12], Scenario: in.Scenario, Author: by.Name, Title: d.title, State: notice.Waiting, Versions: 1, Since: now, At: d.at,
		Levels: d.chain.Levels, Words: d.chain.Words, Acts: []notice.Act{{Do: notice.Wrote, By: by.Name, At: now, Version: 1, Text: in.Why}},
	}
	d.version.Notice, d.version.N = n.ID, 1
	if _, err := s.o.Proposer.Change(ctx, by.Name, &command.PutNotice{Notice: n, Version: &d.version}); err != nil {
		return notices.Notice{}, unagreed(err)
	}
	return s.ShowNotice(ctx, by, n.ID)
}

// mostOpen is how many notices of one author may be open: of all there may be notice.MaxOpen, and nobody takes
// the room of others.
const mostOpen = 25

// few refuses a further notice of somebody who has so many.
func (s *Notices) few(by authority.Caller) error {
	open, err := s.unfinished()
	if err != nil {
		return err
	}
	own := 0
	for _, n := range open {
		if n.Author == by.Name {
			own++
		}
	}
	if own >= mostOpen {
		return wire.Problemf(wire.KindOverBudget, "nothing was written: %d notices of %s are open, and no more may be; withdraw those that are not wanted any more", own, by.Name).Because(why.NoticesOpen, mostOpen)
	}
	return nil
}

// ReviseNotice implements service.Notices: its author writes a new version, which begins again at the
// first level, because what was passed on was another text.
func (s *Notices) ReviseNotice(ctx context.Context, by authority.Caller, id string, in notices.DraftNotice) (notices.Notice, error) {
	if err := authority.Door(by, authority.WriteNotice); err != nil {
		return notices.Notice{}, err
	}
	n, said, err := s.find(id)
	if err != nil {
		return notices.Notice{}, err
	}
	in.Scenario = n.Scenario
	if err := revisable(n, by, in); err != nil {
		return notices.Notice{}, err
	}
	d, err := s.drafted(ctx, by, in)
	if err != nil {
		return notices.Notice{}, err
	}
	if last := said[len(said)-1]; n.State != notice.Failed && bytes.Equal(d.version.Alert, last.Alert) && d.version.Select == last.Select && d.version.Reason == last.Reason && d.at == n.At {
		return notices.Notice{}, wire.Problemf(wire.KindRefused, "nothing was written: this says the same as version %d", n.Versions).Because(why.NoticeSame, n.Versions)
	}
	return s.change(ctx, by, id, func(n *notice.Notice, _ []notice.Version) (*notice.Version, error) {
		if err := revisable(*n, by, in); err != nil {
			return nil, err
		}
		now := s.o.Clock().UnixMilli()
		n.Versions++
		n.Title, n.State, n.Level, n.Since, n.At, n.Digest = d.title, notice.Waiting, 0, now, d.at, nil
		n.Levels, n.Words = d.chain.Levels, d.chain.Words
		n.Acts = append(n.Acts, notice.Act{Do: notice.Wrote, By: by.Name, At: now, Version: n.Versions, Text: in.Why})
		v := d.version
		v.Notice, v.N = n.ID, n.Versions
		return &v, nil
	})
}

// revisable refuses a new version that may not be written.
func revisable(n notice.Notice, by authority.Caller, in notices.DraftNotice) error {
	switch {
	case n.Author != by.Name:
		return wire.Problemf(wire.KindForbidden, "nothing was written: %s wrote this notice, and nobody else writes a version of it; comment on it, or send it back", n.Author).Because(why.NoticeOthers, n.Author)
	case n.State == notice.Locked:
		return wire.Problemf(wire.KindRefused, "nothing was written: the notice is locked, because every level has passed what it says; withdraw it and write another one").Because(why.NoticeOver, inWords(n.State))
	case n.State == notice.Failed && n.Alert != "":
		return wire.Problemf(wire.KindRefused, "nothing was written: a node that is lost may have sent the notice, as the alert %s, and a new version would be a second one; withdraw it and write another one once you know", n.Alert).Because(why.NoticeMayBeOut, n.Alert)
	case n.State.Over():
		return wire.Problemf(wire.KindRefused, "nothing was written: the notice is over; it was %s", stateOf(n.State)).Because(why.NoticeOver, inWords(n.State))
	case in.Version != int(n.Versions):
		return wire.Problemf(wire.KindConflict, "nothing was written: version %d of the notice is the newest, and you have read version %d; read it again", n.Versions, in.Version).Because(why.NoticeChanged)
	case n.Versions >= notice.MaxVersions:
		return wire.Problemf(wire.KindRefused, "nothing was written: a notice has %d versions at most; withdraw it and write another one", notice.MaxVersions).Because(why.NoticeVersions, notice.MaxVersions)
	case scenario.BadText(in.Why, mostText) != nil:
		return wire.Problemf(wire.KindMalformed, "nothing was written: say what you changed and why; the text %s", scenario.BadText(in.Why, mostText)).Because(why.NoticeText, mostText)
	}
	return nil
}

// drafted is what somebody wrote, tried and ready for the record.
type drafted struct {
	version notice.Version
	chain   *rights.Chain
	title   string
	at      int64 // ms since 1970; 0: after the last level
}

// drafted tries what somebody wrote: what could not be sent now as a notice of theirs is refused.
func (s *Notices) drafted(ctx context.Context, by authority.Caller, in notices.DraftNotice) (d drafted, err error) {
	now := s.o.Clock()
	if !in.At.IsZero() {
		if in.At.Before(now) || in.At.Sub(now) > alert.MaxPlanned {
			return d, wire.Problemf(wire.KindMalformed, "nothing was written: a notice goes out within %d days from now, and not in the past", int(alert.MaxPlanned.Hours()/24)).Because(why.NoticeTime, int(alert.MaxPlanned.Hours()/24))
		}
		d.at = in.At.UnixMilli()
	}
	if bad := scenario.BadText(in.Why, mostText); in.Why != "" && bad != nil {
		return d, wire.Problemf(wire.KindMalformed, "nothing was written: why it was changed %s", bad).Because(why.NoticeText, mostText)
	}
	if bad := scenario.BadText(in.Reason, mostText); in.Reason != "" && bad != nil {
		return d, wire.Problemf(wire.KindMalformed, "nothing was written: the reason %s", bad).Because(why.NoticeText, mostText)
	}
	rules, err := s.o.State.Authority()
	if err != nil {
		return d, err
	}
	from, err := d.content(in, rules.Scenarios)
	if err != nil {
		return d, err
	}
	if d.chain = authority.ChainOf(from, rules.Policy); d.chain == nil {
		return d, wire.Problemf(wire.KindRefused, "nothing was written: neither the scenario nor the policy names levels that a planned notice goes through, so nobody needs to pass it on; send it as an alert").Because(why.NoLevels)
	}
	form, err := dressed(d.version, "", alert.Later(now, in.At))
	if err != nil {
		return d, err
	}
	a, found, err := capjson.FromJSON(form, s.o.District(), shortid.New(), now)
	if err != nil {
		refused := wire.Problemf(wire.KindRefused, "nothing was written: %v", err).Because(why.NoticeUnfit)
		refused.Why.Points = judge.Sentences(found)
		return d, refused
	}
	if err := s.plannable(a, in.At); err != nil {
		return d, err
	}
	d.version.Alert = s.o.nameSender(d.version.Alert, a, by)
	if len(d.version.Alert) > notice.MaxContent {
		return d, wire.Problemf(wire.KindTooLarge, "nothing was written: a planned notice has %d KiB at most, with its pictures", notice.MaxContent>>10).Because(why.NoticeLarge, notice.MaxContent>>10)
	}
	d.title = titleOf(a)
	if form, err = dressed(d.version, "", now); err != nil {
		return d, err
	}
	if _, err := s.o.Sender.SendNotice(ctx, by, passed(d.version, form, from.ID), true); err != nil {
		return d, tried(err)
	}
	return d, s.enough(d.chain, by)
}

// content fills in what the version says, and gives the scenario that it is made from.
func (d *drafted) content(in notices.DraftNotice, all []rights.Scenario) (from rights.Scenario, err error) {
	d.version = notice.Version{Select: in.Select, Reason: in.Reason}
	if in.Scenario == "" {
		if len(in.Alert) == 0 || len(in.Blanks) > 0 {
			return from, wire.Problemf(wire.KindMalformed, "nothing was written: a notice is a scenario with its blanks, or an alert").Because(why.NoticeIncomplete)
		}
		var said struct{ Sent, Identifier json.RawMessage }
		if json.Unmarshal(in.Alert, &said) == nil && len(said.Sent)+len(said.Identifier) > 0 {
			return from, wire.Problemf(wire.KindMalformed, "nothing was written: a notice gets sent and identifier when it goes out; leave them out").Because(why.NoticeIncomplete)
		}
		var raw bytes.Buffer
		if err := json.Compact(&raw, in.Alert); err != nil {
			return from, wire.Problemf(wire.KindMalformed, "nothing was written: the alert is no JSON: %v", err).Because(why.NoticeUnfit, err)
		}
		d.version.Alert = raw.Bytes()
		return from, nil
	}
	if len(in.Alert) > 0 {
		return from, wire.Problemf(wire.KindMalformed, "nothing was written: a notice is a scenario with its blanks, or an alert, and not both").Because(why.NoticeIncomplete)
	}
	for _, one := range all {
		if one.ID == in.Scenario {
			from = one
		}
	}
	if from.ID == "" {
		return from, wire.Problemf(wire.KindNotFound, "nothing was written: no scenario %.40q is known here", in.Scenario).Because(why.NoScenario, in.Scenario)
	}
	if from.Choose && in.Select == "" {
		return from, wire.Problemf(wire.KindRefused, "nothing was written: the scenario %s leaves it to whoever writes it whom to tell; give a selection", from.ID).Because(why.NoticeIncomplete)
	}
	d.version.Alert, err = scenario.Undated(from, in.Blanks)
	d.version.Lifetime, d.version.Within, d.version.Approvals = from.Lifetime, from.Select, from.Approvals
	d.version.Blanks = in.Blanks
	d.version.Remind, d.version.Answers, d.version.Minutes, d.version.Groups = from.Remind, from.Answers, from.Minutes, from.Groups
	return from, tried(err)
}

// plannable refuses what is no planned notice, and what would be over before it goes out.
func (s *Notices) plannable(a *alert.Alert, at time.Time) error {
	switch {
	case a.MsgType != alert.MsgTypeAlert || len(a.References) > 0:
		return wire.Problemf(wire.KindRefused, "nothing was written: a planned notice is an Alert without references; what changes or ends one is sent at once").Because(why.NotPlanned)
	case a.Scope != alert.ScopePublic || len(a.Addresses) > 0:
		return wire.Problemf(wire.KindRefused, "nothing was written: a planned notice is for everybody whom it addresses to read: its scope is Public, without addresses").Because(why.NotPlanned)
	case !alert.Planned(a.Status, a.Infos):
		return wire.Problemf(wire.KindRefused, "nothing was written: a planned notice has the status Actual, and the urgency Future or Past in each of its texts; what is more urgent is sent as an alert, and waits for nobody's level").Because(why.NotPlanned)
	}
	for _, i := range a.Infos {
		if !at.IsZero() && !i.Expires.IsZero() && !i.Expires.Time().After(at) {
			return wire.Problemf(wire.KindRefused, "nothing was written: the notice would be over, at %s, before it goes out", i.Expires).Because(why.NoticeEnds)
		}
	}
	return nil
}

// enough refuses a notice that would wait for ever, because there are too few persons for its levels.
func (s *Notices) enough(c *rights.Chain, author authority.Caller) error {
	people, err := s.people()
	if err != nil {
		return err
	}
	var others []authority.Caller
	for _, p := range people {
		if p.Name != author.Name {
			others = append(others, p)
		}
	}
	if short := levels.Short(c.Levels, others); short >= 0 {
		return wire.Problemf(wire.KindRefused, "nothing was written: there are too few persons besides %s for level %d (%s), where each passes one level only; have somebody added, or the levels changed",
			author.Name, short+1, whom(c.Levels[short])).Because(why.TooFewPeople, short+1)
	}
	return nil
}

// whom says in words whom a level asks for.
func whom(l rights.Level) string {
	var of []string
	if l.Role != "" {
		of = append(of, "the role "+l.Role)
	}
	if len(l.People) > 0 {
		of = append(of, strings.Join(l.People, ", "))
	}
	return strings.Join(of, ": ")
}

// tried says of what the way of an alert refuses that nothing was written.
func tried(err error) error {
	p, ok := err.(*wire.Problem)
	if !ok {
		return err
	}
	said := *p
	said.Sentence = "nothing was written, because it could not go out: " + strings.TrimPrefix(p.Sentence, "nothing was sent: ")
	return &said
}

// passed is a version as the way of an alert takes it.
func passed(v notice.Version, form json.RawMessage, from string) intake.Passed {
	return intake.Passed{Alert: form, Scenario: rights.Scenario{
		ID: from, Select: v.Within, Approvals: v.Approvals,
		Details: rights.Details{Remind: v.Remind, Answers: v.Answers, Minutes: v.Minutes, Groups: v.Groups},
	}, Select: v.Select, Reason: v.Reason}
}

// dressed is what a version says with all that an alert needs: when it was sent, when it ends, and by
// which identifier it is known; "" leaves that out. The same each time, so that what is sent twice is one.
func dressed(v notice.Version, identifier string, sent time.Time) (json.RawMessage, error) {
	raw := json.RawMessage(v.Alert)
	if v.Lifetime > 0 {
		var err error
		if raw, err = scenario.Until(raw, sent.Add(time.Duration(v.Lifetime)*time.Millisecond)); err != nil {
			return nil, err
		}
	}
	if identifier == "" {
		return raw, nil
	}
	var form map[string]json.RawMessage
	if err := json.Unmarshal(raw, &form); err != nil {
		return nil, err
	}
	form["identifier"], _ = json.Marshal(identifier) // texts always encode
	form["sent"], _ = json.Marshal(alert.NewDateTime(sent.UTC()).String())
	return json.Marshal(form)
}

// titleOf is the headline of a message, or its event.
func titleOf(a *alert.Alert) string {
	title := a.Infos[0].Headline
	if title == "" {
		title = a.Infos[0].Event
	}
	if r := []rune(title); len(r) > mostTitle {
		title = string(r[:mostTitle-1]) + "…"
	}
	return title
}
