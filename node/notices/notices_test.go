package notices_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/intake"
	"almenara/node/notices"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	body "almenara/node/wire/notices"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/notice"
	"almenara/storage/rights"
	"almenara/storage/storagetest"
)

const here, there = "d/here", "d/there"

// office is the rig: the real records, and a way of alerts that notes what it is given.
type office struct {
	*notices.Notices
	t        *testing.T
	log      *recordstest.Log
	now      time.Time
	sent     []intake.Passed // not dry runs
	authors  []string
	approved []string
	refuse   error // what sending is answered
	state    wire.State
	told     int
	known    map[string]bool // alerts
	before   func()          // called before the next change is proposed, once
	sending  func()          // called while something is sent
	late     func() error    // what sending is answered after all
}

// Change has a change agreed on, as records.Proposer does.
func (o *office) Change(ctx context.Context, actor string, p command.Payload) (command.Result, error) {
	if do := o.before; do != nil {
		o.before = nil
		do()
	}
	r, err := o.log.Propose(ctx, actor, p)
	for sentinel, kind := range map[error]wire.Kind{command.ErrConflict: wire.KindConflict, command.ErrInvalid: wire.KindRefused, command.ErrTooLarge: wire.KindRefused} {
		if errors.Is(err, sentinel) {
			err = wire.Problemf(kind, "%v", err)
		}
	}
	o.Changed(apply.ChangedNotices)
	return r, err
}

func (o *office) AwaitAgreed(context.Context) error { return nil }

// SendNotice notes what is sent.
func (o *office) SendNotice(_ context.Context, by authority.Caller, p intake.Passed, dryRun bool) (wire.Outcome, error) {
	if o.refuse != nil {
		return wire.Outcome{}, o.refuse
	}
	if !dryRun {
		o.sent, o.authors = append(o.sent, p), append(o.authors, by.Name)
		if o.sending != nil {
			o.sending()
		}
		if o.late != nil {
			if err := o.late(); err != nil {
				return wire.Outcome{}, err
			}
		}
	}
	return wire.Outcome{Alert: "alert-of-the-notice", State: o.state}, nil
}

// ApproveAlert notes who approves.
func (o *office) ApproveAlert(_ context.Context, by authority.Caller, id string, in wire.Approve, _ wire.Wait) (wire.Outcome, error) {
	o.approved = append(o.approved, by.Name+" "+id+" "+in.Reason)
	return wire.Outcome{}, nil
}

// caller is a user of the office.
func caller(name string, roles ...string) authority.Caller {
	return authority.Caller{Name: name, Roles: roles}
}

var (
	amy    = caller("amy", authority.RoleComposer) // writes
	ben    = caller("ben", authority.RoleComposer)
	chief  = caller("chief", authority.RoleApprover)
	zoe    = caller("zoe", authority.RoleApprover)
	there1 = authority.Caller{Name: "there", Roles: []string{authority.RoleApprover}, Places: []string{there}}
)

// levels are those of the office: two composers' desks would be one too many, so the first level has a
// checklist, and the second is the chief's.
func levels() *rights.Chain {
	return &rights.Chain{
		Levels: []rights.Level{
			{Title: "Estate office", Role: authority.RoleComposer, Count: 1, Hours: 4, Checklist: []string{"The dates agree", "The address is right"}},
			{Title: "District office", Role: authority.RoleApprover, Count: 1},
		},
		Words: []rights.Word{{Word: "contaminated", Why: "only the water department says so", Tick: true}, {Word: "cheap", Why: "it sounds like an offer"}},
	}
}

