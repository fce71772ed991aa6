package intake

import (
	"cmp"
	"context"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/agreed"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/cluster/identity"
	"almenara/cluster/peers"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/alone"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/budget/counted"
	"almenara/node/district"
	"almenara/node/members"
	"almenara/node/notes"
	"almenara/node/outcome"
	"almenara/node/records"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/member"
	"almenara/storage/rights"
)

var (
	noon  = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	quiet = slog.New(slog.DiscardHandler)
)

// court is as much of a node as decides by what right a message goes out: what is
// agreed, the book, the clock, and whether it is alone. Two members are in each estate.
type court struct {
	*testing.T
	*Intake
	state   *agreed.Reader
	journal *journal
	link    *alone.State // of the node to the majority
}

const (
	here  = "d/here"
	there = "d/there"

	elsewhere = "e/where"
)

func newCourt(t *testing.T, policy rights.Policy, licences ...rights.Licence) court {
	t.Helper()
	return courtAt(t, func() time.Time { return noon }, policy, licences...)
}

// courtAt is one with a clock of its own.
func courtAt(t *testing.T, clock func() time.Time, policy rights.Policy, licences ...rights.Licence) court {
	t.Helper()
	store, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Update(func(txn *storage.Txn) error {
		for _, place := range []string{here, there, elsewhere} {
			for _, number := range []string{"1", "2"} {
				id := strings.ReplaceAll(place, "/", "-") + number
				m := audience.Member{ID: id, Kind: audience.KindScreen, Place: audience.Path(place)}
				_, err := member.Replace(txn, member.Record{Member: m}, false, audience.EncodeMember(&m), 1)
				require.NoError(t, err)
			}
		}
		for _, l := range licences {
			require.NoError(t, rights.Licences.Put(txn, l))
		}
		require.NoError(t, rights.PolicyVersion.Put(txn, 41))
		return rights.PolicyRecord.Put(txn, policy)
	}))
	machine, err := fsm.New(store, fsm.Hooks{Halt: func(err error) { t.Error(err) }, Logger: quiet})
	require.NoError(t, err)
	state := agreed.New(machine)
	book, link := alerts.NewBook(nil), &alone.State{}
	f := stories.New(book, state, clock)
	own := district.New(district.Options{Identity: &identity.Identity{District: &identity.District{Name: "d"}}, Store: store, Logger: quiet})
	rules := Rules(RulesOptions{
		Book: book, Agreed: state.Authority, Audience: state.Index, Sender: own.Sender, Alone: func() alone.State { return *link }, Clock: clock,
		Users: func() ([]storage.User, error) { return records.UsersIn(store) },
	})
	progress, journal := replication.New(f.Agreed), &journal{book: book}
	answers := outcome.New(outcome.Options{
		Book: book, Addressed: addressed.New(state, f), Members: members.New(state.Index, store), Progress: progress, Connected: nobody{},
		Here: func(*roaring.Bitmap) int { return 0 }, Peers: func() []peers.Peer { return nil }, Alone: func() bool { return link.Alone }, Clock: clock,
	})
	return court{t, New(Options{
		Book: book, Stories: f, State: state, Rules: rules, Budget: budget.New(counted.Source{Book: book, State: state, Clock: clock}, clock),
		District: own, Notes: notes.New(nil, clock, quiet), Store: store, Audience: state.Index, Alone: func() bool { return link.Alone },
		Exchange: journal, Progress: progress, Answers: answers, Understood: func(context.Context, uint64) error { return nil },
		Clock: clock, Trusted: func() bool { return true },
	}), state, journal, link}
}

// journal takes facts, and has the node learn them at once.
type journal struct {
	book  *alerts.Book
	facts int
	full  error // what it answers instead
}

func (j *journal) Create(_ context.Context, _ fact.Kind, _ fact.Stream, body []byte) (*exchange.Progress, error) {
	if j.full != nil {
		return nil, j.full
	}
	j.facts++
	p := &exchange.Progress{ID: fact.ID{byte(j.facts)}}
	m, err := j.book.Learnt(p.ID.String(), body)
	if err != nil {
		return nil, err
	}
	j.book.Add(m)
	return p, nil
}

