package console

import (
	"context"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/enrol"
	"almenara/node/signin"
	"almenara/node/signin/passkeys"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

var night = time.Date(2026, 11, 29, 3, 4, 5, 0, time.UTC)

// visitors are those who have signed in, by their cookies: the cookie is the role.
type visitors struct {
	mu    sync.Mutex
	idle  bool
	gone  bool
	alone bool
	asked []string
}

func (p *visitors) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, what)
}

func (p *visitors) Find(cookie string) (signin.Who, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || cookie != "none" && cookie != "limited" && !slices.Contains(authority.Roles(), cookie) {
		return signin.Who{}, wire.Problemf(wire.KindUnauthenticated, "the session has ended; sign in again")
	}
	by := authority.Caller{Name: "amy", Roles: []string{cookie}}
	if cookie == "limited" {
		by.Roles, by.Places = []string{authority.RoleComposer}, []string{"tuen-mun/on-ting"}
	}
	return signin.Who{Caller: by, Until: night.Add(time.Hour), Idle: p.idle, OnlyHere: p.alone}, nil
}

func (p *visitors) Begin(_ context.Context, a signin.Attempt) (signin.Begun, error) {
	p.note("Begin " + a.Name)
	if a.Name == "guessed" {
		return signin.Begun{}, &wire.Problem{Kind: wire.KindOverBudget, RetryAfter: 128, Why: why.Why{Reason: why.SignInTries}}
	}
	if a.Password != "right" && a.Passkey != "right" {
		return signin.Begun{}, wire.Problemf(wire.KindUnauthenticated, "name, password or code is wrong")
	}
	return signin.Begun{Cookie: authority.RoleComposer, Until: night.Add(time.Hour)}, nil
}

func (p *visitors) First(context.Context, string, string, string) (string, error) {
	p.note("First")
	return "amy", nil
}

func (p *visitors) Again(_ context.Context, _ signin.Who, password, _ string) error {
	p.note("Again")
	if password != "right" {
		return wire.Problemf(wire.KindUnauthenticated, "name, password or code is wrong")
	}
	return nil
}
func (p *visitors) Seen(signin.Who)                          { p.note("Seen") }
func (p *visitors) End(context.Context, signin.Who) error    { p.note("End"); return nil }
func (p *visitors) EndAll(context.Context, signin.Who) error { p.note("EndAll"); return nil }
func (p *visitors) ChangePassword(context.Context, signin.Who, string, string, string) error {
	p.note("ChangePassword")
	return nil
}

func (p *visitors) Passkeys(signin.Who) ([]signin.Passkey, error) {
	return []signin.Passkey{{ID: []byte("key"), Name: "phone", Host: "on-ting", Added: night}}, nil
}
func (p *visitors) AskPasskey(string) []byte { return []byte("challenge") }
func (p *visitors) NewPasskey(signin.Who) (challenge, person []byte, have []signin.Passkey, err error) {
	return []byte("challenge"), []byte("person"), nil, nil
}

func (p *visitors) AddPasskey(context.Context, signin.Who, string, string, string, passkeys.Page, string) ([]string, error) {
	p.note("AddPasskey")
	return []string{"abcd-efgh"}, nil
}

func (p *visitors) RemovePasskey(context.Context, signin.Who, []byte, string, string) error {
	p.note("RemovePasskey")
	return nil
}

func (p *visitors) NewSecondFactor(signin.Who) signin.SecondFactor {
	return signin.SecondFactor{Secret: "ABCDEFGHIJKLMNOP"}
}

func (p *visitors) SetSecondFactor(context.Context, signin.Who, string, string, string, string) ([]string, error) {
	p.note("SetSecondFactor")
	return []string{"abcd-efgh"}, nil
}

// enrolling is one device that waits, by way of a fake that notes what is asked.
type enrolling struct{ fake *apitest.Fake }

func (enrolling) Waiting() []enrol.Waiting {
	return []enrol.Waiting{{Number: "n7", Code: "1234 5678", Kind: "screen", Address: "10.0.0.9", Wants: enrol.For{ID: "id" + pagetest.Hostile, Place: "place" + pagetest.Hostile}}}
}

func (w enrolling) NewTickets(_ authority.Caller, of []enrol.For, _ time.Duration) (out []enrol.Ticket, err error) {
	for _, f := range of {
		w.fake.Note("NewTickets %s", f.ID)
		out = append(out, enrol.Ticket{For: f, Text: "ticket"})
	}
	return out, nil
}

func (w enrolling) Approve(_ context.Context, _ authority.Caller, a enrol.Approval) (wire.Enrolled, error) {
	w.fake.Note("EnrolWaiting %s %s", a.Number, a.ID)
	return wire.Enrolled{ID: a.ID}, nil
}

func (w enrolling) Refuse(_ authority.Caller, number string) error {
	w.fake.Note("RefuseWaiting %s", number)
	return nil
}