func newOffice(t *testing.T, chain *rights.Chain) *office {
	o := &office{t: t, known: map[string]bool{}, now: time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC), state: wire.StateInForce}
	clock := func() time.Time { return o.now }
	o.log = recordstest.New(t, clock)
	put := func(p command.Payload) {
		_, err := o.log.Propose(t.Context(), "root", p)
		require.NoError(t, err)
	}
	for i, who := range []authority.Caller{amy, ben, chief, zoe, there1, caller("eve", authority.RoleViewer), caller("root", authority.RoleAdministrator)} {
		put(&command.PutUser{User: storage.User{Name: who.Name, Roles: who.Roles, Places: who.Places, TokenHash: bytes.Repeat([]byte{byte(i + 1)}, 32)}})
	}
	put(&command.PutUser{User: storage.User{Name: "hko", Roles: []string{authority.RoleApprover}, Kind: storage.UserSystem, TokenHash: bytes.Repeat([]byte{99}, 32)}})
	var members [][]byte
	for _, m := range []audience.Member{{ID: "m1", Kind: "screen", Place: here}, {ID: "m2", Kind: "screen", Place: there}} {
		members = append(members, audience.EncodeMember(&m))
	}
	put(&command.PutMembers{Members: members})
	put(&command.PutPolicy{Policy: rights.Policy{Chain: chain}})
	put(&command.PutScenario{Scenario: rights.Scenario{ID: "outage", Title: "Outage", Alert: []byte(form("Future", "No water in {{where}}")), Select: "place under " + here, Lifetime: time.Hour.Milliseconds(), Approvals: 1}})
	put(&command.PutScenario{Scenario: rights.Scenario{ID: "fire", Title: "Fire", Alert: []byte(form("Immediate", "Fire")), Select: "all", Lifetime: time.Hour.Milliseconds()}})
	o.Notices = notices.New(notices.Options{
		State: o.log.State, Proposer: o, Sender: o, Approvals: o, District: func() string { return "almenara.d" }, Place: func() string { return "d" }, Clock: clock, Known: func(id string) (bool, error) { return o.known[id], nil }, Tell: func() { o.told++ }, Logger: slog.New(slog.DiscardHandler),
		Rules: authority.New(authority.Sources{
			Agreed: o.log.State.Authority, Audience: o.log.State.Index, Clock: clock, Sender: func() string { return "almenara.d" }, Alone: func() authority.Loneliness { return authority.Loneliness{} },
			Users: func() (all []storage.User, err error) {
				err = o.log.Store.View(func(txn *storage.Txn) error { all, err = storage.Users.All(txn); return err })
				return all, err
			},
		}),
	})
	return o
}

func form(urgency, headline string) string {
	return `{"info":[{"language":"en","category":["Infra"],"event":"Water outage","urgency":"` + urgency + `","severity":"Minor","certainty":"Likely","headline":"` + headline +
		`","area":[{"areaDesc":"here"}]}]}`
}

func free(headline string) body.DraftNotice {
	return body.DraftNotice{Alert: json.RawMessage(form("Future", headline)), Select: "place under " + here}
}

func (o *office) draft(in body.DraftNotice) body.Notice {
	o.t.Helper()
	n, err := o.DraftNotice(o.t.Context(), amy, in)
	require.NoError(o.t, err)
	return n
}

func (o *office) act(by authority.Caller, n body.Notice, in body.ActOnNotice) (body.Notice, error) {
	in.Version, in.Level = n.Version, n.Level
	return o.ActOnNotice(o.t.Context(), by, n.ID, in)
}

// must does something that must go well, to the notice as it is now.
func (o *office) must(by authority.Caller, id string, in body.ActOnNotice) body.Notice {
	o.t.Helper()
	n, err := o.ShowNotice(o.t.Context(), by, id)
	require.NoError(o.t, err)
	n, err = o.act(by, n, in)
	require.NoError(o.t, err)
	return n
}

var (
	allTicked = body.ActOnNotice{Do: body.DoPass, Ticked: []string{"The dates agree", "The address is right"}, Words: []string{"contaminated"}}
	passOn    = body.ActOnNotice{Do: body.DoPass}
)

func (o *office) locked(in body.DraftNotice) body.Notice {
	o.t.Helper()
	n := o.draft(in)
	o.must(ben, n.ID, allTicked)
	n = o.must(chief, n.ID, passOn)
	require.Equal(o.t, body.Locked, n.Standing)
	return n
}

func problem(t *testing.T, err error, kind wire.Kind, says string) {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, kind, p.Kind, p.Sentence)
	require.Contains(t, p.Sentence, says)
}