// nobody has a device connected.
type nobody struct{}

func (nobody) Connected(context.Context, *roaring.Bitmap, func(string) bool) (*roaring.Bitmap, []string) {
	return roaring.New(), nil
}

// isolate makes the node alone, with a policy of that age; a negative one is that it
// never had quorum.
func (c court) isolate(age time.Duration) {
	*c.link = alone.State{Alone: true, Since: noon.Add(-time.Minute), Age: max(age, -1)}
}

// to addresses every member of the places, one info block a place.
func to(t *testing.T, places ...string) (out []audience.Target) {
	t.Helper()
	for _, place := range places {
		s, err := authority.Under(place)
		require.NoError(t, err)
		out = append(out, audience.Target{Select: s.String()})
	}
	return out
}

func block(severity, urgency, certainty string) alert.Info {
	return alert.Info{Event: "Fire", Severity: severity, Urgency: urgency, Certainty: certainty, Expires: alert.NewDateTime(noon.Add(time.Hour))}
}

// saying is a message that says this, sent minutes after noon.
func saying(name string, minutes int, infos ...alert.Info) *alert.Alert {
	return &alert.Alert{
		Identifier: name, Sender: "almenara.d", Sent: alert.NewDateTime(noon.Add(time.Duration(minutes) * time.Minute)),
		Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: infos,
	}
}

// lay puts a message on the book, as the fact with this name.
func (c court) lay(fact string, a *alert.Alert, i factbody.Issue) *alerts.Message {
	c.Helper()
	id := hex.EncodeToString([]byte(fact))
	i.Accepted = noon.Add(-time.Minute).UnixMilli()
	m := &alerts.Message{Fact: id, Issue: i, Alert: a, Entry: i.Entry(a, a.Digest().String(), id)}
	_, fresh := c.book.Add(m)
	require.True(c, fresh)
	return m
}

// licensed is a licence of duty for the scenario fire, here, for an hour.
func licensed() rights.Licence {
	return rights.Licence{ID: "l", Operator: "duty", Scenarios: []string{"fire"}, Place: here, Until: noon.Add(time.Hour).UnixMilli()}
}

var (
	composer   = []string{authority.RoleComposer}
	correctors = []string{authority.RoleCorrector}
)

// plea is a message that somebody would send, and what the node knows.
type plea struct {
	in      incoming
	places  []string
	licence rights.Licence
	policy  rights.Policy
	crowd   bool          // the node is not alone
	age     time.Duration // of the policy
}