// rig is a console over fakes.
type rig struct {
	*Console
	fake   *apitest.Fake
	people *visitors
}

func newRig(_ testing.TB) *rig {
	r := &rig{fake: apitest.New(), people: &visitors{}}
	r.fake.Imported = wire.Imported{Rows: 2, Added: 1, Format: "CSV", Encoding: "UTF-8", Diff: why.Sentences{why.Sayf("+ r-1")}}
	r.fake.Alerts = []wire.Alert{withTexts(apitest.ExampleAlert())}
	r.fake.Notices[0].Scenario = apitest.AlertID // one that there is
	s := apitest.Services(r.fake)
	r.Console = New(Services{
		SignIn: r.people, Enrolment: enrolling{r.fake}, Alerts: s.Alerts, Approvals: s.Approvals, Scenarios: s.Scenarios, Places: s.Places, PlaceTree: s.PlaceTree, Reader: s.Reader, Reports: s.Reports, Audit: s.Audit, Status: s.Status, Events: s.Events,
		Spoken: s.Spoken, FollowUps: s.FollowUps, Reported: s.Reported, Notices: s.Notices, Residents: s.Residents, CheckIns: s.CheckIns, Policy: s.Policy,
		Users: s.Users, Passwords: s.Passwords, Licences: s.Licences,
		Devices: s.Devices, Connected: s.Connected, Ability: s.Ability, Personal: s.Personal,
		Imports: s.Imports, Selections: s.Selections,
	}, Options{Clock: func() time.Time { return night }, Zone: time.UTC, Hosts: func() []string { return []string{"on-ting", "example.com"} }, Beat: shortBeat})
	return r
}

// withTexts is an alert with a message that stands and one that waits.
func withTexts(a wire.Alert) wire.Alert {
	texts := []wire.MessageText{
		{Language: "en", Event: "Flood", Headline: "Flood", Description: "The river rises.", Instruction: "Stay indoors.", Severity: "Severe", Areas: []string{"On Ting"}},
		{Language: "zh-Hant", Event: "Flood", Headline: "水浸", Severity: "Severe"},
	}
	a.Messages = []wire.Message{
		{MsgType: "Alert", Revision: 1, Accepted: night, Author: "ben", Digest: "d0", Texts: texts},
		{MsgType: "Update", Revision: 2, Accepted: night, Author: "ben", Digest: "d", Pending: true, Texts: texts, Approvals: &wire.Approvals{Needed: 1, Why: &wire.Demand{Sentence: "it is Severe"}}},
	}
	a.Approvals = &wire.Approvals{Needed: 1}
	return a
}

// goodForm has what is needed everywhere.
var goodForm = url.Values{
	"answer": {"right"},
	"name":   {"amy"}, "password": {"right"}, "again": {"right"}, "old": {"right"}, "token": {"t"}, "language": {"zh-Hant"}, "back": {"/console/now"},
	"code": {"123456"}, "secret": {"ABCDEFGHIJKLMNOP"}, "word": {"SEND"}, "incident": {"i-7"}, "digest": {"d"}, "reason": {"seen"},
	"false-alarm": {"1"}, "b.where": {"Block 2"}, "place": {"tuen-mun"}, "ready": {"rain-black", "drill"},
	"for": {"ben"}, "number": {"12345678"}, "m": {"flat-3a"}, "every": {"5"},
	"role": {"composer"}, "new": {"right"}, "system": {"yes"}, "scenario": {"*"}, "days": {"30"}, "list": {"lift-1,screen,tuen-mun"}, "operator": {"duty"},
	"id": {"0123456789abcdef0123456789abcdef"}, "at": {"2026-11-29T03:00:00Z"}, "checked": {"2026-11-29T03:01:00Z"}, "status": {"Actual"}, "hazard": {"fire"}, "severity": {"Extreme"}, "urgency": {"Immediate"}, "certainty": {"Observed"}, "onset": {"0"}, "lasts": {"60"},
	"by": {"places"}, "lang.0": {"en"}, "headline.0": {"Fire"}, "do": {"check"}, "stands": {"1-0"},
	"member": {"r-0001"}, "whose": {"letter of 3 May"}, "reports": {"13"}, "notes": {"13"}, "residents": {"13"}, "notices": {"13"},
	"made": {"seen"}, "kind": {"screen"}, "devices": {"lift-12 tuen-mun"}, "same": {"1"}, "shown": {"1234 5678"},
}

// formFor is a form that a route takes.
func formFor(r frame.Route) url.Values {
	form := maps.Clone(goodForm)
	if strings.HasPrefix(r.Path, Below+"place") {
		form.Set("place", "tuen-mun/on-ting")
		form.Set("version", "0f3a")
		form.Set("at", "22.39,113.97")
		form.Set("n.en", "On Ting Estate")
		form.Set("parent", "tuen-mun")
		form.Set("segment", "on-ting")
	}
	if strings.Contains(r.Path, "/update") { // of the fake's alert, which is a drill
		form.Set("word", "DRILL")
	}
	return form
}