// A notice is written, commented, sent back, written anew, passed on by two levels, locked, and goes out
// in its author's name with the word of those who passed it on.
func TestNotice_GoesThroughItsLevels(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(body.DraftNotice{Scenario: "outage", Blanks: map[string]string{"where": "On Lai"}, At: o.now.Add(48 * time.Hour)})
	require.Equal(t, []any{body.Waiting, 1, 1, "No water in On Lai", []string{"ben", "root"}, "ben", 1}, []any{n.Standing, n.Version, n.Level, n.Title, n.MayPass, n.Next, n.Missing})
	require.Empty(t, o.sent, "it was only tried")

	o.must(chief, n.ID, body.ActOnNotice{Do: body.DoComment, Language: "en", Text: "Which day?"})
	n = o.must(ben, n.ID, body.ActOnNotice{Do: body.DoBack, Text: "Say which day."})
	require.Equal(t, []any{body.SentBack, "Say which day."}, []any{n.Standing, n.Why})

	o.now = o.now.Add(time.Hour)
	n, err := o.ReviseNotice(t.Context(), amy, n.ID, body.DraftNotice{Blanks: map[string]string{"where": "On Lai on Tuesday"}, At: o.now.Add(47 * time.Hour), Why: "The day", Version: 1})
	require.NoError(t, err)
	require.Equal(t, []any{body.Waiting, 2, 1}, []any{n.Standing, n.Version, n.Level})
	require.Equal(t, []body.NoticeChange{{Language: "en", Field: "headline", Was: "No water in On Lai", Is: "No water in On Lai on Tuesday"}}, n.Versions[1].Changed)
	require.Equal(t, []string{"The day", "amy"}, []string{n.Versions[1].Why, n.Versions[1].By})

	n = o.must(ben, n.ID, allTicked)
	require.Equal(t, []any{body.Waiting, 2, []string{"ben"}}, []any{n.Standing, n.Level, n.Levels[0].Passed})
	n = o.must(zoe, n.ID, passOn)
	require.Equal(t, []any{body.Locked, 0}, []any{n.Standing, n.Level})
	require.Len(t, n.Digest, 64)
	var done []string
	for _, a := range n.Acts {
		done = append(done, a.By+" "+a.Do+" "+strings.Join(a.Ticked, ", "))
	}
	require.Equal(t, []string{"amy wrote ", "chief comment ", "ben back ", "amy wrote ", "ben pass The dates agree, The address is right", "zoe pass "}, done)

	require.NoError(t, o.Release(t.Context()))
	require.Empty(t, o.sent, "its time has not come")
	o.now, o.state = o.now.Add(47*time.Hour), wire.StatePending
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, []string{"amy"}, o.authors)
	require.Equal(t, rights.Scenario{ID: "outage", Select: "place under " + here, Approvals: 1}, o.sent[0].Scenario)
	var said struct {
		Sent, Identifier string
		Info             []struct{ Expires string }
	}
	require.NoError(t, json.Unmarshal(o.sent[0].Alert, &said))
	require.Equal(t, []string{"notice-" + n.ID + "-2", "2026-07-22T12:00:00-00:00", "2026-07-22T13:00:00-00:00"}, []string{said.Identifier, said.Sent, said.Info[0].Expires}, "it holds from when it goes out")
	require.Equal(t, []string{"ben alert-of-the-notice passed version 2 of the notice " + n.ID + " on at level 1", "zoe alert-of-the-notice passed version 2 of the notice " + n.ID + " on at level 2"}, o.approved)
	n, err = o.ShowNotice(t.Context(), chief, n.ID)
	require.NoError(t, err)
	require.Equal(t, []any{body.Sent, "alert-of-the-notice"}, []any{n.Standing, n.Alert})
	require.NoError(t, o.Release(t.Context()))
	require.Len(t, o.sent, 1, "once")

	open, err := o.ListNotices(t.Context(), false)
	require.NoError(t, err)
	require.Empty(t, open)
	all, err := o.ListNotices(t.Context(), true)
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// Whoever may not, and whatever was not read or ticked, passes nothing on and changes nothing.
func TestActOnNotice_RefusesWhatMayNotBe(t *testing.T) {
	again := func(o *office, n *body.Notice) { *n = o.must(ben, n.ID, allTicked) }
	lock := func(o *office, n *body.Notice) { again(o, n); *n = o.must(chief, n.ID, passOn) }
	for name, c := range map[string]struct {
		by     authority.Caller
		before func(*office, *body.Notice)
		in     body.ActOnNotice
		change func(*body.Notice) // what the caller has read
		kind   wire.Kind
		says   string
	}{
		"its author":            {by: amy, in: allTicked, kind: wire.KindForbidden, says: "amy wrote this notice; somebody else"},
		"its author sends back": {by: amy, in: body.ActOnNotice{Do: body.DoBack, Text: "no"}, kind: wire.KindForbidden, says: "somebody else"},
		"a viewer":              {by: caller("eve", authority.RoleViewer), in: allTicked, kind: wire.KindForbidden, says: "needs the role"},
		"a system":              {by: authority.Caller{Name: "hko", Roles: []string{authority.RoleApprover}, System: true}, in: allTicked, kind: wire.KindForbidden, says: "only a person"},
		"of the next level":     {by: chief, in: allTicked, kind: wire.KindForbidden, says: "level 1 asks for the role composer, and chief is not meant"},
		"of the level before":   {by: ben, before: again, in: passOn, kind: wire.KindForbidden, says: "ben has passed this version on at level 1"},
		"twice, as root": {by: caller("root", authority.RoleAdministrator), before: func(o *office, n *body.Notice) {
			*n = o.must(caller("root", authority.RoleAdministrator), n.ID, allTicked)
		}, in: passOn, kind: wire.KindForbidden, says: "root has passed this version on at level 1"},
		"of another place":      {by: there1, before: again, in: passOn, kind: wire.KindForbidden, says: "1 members outside d/there"},
		"another version":       {by: ben, in: allTicked, change: func(n *body.Notice) { n.Version = 2 }, kind: wire.KindConflict, says: "read it again"},
		"no version":            {by: ben, in: allTicked, change: func(n *body.Notice) { n.Version = 0 }, kind: wire.KindConflict, says: "read it again"},
		"another level":         {by: ben, in: allTicked, change: func(n *body.Notice) { n.Level = 2 }, kind: wire.KindConflict, says: "read it again"},
		"a line unticked":       {by: ben, in: body.ActOnNotice{Do: body.DoPass, Ticked: []string{"The dates agree", "the address is right"}, Words: []string{"contaminated"}}, kind: wire.KindRefused, says: `the line "The address is right"`},
		"a word unticked":       {by: ben, in: body.ActOnNotice{Do: body.DoPass, Ticked: allTicked.Ticked}, kind: wire.KindRefused, says: `a text holds "contaminated"`},
		"back without a word":   {by: ben, in: body.ActOnNotice{Do: body.DoBack, Text: " "}, kind: wire.KindMalformed, says: "is empty"},
		"an endless comment":    {by: ben, in: body.ActOnNotice{Do: body.DoComment, Text: strings.Repeat("字", 501)}, kind: wire.KindMalformed, says: "more than 500 characters"},
		"a comment of nothing":  {by: ben, in: body.ActOnNotice{Do: body.DoComment}, kind: wire.KindMalformed, says: "is empty"},
		"a language it has not": {by: ben, in: body.ActOnNotice{Do: body.DoComment, Text: "?", Language: "fr"}, kind: wire.KindMalformed, says: `no text in "fr"`},
		"something else":        {by: ben, in: body.ActOnNotice{Do: "send"}, kind: wire.KindMalformed, says: "comment, pass, back or withdraw"},
		"back what is locked":   {by: zoe, before: lock, in: body.ActOnNotice{Do: body.DoBack, Text: "no"}, kind: wire.KindConflict, says: "it is locked"},
		"withdraw elsewhere":    {by: there1, in: body.ActOnNotice{Do: body.DoWithdraw}, kind: wire.KindForbidden, says: "outside d/there"},
		"what is over":          {by: ben, before: func(o *office, n *body.Notice) { o.must(amy, n.ID, body.ActOnNotice{Do: body.DoWithdraw}) }, in: body.ActOnNotice{Do: body.DoComment, Text: "?"}, kind: wire.KindRefused, says: "it was withdrawn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, levels())
			n := o.draft(free("The water is CONTAMINATED and cheap"))
			if c.before != nil {
				c.before(o, &n)
			}
			was := o.log.Index()
			if c.change != nil {
				c.change(&n)
			}
			_, err := o.act(c.by, n, c.in)
			problem(t, err, c.kind, c.says)
			require.Equal(t, was, o.log.Index(), "nothing was proposed")
		})
	}
	o := newOffice(t, levels())
	_, err := o.ActOnNotice(t.Context(), ben, "unheard", allTicked)
	problem(t, err, wire.KindNotFound, `no notice "unheard" is known`)
}

