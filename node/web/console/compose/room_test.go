package compose

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/signin"
	"almenara/node/web/console/compose/further"
	"almenara/node/web/console/compose/picture"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(Services{}), func() map[string]any {
		return map[string]any{"compose": &composePage{}, "update": &composePage{}, "compose-check": &checkPage{}}
	})
}

// amy has signed in, with the places that she is limited to.
type amy struct{ places []string }

func (a amy) Find(string) (signin.Who, error) {
	return signin.Who{Caller: authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}, Places: a.places}, Until: night.Add(time.Hour)}, nil
}
func (amy) Again(context.Context, signin.Who, string, string) error { return nil }
func (amy) Seen(signin.Who)                                         {}

var night = time.Date(2026, 11, 29, 3, 4, 5, 0, time.UTC)

// desk is the room over a fake of all services.
type desk struct {
	*frame.Frame
	t    *testing.T
	fake *apitest.Fake
	now  time.Time
}

func newDesk(t *testing.T, limits ...string) *desk {
	t.Helper()
	d := &desk{t: t, fake: apitest.New(), now: night}
	a := apitest.ExampleAlert()
	a.Status, a.Incident = "Actual", "gas tuen-mun/on-ting"
	a.Messages = []wire.Message{{MsgType: "Alert", Texts: []wire.MessageText{
		{Language: "en", Event: "Gas leak", Headline: "Gas leak", Instruction: "Leave.", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Areas: []string{"Block 2"}},
		{Language: "zh-Hant", Event: "氣體洩漏", Headline: "氣體洩漏", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Areas: []string{"第2座"}},
	}}}
	d.fake.Alerts = []wire.Alert{a}
	d.fake.Places = []wire.Place{
		{Path: "tuen-mun", Names: map[string]string{"en": "Tuen Mun", "zh-Hant": "屯門"}}, {Path: "tuen-mun/on-ting", Names: map[string]string{"en": "On Ting", "zh-Hant": "安定邨"}},
		{Path: "tuen-mun/on-ting/block-2", Names: map[string]string{"en": "Block 2", "zh-Hant": "第2座"}}, {Path: "sai-kung", Names: map[string]string{"en": "Sai Kung"}},
	}
	s := apitest.Services(d.fake)
	var err error
	d.Frame, err = frame.New(frame.Options{Sessions: amy{limits}, Status: s.Status, Clock: func() time.Time { return d.now }, Zone: time.UTC},
		Room(Services{Alerts: s.Alerts, Reader: s.Reader, Places: s.Places, Status: s.Status, Screen: "/screen/x/arrange.js"}))
	require.NoError(t, err)
	return d
}

// gas is a form that can be sent, with changes: name, value, name, value.
func gas(changes ...string) url.Values {
	v := url.Values{
		"id": {"0123456789abcdef0123456789abcdef"}, "at": {night.Format(time.RFC3339)}, "checked": {night.Format(time.RFC3339)}, "status": {"Actual"}, "hazard": {"gas"},
		"severity": {"Severe"}, "urgency": {"Immediate"}, "certainty": {"Observed"}, "onset": {"0"}, "lasts": {"60"}, "by": {"places"}, "place": {"tuen-mun/on-ting/block-2"},
		"lang.0": {"en"}, "headline.0": {"Gas leak"}, "lang.1": {"zh-Hant"}, "headline.1": {"氣體洩漏"}, "word": {"SEND"}, "stands": {"1-0"},
	}
	for n := 0; n < len(changes); n += 2 {
		v.Set(changes[n], changes[n+1])
	}
	return v
}

func (d *desk) post(path string, form url.Values) *httptest.ResponseRecorder {
	d.t.Helper()
	q := httptest.NewRequest(http.MethodPost, frame.Below+path, strings.NewReader(form.Encode()))
	q.Host = "localhost"
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, q)
	return w
}

// sent are the calls that send or change something.
func (d *desk) sent() (out []string) {
	for _, call := range d.fake.Calls() {
		if strings.HasPrefix(call, "SendAlert") || strings.HasPrefix(call, "UpdateAlert") && strings.Contains(call, " false ") {
			out = append(out, call)
		}
	}
	return out
}