// stylePath is where the style of all pages is.
var stylePath = newRig(nil).Styles("wall")[0]

// tried are all routes of the console, also those that the frame has of itself.
func tried() []frame.Route {
	all := []frame.Route{{Method: "GET", Path: Below + "static/{file}", Open: true}, {Method: "POST", Path: Below + "language", Open: true}, {Method: "GET", Path: Below + "language", Open: true}}
	for _, room := range rooms(Services{}, pages{}) {
		all = append(all, room.Routes...)
	}
	return all
}

// pathFor is a path that a route is for.
func pathFor(r frame.Route) string {
	return strings.NewReplacer("{$}", "", "{place...}", "tuen-mun/on-ting", "{file}", strings.TrimPrefix(stylePath, Below+"static/"), "{scenario}", apitest.AlertID, "{id}", apitest.AlertID, "{name}", "duty", "{number}", "n7", "{licence}", "l1", "{device}", "lift-0042", "{chapter}", "faults", "{report}", apitest.ReportID, "{notice}", apitest.NoticeID).Replace(r.Path)
}

// ask asks for a route as somebody, "" for nobody, with changes to the request.
func (r *rig) ask(route frame.Route, as string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	form := formFor(route)
	switch {
	case strings.HasSuffix(route.Path, "/revoke"):
		form.Set("word", "REVOKE")
	case strings.HasSuffix(route.Path, "/erase"):
		form.Set("word", "ERASE")
	case strings.HasSuffix(route.Path, "/rotate"):
		form.Set("word", "NEW")
	case route.Path == Below+"import/apply":
		form.Set("upload", r.uploaded(as))
	}
	body, kind := form.Encode(), "application/x-www-form-urlencoded"
	if route.Upload > 0 {
		content := "id,kind,place\n"
		if route.Path == Below+"scenario/file" {
			content = `{"id":"fire","title":"Fire","alert":{"info":[{"language":"en"}]},"minutes":1}`
		}
		body, kind = withFile(content)
	}
	if route.Method != http.MethodPost {
		body = ""
	}
	q := httptest.NewRequest(route.Method, pathFor(route), strings.NewReader(body))
	if body != "" {
		q.Header.Set("Content-Type", kind)
	}
	if as != "" {
		q.AddCookie(&http.Cookie{Name: "almenara", Value: as})
	}
	for _, c := range change {
		c(q)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

// withFile is a form with a file.
func withFile(content string, fields ...string) (body, kind string) {
	var out strings.Builder
	w := multipart.NewWriter(&out)
	for _, name := range fields {
		_ = w.WriteField(name, "yes")
	}
	part, _ := w.CreateFormFile("file", "residents.csv")
	_, _ = part.Write([]byte(content))
	_ = w.Close()
	return out.String(), w.FormDataContentType()
}

// uploaded has a file tried by somebody, and is the id to apply it; "" where that person may not.
func (r *rig) uploaded(as string) string {
	body, kind := withFile("id,kind,place\n")
	q := httptest.NewRequest("POST", Below+"import", strings.NewReader(body))
	q.Header.Set("Content-Type", kind)
	q.AddCookie(&http.Cookie{Name: "almenara", Value: as})
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	r.people.asked = nil
	found := regexp.MustCompile(`name="upload" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if found == nil {
		return ""
	}
	return found[1]
}

// dryRun is a call that only looks.
var dryRun = regexp.MustCompile(`^Import \d+ true`)

// changing are the calls of the fake that change something.
func changing(calls []string) (out []string) {
	for _, call := range calls {
		if dryRun.MatchString(call) {
			continue
		}
		if strings.HasPrefix(call, "ChangePlace") && strings.HasSuffix(call, " true") {
			continue
		}
		if strings.HasPrefix(call, "UpdateAlert") && strings.Contains(call, " true ") { // a dry run
			continue
		}
		for _, verb := range []string{"PutScenario", "RemoveScenario", "SendAlert", "UpdateAlert", "CancelAlert", "ApproveAlert", "DraftNotice", "ReviseNotice", "ActOnNotice", "ApproveSpoken", "SpokenCode", "MarkTold", "Remind", "ModerateReport", "NewTickets", "EnrolWaiting", "RefuseWaiting", "AddUser", "SetUser", "SetPassword", "RevokeUser", "GrantLicence", "RevokeLicence", "EnrolDevices", "RevokeDevice", "TestDevice", "IdentifyDevice", "ChangePlace", "Import", "ErasePerson", "PutRetention"} {
			if strings.HasPrefix(call, verb) {
				out = append(out, call)
			}
		}
	}
	return out
}