// Words are found in every language and spelling; who has ticked one is told, and nobody is asked twice.
func TestSensitiveWords_AreShownAndTicked(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("The water is ＣＯＮＴＡＭＩＮＡＴＥＤ and cheap"))
	require.Equal(t, []body.NoticeFound{
		{Word: "contaminated", Language: "en", Why: "only the water department says so", Tick: true}, {Word: "cheap", Language: "en", Why: "it sounds like an offer"},
	}, n.Found)
	n = o.must(ben, n.ID, allTicked)
	require.Equal(t, "ben", n.Found[0].Ticked)
	require.Equal(t, body.Locked, o.must(chief, n.ID, passOn).Standing, "ben's word is enough")
	require.Empty(t, o.draft(free("Nothing of it")).Found)
}

// What could not go out, and what is no planned notice, is refused when it is written.
func TestDraftNotice_RefusesWhatCouldNotGoOut(t *testing.T) {
	for name, c := range map[string]struct {
		by     authority.Caller
		change func(*office, *body.DraftNotice)
		kind   wire.Kind
		says   string
	}{
		"by an approver":     {by: chief, kind: wire.KindForbidden, says: "needs the role composer"},
		"by a system":        {by: authority.Caller{Name: "hko", Roles: []string{authority.RoleComposer}, System: true}, kind: wire.KindForbidden, says: "only a person"},
		"in the past":        {change: func(o *office, in *body.DraftNotice) { in.At = o.now.Add(-time.Second) }, kind: wire.KindMalformed, says: "not in the past"},
		"next year":          {change: func(o *office, in *body.DraftNotice) { in.At = o.now.Add(alert.MaxPlanned + time.Second) }, kind: wire.KindMalformed, says: "within 31 days"},
		"urgent":             {change: func(_ *office, in *body.DraftNotice) { in.Alert = json.RawMessage(form("Expected", "x")) }, kind: wire.KindRefused, says: "waits for nobody's level"},
		"an urgent scenario": {change: func(_ *office, in *body.DraftNotice) { *in = body.DraftNotice{Scenario: "fire"} }, kind: wire.KindRefused, says: "waits for nobody's level"},
		"of unknown urgency": {change: func(_ *office, in *body.DraftNotice) { in.Alert = json.RawMessage(form("Unknown", "x")) }, kind: wire.KindRefused, says: "waits for nobody's level"},
		"a drill":            {change: func(_ *office, in *body.DraftNotice) { in.Alert = with(in.Alert, `"status":"Exercise"`) }, kind: wire.KindRefused, says: "the status Actual"},
		"an end": {change: func(_ *office, in *body.DraftNotice) {
			in.Alert = with(in.Alert, `"msgType":"Update","references":["a,b,2026-07-20T12:00:00-00:00"]`)
		}, kind: wire.KindRefused, says: ""},
		"to addresses": {change: func(_ *office, in *body.DraftNotice) {
			in.Alert = with(in.Alert, `"scope":"Private","addresses":"m1"`)
		}, kind: wire.KindRefused, says: "its scope is Public"},
		"with its own time": {change: func(_ *office, in *body.DraftNotice) { in.Alert = with(in.Alert, `"sent":"2026-07-20T12:00:00-00:00"`) }, kind: wire.KindMalformed, says: "leave them out"},
		"with its own name": {change: func(_ *office, in *body.DraftNotice) { in.Alert = with(in.Alert, `"identifier":"x"`) }, kind: wire.KindMalformed, says: "leave them out"},
		"over before": {change: func(o *office, in *body.DraftNotice) {
			in.At = o.now.Add(3 * time.Hour)
			in.Alert = json.RawMessage(strings.Replace(string(in.Alert), `"language"`, `"expires":"2026-07-20T15:00:00-00:00","language"`, 1))
		}, kind: wire.KindRefused, says: "would be over"},
		"no JSON":      {change: func(_ *office, in *body.DraftNotice) { in.Alert = json.RawMessage(`{`) }, kind: wire.KindMalformed, says: "no JSON"},
		"nothing":      {change: func(_ *office, in *body.DraftNotice) { in.Alert = nil }, kind: wire.KindMalformed, says: "a scenario with its blanks, or an alert"},
		"both":         {change: func(_ *office, in *body.DraftNotice) { in.Scenario = "outage" }, kind: wire.KindMalformed, says: "not both"},
		"no scenario":  {change: func(_ *office, in *body.DraftNotice) { *in = body.DraftNotice{Scenario: "unheard"} }, kind: wire.KindNotFound, says: `no scenario "unheard"`},
		"a blank left": {change: func(_ *office, in *body.DraftNotice) { *in = body.DraftNotice{Scenario: "outage"} }, kind: wire.KindRefused, says: `needs the blank "where"`},
		"too large": {change: func(_ *office, in *body.DraftNotice) {
			in.Alert = with(in.Alert, `"note":"`+strings.Repeat("x", 65<<10)+`"`)
		}, kind: wire.KindTooLarge, says: "64 KiB at most"},
		"a hidden reason": {change: func(_ *office, in *body.DraftNotice) { in.Reason = "a\x00" }, kind: wire.KindMalformed, says: "cannot be shown"},
		"what nobody is let": {change: func(o *office, _ *body.DraftNotice) {
			o.refuse = wire.Problemf(wire.KindForbidden, "nothing was sent: not you")
		}, kind: wire.KindForbidden, says: "could not go out: not you"},
		"no levels": {change: func(o *office, _ *body.DraftNotice) { o.chain(nil) }, kind: wire.KindRefused, says: "send it as an alert"},
		"levels of too few": {change: func(o *office, _ *body.DraftNotice) {
			o.chain(&rights.Chain{Levels: []rights.Level{{Role: authority.RoleComposer, Count: 3}}})
		}, kind: wire.KindRefused, says: "too few persons besides amy for level 1"},
		"a level of the author": {change: func(o *office, _ *body.DraftNotice) {
			o.chain(&rights.Chain{Levels: []rights.Level{{People: []string{"amy"}, Count: 1}}})
		}, kind: wire.KindRefused, says: "too few persons besides amy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, in, by := newOffice(t, levels()), free("No water"), amy
			if c.by.Name != "" {
				by = c.by
			}
			if c.change != nil {
				c.change(o, &in)
			}
			_, err := o.DraftNotice(t.Context(), by, in)
			problem(t, err, c.kind, c.says)
			all, err := o.ListNotices(t.Context(), true)
			require.NoError(t, err)
			require.Empty(t, all)
		})
	}
}