// A form is one message: every press says the same, whenever it comes.
func TestSend_SaysTheSameAtEveryPress(t *testing.T) {
	d := newDesk(t)
	require.Equal(t, 303, d.post("compose/send", gas()).Code)
	d.now = d.now.Add(20 * time.Minute)
	require.Equal(t, 303, d.post("compose/send", gas("word", "發出")).Code)
	calls := d.sent()
	require.Len(t, calls, 2)
	require.Equal(t, calls[0], calls[1])
	require.Contains(t, calls[0], `"identifier":"0123456789abcdef0123456789abcdef"`)
	require.Contains(t, calls[0], `"sent":"2026-11-29T03:04:05-00:00"`)
	require.Contains(t, calls[0], `"expires":"2026-11-29T04:04:05-00:00"`, "counted from the check, and not from the press")
	require.Contains(t, calls[0], `"place under tuen-mun/on-ting/block-2"`)
	require.Contains(t, calls[0], `"areaDesc":"On Ting, Block 2"`)
	require.Contains(t, calls[0], `"areaDesc":"安定邨第2座"`)
	require.Contains(t, calls[0], `"event":"氣體洩漏"`)
	require.Contains(t, calls[0], `"category":["Safety"]`)
}

// What was not checked, is not complete, has no area or another word is not sent.
func TestSend_SendsNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		form url.Values
		code int
	}{
		"another word":       {gas("word", "DRILL"), 422},
		"a drill, sent":      {gas("status", "Exercise"), 422},
		"no word":            {gas("word", ""), 422},
		"not checked":        {gas("checked", ""), 400},
		"opened long ago":    {gas("at", night.Add(-46*time.Minute).Format(time.RFC3339)), 422},
		"no place":           {gas("place", ""), 422},
		"no way":             {gas("by", ""), 422},
		"an unknown way":     {gas("by", "everybody"), 422},
		"no drawing":         {gas("by", "draw"), 422},
		"a broken drawing":   {gas("by", "draw", "polygon", "22,114 22,x 23,114"), 422},
		"a line":             {gas("by", "draw", "polygon", "22,114 23,114"), 422},
		"no selection":       {gas("by", "select"), 422},
		"no hazard":          {gas("hazard", ""), 422},
		"no headline":        {gas("headline.0", "", "headline.1", ""), 422},
		"a text without one": {gas("headline.0", "", "instruction.0", "Leave"), 422},
		"an event untyped":   {gas("hazard", "other"), 422},
		"no picture":         {gas("picture", "aGVsbG8="), 422},
		"half a picture":     {gas("picture", "/9j/4A"), 422},
		"a large picture":    {gas("picture", base64.StdEncoding.EncodeToString(append([]byte("\xff\xd8\xff"), make([]byte, picture.Most)...))), 422},
		"a span of ours not": {gas("lasts", "999999999"), 400},
	} {
		d := newDesk(t)
		got := d.post("compose/send", c.form)
		require.Equal(t, c.code, got.Code, "%s: %s", name, got.Body)
		require.Empty(t, d.sent(), name)
	}
}

// Only the way that is chosen says where: a forgotten drawing neither widens nor narrows anything.
func TestSend_TakesTheChosenWayAlone(t *testing.T) {
	all := []string{"polygon", "22.1,114 22.2,114 22.2,114.1", "circle", "22.3,114.2 150", "select", "kind = screen", "areaname", "the bank"}
	for by, want := range map[string]struct {
		has, lacks []string
	}{
		"places": {[]string{`"place under tuen-mun/on-ting/block-2"`}, []string{"polygon", "circle", "kind = screen"}},
		"draw":   {[]string{`"polygon":["22.1,114 22.2,114 22.2,114.1 22.1,114"]`, `"circle":["22.3,114.2 0.15"]`, `"areaDesc":"the bank"`, ` "" `}, []string{"place under", "kind = screen"}},
		"select": {[]string{`"kind = screen"`}, []string{"polygon", "circle", "place under"}},
	} {
		d := newDesk(t)
		require.Equal(t, 303, d.post("compose/send", gas(append(all, "by", by)...)).Code, by)
		for _, text := range want.has {
			require.Contains(t, d.sent()[0], text, by)
		}
		for _, text := range want.lacks {
			require.NotContains(t, d.sent()[0], text, by)
		}
	}
}

// Whoever warns of the same thing at the same place is told of the alert that stands.
func TestSend_OneIncidentIsOneAlert(t *testing.T) {
	same := []string{"place", "tuen-mun/on-ting"}
	d := newDesk(t)
	d.fake.Alerts[0].Author = "ben"
	got := d.post("compose/send", gas(same...))
	require.Equal(t, 409, got.Code)
	require.Contains(t, got.Body.String(), "ben has sent an alert for this already")
	require.Contains(t, got.Body.String(), "/console/alerts/"+apitest.AlertID)
	require.Empty(t, d.sent())
	require.Contains(t, d.post("compose", gas(append(same, "do", "check")...)).Body.String(), "ben has sent an alert for this already", "and before the press")
	for name, change := range map[string][]string{
		"another one": {"another", "1"}, "another name": {"incident", "the second leak"}, "a drill": {"status", "Exercise", "word", "DRILL"}, "another place": {"place", "tuen-mun/on-ting/block-2"},
	} {
		d := newDesk(t)
		require.Equal(t, 303, d.post("compose/send", gas(append(same, change...)...)).Code, name)
	}
	d.fake.Alerts[0].Key = "almenara.tuen-mun,0123456789abcdef0123456789abcdef,2026-11-29T03:04:05-00:00"
	require.Equal(t, 303, d.post("compose/send", gas(same...)).Code, "its own alert is no other one")
}