// TestRule_Alone holds every condition of a licence against a message that would go out
// were that condition not there.
func TestRule_Alone(t *testing.T) {
	t.Parallel()
	extreme := rights.Policy{Rules: []rights.PolicyRule{{Severity: "Extreme", Approvals: 1}}}
	for name, c := range map[string]struct {
		change    func(*plea)
		refused   string
		kind      string
		licence   string
		approvals uint32
	}{
		"a licence":                     {change: func(*plea) {}, licence: "l"},
		"up to its end":                 {change: func(p *plea) { p.licence.Until = noon.UnixMilli() + 1 }, licence: "l"},
		"past its end":                  {change: func(p *plea) { p.licence.Until = noon.UnixMilli() }, refused: "you have no licence that holds now"},
		"revoked":                       {change: func(p *plea) { p.licence.Revoked = true }, refused: "you have no licence that holds now"},
		"of another operator":           {change: func(p *plea) { p.licence.Operator = "chief" }, refused: "you have no licence that holds now"},
		"for another place":             {change: func(p *plea) { p.licence.Place = there }, refused: "2 of the members are outside d/there"},
		"for half of it":                {change: func(p *plea) { p.places = []string{here, there} }, refused: "2 of the members are outside d/here"},
		"for a place with such a name":  {change: func(p *plea) { p.licence.Place = "d/her" }, refused: "2 of the members are outside d/her"},
		"for another scenario":          {change: func(p *plea) { p.in.scenario.ID = "flood" }, refused: "a licence for the scenario flood"},
		"for no free text":              {change: func(p *plea) { p.in.scenario.ID = "" }, refused: "a licence for free texts"},
		"for anything":                  {change: func(p *plea) { p.in.scenario.ID, p.licence.Scenarios = "", []string{"*"} }, licence: "l"},
		"without a reason":              {change: func(p *plea) { p.in.reason = "" }, refused: "a reason is needed"},
		"for the second person":         {change: func(p *plea) { p.policy, p.in.alert.Infos[0].Severity = extreme, "Extreme" }, licence: "l"},
		"in place of a scenario's":      {change: func(p *plea) { p.in.scenario.Approvals = 2 }, licence: "l"},
		"none, but approvals":           {change: func(p *plea) { p.licence.Revoked, p.in.scenario.Approvals = true, 2 }, approvals: 2},
		"a policy of 72 h":              {change: func(p *plea) { p.age, p.in.scenario.ID, p.licence.Scenarios = alone.StaleAfter, "", []string{"*"} }, licence: "l"},
		"an older one, named":           {change: func(p *plea) { p.age = alone.StaleAfter + 1 }, licence: "l"},
		"an older one, both":            {change: func(p *plea) { p.age, p.licence.Scenarios = alone.StaleAfter+1, []string{"*", "fire"} }, licence: "l"},
		"an older one, anything":        {change: func(p *plea) { p.age, p.licence.Scenarios = alone.StaleAfter+1, []string{"*"} }, refused: "older than 72 hours"},
		"an older one, free text":       {change: func(p *plea) { p.age, p.in.scenario.ID, p.licence.Scenarios = alone.StaleAfter+1, "", []string{"*"} }, refused: "older than 72 hours"},
		"an older one, approvals":       {change: func(p *plea) { p.age, p.licence.Revoked, p.in.scenario.Approvals = alone.StaleAfter+1, true, 2 }, refused: "older than 72 hours"},
		"never any, named":              {change: func(p *plea) { p.age = -1 }, licence: "l"},
		"never any, anything":           {change: func(p *plea) { p.age, p.licence.Scenarios = -1, []string{"*"} }, refused: "older than 72 hours"},
		"not alone":                     {change: func(p *plea) { p.crowd, p.licence.Revoked, p.in.reason = true, true, "" }},
		"not alone, a scenario":         {change: func(p *plea) { p.crowd, p.in.scenario.Approvals = true, 2 }, approvals: 2},
		"not alone, loud":               {change: func(p *plea) { p.crowd, p.policy, p.in.alert.Infos[0].Severity = true, extreme, "Extreme" }, approvals: 1},
		"not alone, it is not said":     {change: func(p *plea) { p.crowd, p.policy, p.in.alert.Infos[0].Severity = true, extreme, "Unknown" }, approvals: 1},
		"a cancel":                      {change: func(p *plea) { p.in.alert.MsgType, p.licence.Revoked, p.in.reason = alert.MsgTypeCancel, true, "" }},
		"a cancel by an old policy":     {change: func(p *plea) { p.in.alert.MsgType, p.licence.Revoked, p.age = alert.MsgTypeCancel, true, -1 }},
		"a cancel where loud needs two": {change: func(p *plea) { p.in.alert.MsgType, p.crowd, p.in.scenario.Approvals = alert.MsgTypeCancel, true, 2 }},
		"a central system": {change: func(p *plea) {
			p.in.by = authority.Caller{Name: "hko", Roles: composer, Senders: []string{"hko"}, System: true}
			p.in.alert.Sender = "hko"
		}},
		"a person of some senders": {change: func(p *plea) {
			p.in.by.Senders, p.in.alert.Sender, p.licence.Revoked = []string{"hko"}, "hko", true
		}, refused: "you have no licence that holds now"},
		"a system where loud needs two": {change: func(p *plea) {
			p.in.by = authority.Caller{Name: "hko", Roles: composer, Senders: []string{"hko"}, System: true}
			p.crowd, p.in.alert.Sender, p.in.scenario.Approvals = true, "hko", 2
		}},
		"a person of some senders, loud": {change: func(p *plea) {
			p.in.by.Senders, p.in.alert.Sender, p.crowd, p.in.scenario.Approvals = []string{"hko"}, "hko", true, 2
		}, approvals: 2},
		"without a role":                 {change: func(p *plea) { p.in.by.Roles = nil }, kind: wire.KindForbidden, refused: "needs the role composer"},
		"a caller's own places":          {change: func(p *plea) { p.in.by.Places = []string{here} }, licence: "l"},
		"beyond a caller's places":       {change: func(p *plea) { p.in.by.Places = []string{there} }, kind: wire.KindForbidden, refused: "2 members outside d/there"},
		"beyond them also when not lone": {change: func(p *plea) { p.crowd, p.in.by.Places = true, []string{there} }, kind: wire.KindForbidden, refused: "2 members outside d/there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plea{
				in:     incoming{by: authority.Caller{Name: "duty", Roles: composer}, direct: true, alert: saying("m", 0, block("Severe", "Immediate", "Observed")), scenario: rights.Scenario{ID: "fire"}, reason: "seen"},
				places: []string{here}, licence: licensed(),
			}
			c.change(&p)
			court := newCourt(t, p.policy, p.licence)
			if !p.crowd {
				court.isolate(p.age)
			}
			r, err := court.rule(p.in, to(t, p.places...))
			if c.refused != "" {
				var problem *wire.Problem
				require.ErrorAs(t, err, &problem)
				if c.kind == "" {
					c.kind = wire.KindRefused
				}
				require.Equal(t, c.kind, problem.Kind)
				require.Contains(t, problem.Sentence, c.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.licence, r.Licence)
			require.Equal(t, c.approvals, r.Approvals)
			require.EqualValues(t, 41, r.Policy)
			require.Equal(t, !p.crowd, r.Alone)
			if c.licence != "" {
				require.Equal(t, here, r.Within, "who joins later is held to it too")
			}
		})
	}
}