// with is the form of an alert with more members.
func with(form json.RawMessage, more string) json.RawMessage {
	return json.RawMessage(strings.Replace(string(form), `{"info"`, `{`+more+`,"info"`, 1))
}

// chain changes the policy.
func (o *office) chain(c *rights.Chain) {
	_, err := o.log.Propose(o.t.Context(), "root", &command.PutPolicy{Policy: rights.Policy{Chain: c}})
	require.NoError(o.t, err)
}

// A new version is its author's, says something else, and begins anew at the levels of now.
func TestReviseNotice_BeginsAnew(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("No water"))
	o.must(ben, n.ID, allTicked)
	next := func(headline string, version int) body.DraftNotice {
		in := free(headline)
		in.Why, in.Version = "better", version
		return in
	}
	_, err := o.ReviseNotice(t.Context(), ben, n.ID, next("Water", 1))
	problem(t, err, wire.KindForbidden, "amy wrote this notice")
	_, err = o.ReviseNotice(t.Context(), amy, n.ID, next("Water", 2))
	problem(t, err, wire.KindConflict, "version 1 of the notice is the newest")
	_, err = o.ReviseNotice(t.Context(), amy, n.ID, next("No water", 1))
	problem(t, err, wire.KindRefused, "says the same as version 1")
	silent := next("Water", 1)
	silent.Why = ""
	_, err = o.ReviseNotice(t.Context(), amy, n.ID, silent)
	problem(t, err, wire.KindMalformed, "say what you changed")
	o.chain(&rights.Chain{Levels: []rights.Level{{Role: authority.RoleApprover, Count: 2}}})
	n, err = o.ReviseNotice(t.Context(), amy, n.ID, next("Water", 1))
	require.NoError(t, err)
	require.Equal(t, []any{1, 2, []string{"chief", "zoe", "root"}}, []any{len(n.Levels), n.Missing, n.MayPass}, "the levels of now; there, who is limited to another place, is not asked")
	require.Equal(t, body.Waiting, o.must(chief, n.ID, passOn).Standing)
	_, err = o.act(chief, o.show(n.ID), passOn)
	problem(t, err, wire.KindForbidden, "chief has passed this version on at level 1")
	n = o.must(zoe, n.ID, passOn)
	require.Equal(t, body.Locked, n.Standing)
	_, err = o.ReviseNotice(t.Context(), amy, n.ID, next("Fire", 2))
	problem(t, err, wire.KindRefused, "locked")
}