// An update changes what its page showed: neither a second press nor an older page changes what stands.
func TestUpdate_ChangesWhatThePageShowed(t *testing.T) {
	d := newDesk(t)
	path := "alerts/" + apitest.AlertID + "/update"
	louder := gas("by", "", "headline.0", "Gas leak, explosion", "severity", "Extreme", "instruction.0", "Leave.")
	require.Equal(t, 303, d.post(path+"/send", louder).Code)
	require.Equal(t, []string{"UpdateAlert " + apitest.AlertID + ` 1 map[] "Extreme" "" "" false local`}, d.sent())
	for name, stands := range map[string]func(*wire.Alert){
		"changed": func(a *wire.Alert) { a.Revision++ }, "a change waits": func(a *wire.Alert) { a.Waiting++ },
	} {
		d := newDesk(t)
		stands(&d.fake.Alerts[0])
		got := d.post(path+"/send", louder)
		require.Equal(t, 409, got.Code, name)
		require.Contains(t, got.Body.String(), "the alert was changed since this page was opened")
		require.Empty(t, d.sent(), name)
	}
	for name, form := range map[string]url.Values{
		"another word": gas("by", "", "severity", "Extreme", "word", "DRILL"), "nothing new": gas("by", "", "instruction.0", "Leave.", "lasts", ""),
		"no place": gas("severity", "Extreme", "place", ""), "too old": gas("by", "", "severity", "Extreme", "at", night.Add(-time.Hour).Format(time.RFC3339)),
	} {
		d := newDesk(t)
		require.Equal(t, 422, d.post(path+"/send", form).Code, name)
		require.Empty(t, d.sent(), name)
	}
	d = newDesk(t)
	d.fake.Alerts[0].State = wire.StateCancelled
	require.Equal(t, 422, d.post(path+"/send", louder).Code, "what is over is not changed")
	require.Empty(t, d.sent())
}

// The list has the district's own places, and those that a person may warn.
func TestPlaces_AreTheOnesToWarn(t *testing.T) {
	page := newDesk(t).post("compose", gas()).Body.String()
	require.Contains(t, page, `value="tuen-mun/on-ting"`)
	require.NotContains(t, page, "sai-kung", "another district")
	page = newDesk(t, "tuen-mun/on-ting/block-2").post("compose", gas()).Body.String()
	require.Contains(t, page, `value="tuen-mun/on-ting/block-2"`)
	require.NotContains(t, page, `value="tuen-mun/on-ting"`)
}

// What goes through the form comes out of it as it was, however often.
func TestForm_KeepsWhatWasSaid(t *testing.T) {
	said := gas("description.0", "  one\r\ntwo  ", "from.1", "屯門", "link", "https://example.org/a?b=c", "polygon", "1,2 3,4\n5,6", "select", `a = "b"`, "response", "Shelter")
	said.Add("place", "tuen-mun/on-ting")
	of := func(v url.Values) form {
		return formOf(&frame.Request{R: &http.Request{PostForm: v}, Now: night})
	}
	once := of(said)
	again := url.Values{}
	for _, f := range once.fields() {
		again.Add(f.Name, f.Value)
	}
	require.Equal(t, once, of(again))
	require.Equal(t, "one\ntwo", once.Texts[0].Description)
	require.Equal(t, []string{"tuen-mun/on-ting"}, topmost(once.Place), "a place in another one that was chosen says nothing more")
}

// A picture goes with the first language alone, with what CAP says of it.
func TestSend_AttachesAPictureOnce(t *testing.T) {
	d := newDesk(t)
	small := base64.StdEncoding.EncodeToString([]byte("\xff\xd8\xff\xe0 a small one"))
	form := gas("picture", small, "picturedesc", "the street", "link", "https://example.org/map", "linktype", "application/pdf")
	require.Contains(t, d.post("compose", addedTo(form, "do", "check")).Body.String(), `src="data:image/jpeg;base64,`)
	require.Equal(t, 303, d.post("compose/send", form).Code)
	require.Equal(t, 1, strings.Count(d.sent()[0], `"resource":[`))
	require.Contains(t, d.sent()[0], `"resource":[{"resourceDesc":"the street","mimeType":"image/jpeg","size":16,"derefUri":"`+small+`","digest":"`)
	require.Contains(t, d.sent()[0], `{"resourceDesc":"https://example.org/map","mimeType":"application/pdf","uri":"https://example.org/map"}]`)
}