// TestCorrects says which updates need nobody else.
func TestCorrects(t *testing.T) {
	t.Parallel()
	severe, minor := block("Severe", "Expected", "Possible"), block("Minor", "Expected", "Possible")
	for name, c := range map[string]struct {
		infos   []alert.Info
		places  []string
		change  func(c court, standing *alert.Alert, update *alert.Alert)
		by      authority.Caller // instead of amy, the author
		sender  string           // of both
		refused string           // in the sentence; "" is not
		want    bool
	}{
		"by somebody else":    {infos: []alert.Info{minor}, places: []string{here}, by: authority.Caller{Name: "bob", Roles: composer}},
		"by an administrator": {infos: []alert.Info{minor}, places: []string{here}, by: authority.Caller{Name: "root", Roles: []string{authority.RoleAdministrator}}},
		"by a corrector":      {infos: []alert.Info{minor}, places: []string{here}, by: authority.Caller{Name: "bob", Roles: correctors}, want: true},
		"by a corrector who is also a composer": {
			infos: []alert.Info{minor}, places: []string{here}, by: authority.Caller{Name: "bob", Roles: []string{authority.RoleComposer, authority.RoleCorrector}}, want: true,
		},
		"louder, by a composer and corrector": {
			infos: []alert.Info{block("Extreme", "Expected", "Possible")}, places: []string{here},
			by: authority.Caller{Name: "bob", Roles: []string{authority.RoleComposer, authority.RoleCorrector}},
		},
		"louder, by a corrector":    {infos: []alert.Info{block("Extreme", "Expected", "Possible")}, places: []string{here}, by: authority.Caller{Name: "bob", Roles: correctors}, refused: "bob may only correct"},
		"to more, by a corrector":   {infos: []alert.Info{severe, minor}, places: []string{here, elsewhere}, by: authority.Caller{Name: "bob", Roles: correctors}, refused: "bob may only correct"},
		"a new one, by a corrector": {infos: []alert.Info{minor}, places: []string{here}, by: authority.Caller{Name: "bob", Roles: correctors}, change: func(_ court, _, u *alert.Alert) { u.MsgType = alert.MsgTypeAlert }, refused: "needs the role composer"},
		"by a colleague of that sender": {
			infos: []alert.Info{minor}, places: []string{here}, sender: "hko", by: authority.Caller{Name: "bob", Roles: composer, Senders: []string{"hko"}}, want: true,
		},
		"under another sender":    {infos: []alert.Info{minor}, places: []string{here}, change: func(_ court, _, u *alert.Alert) { u.Sender = "elsewhere" }},
		"the same":                {infos: []alert.Info{severe, minor}, places: []string{here, there}, want: true},
		"less severe":             {infos: []alert.Info{minor, minor}, places: []string{here, there}, want: true},
		"less urgent":             {infos: []alert.Info{block("Severe", "Future", "Possible")}, places: []string{here}, want: true},
		"to fewer":                {infos: []alert.Info{severe}, places: []string{here}, want: true},
		"quiet to all":            {infos: []alert.Info{minor}, places: []string{"d"}, want: true},
		"more severe":             {infos: []alert.Info{block("Extreme", "Expected", "Possible")}, places: []string{here}},
		"more urgent":             {infos: []alert.Info{block("Severe", "Immediate", "Possible")}, places: []string{here}},
		"an emergency now":        {infos: []alert.Info{block("Severe", "Expected", "Likely")}, places: []string{here}},
		"to more":                 {infos: []alert.Info{severe, minor}, places: []string{here, elsewhere}},
		"as severe, but to more":  {infos: []alert.Info{severe}, places: []string{"d"}},
		"the other way around":    {infos: []alert.Info{severe, minor}, places: []string{there, here}},
		"of nothing":              {infos: []alert.Info{minor}, places: []string{here}, change: func(_ court, _, u *alert.Alert) { u.References = nil }},
		"of the unheard":          {infos: []alert.Info{minor}, places: []string{here}, change: func(_ court, _, u *alert.Alert) { u.References[0].Identifier = "x" }},
		"an alert of its own":     {infos: []alert.Info{minor}, places: []string{here}, change: func(_ court, _, u *alert.Alert) { u.MsgType = alert.MsgTypeAlert }},
		"a drill of the real":     {infos: []alert.Info{minor}, places: []string{here}, change: func(_ court, _, u *alert.Alert) { u.Status = alert.StatusExercise }},
		"of two":                  {infos: []alert.Info{minor}, places: []string{here}, change: func(c court, _, u *alert.Alert) { u.References = append(u.References, c.other(0).Key()) }},
		"of one that still waits": {infos: []alert.Info{minor}, places: []string{here}, change: func(c court, _, u *alert.Alert) { u.References = []alert.Key{c.other(1).Key()} }},
		"of what is cancelled": {infos: []alert.Info{minor}, places: []string{here}, change: func(c court, s, _ *alert.Alert) {
			stop := saying("stop", -5)
			stop.MsgType, stop.References = alert.MsgTypeCancel, []alert.Key{s.Key()}
			c.lay("stop", stop, factbody.Issue{})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			court := newCourt(t, rights.Policy{Rules: []rights.PolicyRule{{Approvals: 1}}}) // of everything but corrections
			standing := saying("standing", -10, severe, minor)
			standing.Sender = cmp.Or(c.sender, standing.Sender)
			court.lay("standing", standing, factbody.Issue{Targets: to(t, here, there), Author: "amy"})
			update := saying("update", 0, c.infos...)
			update.Sender = standing.Sender
			update.MsgType, update.References = alert.MsgTypeUpdate, []alert.Key{standing.Key()}
			if c.change != nil {
				c.change(court, standing, update)
			}
			by := authority.Caller{Name: "amy", Roles: composer}
			if c.by.Name != "" {
				by = c.by
			}
			r, err := court.rule(incoming{by: by, alert: update, direct: true}, to(t, c.places...))
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, r.Approvals == 0)
		})
	}
}

// other lays another alert, which lacks approvals.
func (c court) other(approvals uint32) *alert.Alert {
	a := saying("other", -8, block("Severe", "Expected", "Possible"))
	c.lay("other", a, factbody.Issue{Targets: to(c.T, here), Author: "amy", Approvals: approvals})
	return a
}