func (o *office) show(id string) body.Notice {
	o.t.Helper()
	n, err := o.ShowNotice(o.t.Context(), chief, id)
	require.NoError(o.t, err)
	return n
}

// Two who press at once are one after the other: the second one is held against what the first made of it.
func TestActOnNotice_TwoAtOnce(t *testing.T) {
	o := newOffice(t, &rights.Chain{Levels: []rights.Level{{Role: authority.RoleApprover, Count: 1}, {Role: authority.RoleApprover, Count: 1}}})
	n := o.draft(free("No water"))
	o.before = func() { o.must(zoe, n.ID, passOn) }
	_, err := o.act(chief, n, passOn)
	problem(t, err, wire.KindConflict, "waits at level 2, and you have read version 1 at level 1")
	require.Equal(t, []string{"zoe"}, o.show(n.ID).Levels[0].Passed)
	o.before = func() { o.must(ben, n.ID, body.ActOnNotice{Do: body.DoComment, Text: "well"}) }
	n = o.must(chief, n.ID, passOn)
	require.Equal(t, body.Locked, n.Standing, "a comment in between changes nothing of what was read")
	require.Len(t, n.Acts, 4)
}

// What is refused for the moment is sent again, as the same message; what is refused for good goes back to
// its author.
func TestRelease_SendsOneMessage(t *testing.T) {
	o := newOffice(t, levels())
	n := o.locked(free("No water"))
	o.refuse = wire.Problemf(wire.KindBusy, "busy")
	o.now = o.now.Add(time.Minute)
	require.Error(t, o.Release(t.Context()))
	require.Equal(t, body.Locked, o.show(n.ID).Standing)
	o.refuse, o.log.Refuse = nil, wire.Problemf(wire.KindNoQuorum, "cut off before it was sent")
	require.Error(t, o.Release(t.Context()))
	require.Empty(t, o.sent, "nobody agrees that it goes out now")
	o.log.Refuse = nil
	o.sending = func() { o.log.Refuse = wire.Problemf(wire.KindNoQuorum, "cut off after it was sent") }
	require.Error(t, o.Release(t.Context()))
	o.log.Refuse, o.sending = nil, nil
	o.now = o.now.Add(time.Minute)
	require.NoError(t, o.Release(t.Context()))
	require.Len(t, o.sent, 2)
	require.Equal(t, string(o.sent[0].Alert), string(o.sent[1].Alert), "one message, however often it is sent")
	require.Equal(t, body.Sent, o.show(n.ID).Standing)

	n = o.locked(free("No water again"))
	o.refuse = wire.Problemf(wire.KindRefused, "nobody is there")
	require.NoError(t, o.Release(t.Context()))
	n = o.show(n.ID)
	require.Equal(t, []any{body.Failed, "nobody is there"}, []any{n.Standing, n.Why})
	o.refuse = nil
	in := free("No water again")
	in.Why, in.Version = "the block is there now", 1
	n, err := o.ReviseNotice(t.Context(), amy, n.ID, in)
	require.NoError(t, err, "the same words may be right now")
	require.Equal(t, []any{body.Waiting, 2}, []any{n.Standing, n.Version})

	n = o.locked(free("Later"))
	_, err = o.log.Propose(t.Context(), "root", &command.RevokeUser{Name: "amy"})
	require.NoError(t, err)
	require.NoError(t, o.Release(t.Context()))
	require.Equal(t, "amy, in whose name it would go out, was revoked", o.show(n.ID).Why)
	require.Len(t, o.sent, 2)
}