func addedTo(form url.Values, name, value string) url.Values {
	out := maps.Clone(form)
	out.Set(name, value)
	return out
}

// pressing is alerts that are slow to be sent: what is sent stands only after a while.
type pressing struct {
	service.Alerts
	service.Reader
	mu       sync.Mutex // guards standing
	standing []wire.Alert
}

func (p *pressing) SendAlert(ctx context.Context, by authority.Caller, in wire.SendAlert, wait wire.Wait) (wire.Outcome, error) {
	time.Sleep(time.Second) // of the bubble's time
	p.mu.Lock()
	defer p.mu.Unlock()
	p.standing = append(p.standing, wire.Alert{ID: "first", Incident: in.Incident, Status: "Actual", Author: "ben"})
	return p.Alerts.SendAlert(ctx, by, in, wait)
}

func (p *pressing) ListAlerts(context.Context, wire.AlertQuery) ([]wire.Alert, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.standing), "", nil
}

// Of two people who press at the same moment one is told of the other's alert.
func TestSend_OneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		s := apitest.Services(d.fake)
		p := &pressing{Alerts: s.Alerts, Reader: s.Reader}
		var err error
		d.Frame, err = frame.New(frame.Options{Sessions: amy{}, Status: s.Status, Clock: func() time.Time { return night }, Zone: time.UTC},
			Room(Services{Alerts: p, Reader: p, Places: s.Places, Status: s.Status}))
		require.NoError(t, err)
		codes := make(chan int, 2)
		for _, id := range []string{"0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"} {
			go func() { codes <- d.post("compose/send", gas("id", id)).Code }()
		}
		require.ElementsMatch(t, []int{303, 409}, []int{<-codes, <-codes})
		require.Len(t, d.sent(), 1)
	})
}

// The script of the page that sends shows, in its place, what the page of a problem says, in whatever language:
// it asks for parts of that page, and finds them.
func TestScript_FindsWhatAProblemSays(t *testing.T) {
	script, err := files.ReadFile("compose-check.js")
	require.NoError(t, err)
	require.Contains(t, string(script), "main > [data-said]")
	for _, l := range words.All() {
		page := pagetest.Rendered(t, frame.Room{Pages: fstest.MapFS{}}, "problem", &frame.ProblemPage{Sentence: frame.Said{Text: "somebody else was first"}, Details: []string{"one"}}, l, "")
		require.Contains(t, page, "<p data-said><bdi>somebody else was first</bdi></p>")
		require.Contains(t, page, `<ul lang="en" data-said>`)
	}
}

// What nodes do by themselves after the alert is part of the form: it is checked, shown, and sent.
func TestCompose_CallsOneGroupAfterTheOther(t *testing.T) {
	var all []wire.Place
	f := empty(night)
	f.Hazard, f.Texts[0].Headline, f.By, f.Select = hazards[0].name, "Come", "select", "wave = a"
	f.Remind, f.Needed, f.Minutes, f.Then = "5", "2", "10", "wave = b\n\n kind = phone \n"
	send, missing, err := f.send(all)
	require.NoError(t, err)
	require.Empty(t, missing)
	require.Equal(t, []any{5, 2, 10, []string{"wave = b", "kind = phone"}}, []any{send.RemindMinutes, send.Escalate.Answers, send.Escalate.Minutes, send.Escalate.Groups})
	for _, wrong := range []further.Fields{{Remind: "x"}, {Then: "all", Needed: "x", Minutes: "1"}, {Then: "all", Needed: "1", Minutes: "1.5"}} {
		f.Fields = wrong
		_, _, err := f.send(all)
		var p *wire.Problem
		require.ErrorAs(t, err, &p)
		require.NotEmpty(t, p.Why.Reason)
	}
	f.Fields = further.Fields{Needed: "2", Minutes: "10"}
	send, _, err = f.send(all)
	require.NoError(t, err)
	require.Nil(t, send.Escalate, "numbers alone ask for nothing")
}

// What an update is for is said once, however many languages say it.
func TestUpdate_NamesEachAreaOnce(t *testing.T) {
	page := composePage{Standing: []wire.MessageText{{Language: "en", Areas: []string{"安定邨 On Ting", "Tuen Mun"}}, {Language: "zh-Hant", Areas: []string{"安定邨 On Ting"}}}}
	require.Equal(t, []string{"安定邨 On Ting", "Tuen Mun"}, page.StandsFor())
}