// Who holds a notice up is named, the next one after the level's hours, and told at each turn.
func TestChase_NamesWhoHoldsItUp(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("No water"))
	began := o.now
	at := func(after time.Duration) body.Notice {
		o.now = began.Add(after)
		require.NoError(t, o.Chase(t.Context()))
		all, err := o.ListNotices(t.Context(), false)
		require.NoError(t, err)
		return all[0]
	}
	first := at(0)
	require.Equal(t, []any{"ben", began.Add(4 * time.Hour), false, 0}, []any{first.Next, first.Due, first.Overdue, o.told})
	require.Equal(t, 0, at(4*time.Hour-time.Second).Missed)
	second := at(4 * time.Hour)
	require.Equal(t, []any{"root", true, 1, 1, began.Add(8 * time.Hour)}, []any{second.Next, second.Overdue, second.Missed, o.told, second.NextUntil})
	at(5 * time.Hour)
	require.Equal(t, 1, o.told, "once a turn")
	require.Equal(t, "ben", at(8*time.Hour).Next, "it begins again")
	late := o.draft(free("Another"))
	all, err := o.ListNotices(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, []string{n.ID, late.ID}, []string{all[0].ID, all[1].ID}, "overdue first")
	o.must(ben, n.ID, allTicked)
	require.Equal(t, []any{false, "chief"}, []any{o.show(n.ID).Overdue, o.show(n.ID).Next}, "the next level has its own time")
}

// Without a majority nothing is passed on, and the sentence says what becomes of notices then.
func TestNotice_WithoutAMajority(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("No water"))
	o.log.Refuse = wire.Problemf(wire.KindNoQuorum, "no majority")
	_, err := o.act(ben, n, allTicked)
	problem(t, err, wire.KindNoQuorum, "they wait until there is one again")
	_, err = o.DraftNotice(t.Context(), amy, free("Another"))
	problem(t, err, wire.KindNoQuorum, "what is urgent is sent as an alert")
	require.Equal(t, body.Waiting, o.show(n.ID).Standing, "it can be read")
}

// Whom a notice selects is told to those who write and review notices.
func TestShowNotice_KeepsSelectionsFromOthers(t *testing.T) {
	o := newOffice(t, levels())
	n := o.draft(free("No water"))
	require.Equal(t, "place under "+here, o.show(n.ID).Versions[0].Select)
	n, err := o.ShowNotice(t.Context(), caller("eve", authority.RoleViewer), n.ID)
	require.NoError(t, err)
	require.Empty(t, n.Versions[0].Select)
	require.Equal(t, "No water", n.Versions[0].Texts[0].Headline)
}

// What is on record must be what was locked, to the byte and to the time.
func TestRelease_SendsOnlyWhatWasLocked(t *testing.T) {
	o := newOffice(t, levels())
	n := o.locked(free("No water"))
	storagetest.Update(t, o.log.Store, func(txn *storage.Txn) error {
		v, _, err := notice.Versions.Get(txn, notice.VersionKey(n.ID, 1))
		if err != nil {
			return err
		}
		v.Alert = []byte(form("Future", "Everybody out"))
		return notice.Versions.Put(txn, v)
	})
	require.NoError(t, o.Release(t.Context()))
	require.Empty(t, o.sent)
	require.Equal(t, []any{body.Failed, "what is on record is not what was locked"}, []any{o.show(n.ID).Standing, o.show(n.ID).Why})
}
