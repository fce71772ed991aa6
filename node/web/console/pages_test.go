package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, frame.Room{Pages: files}, func() map[string]any {
		return map[string]any{
			"scenarios": &scenariosPage{}, "remove": &removePage{}, "wall": &wallPage{}, "fire": &firePage{}, "now": &nowPage{}, "alert": &alertPage{}, "unreached": &unreachedPage{},
			"end": &endPage{}, "correct": &correctPage{}, "approvals": &approvalsPage{}, "approve": &approvePage{}, "code": &codePage{}, "number": &numberPage{},
		}
	})
}

// isPage tells a page from a file for the person.
func isPage(got *httptest.ResponseRecorder) bool {
	return strings.HasPrefix(got.Header().Get("Content-Type"), "text/html")
}

// A mark in a foreign text that turns the direction of writing ends where that text ends.
func TestPages_IsolateForeignTexts(t *testing.T) {
	r := newRig(t)
	a := withTexts(apitest.ExampleAlert())
	a.Headline, a.Author = "headline"+pagetest.Hostile, "author"+pagetest.Hostile
	for i := range a.Messages {
		a.Messages[i].Headline, a.Messages[i].Author, a.Messages[i].Reason = a.Headline, a.Author, "reason"+pagetest.Hostile
		for j := range a.Messages[i].Texts {
			x := &a.Messages[i].Texts[j]
			x.Headline, x.Description, x.Instruction, x.Areas = "h"+pagetest.Hostile, "d"+pagetest.Hostile, "i"+pagetest.Hostile, []string{"area" + pagetest.Hostile}
		}
	}
	a.ByGroup = []wire.GroupRow{{Place: "place" + pagetest.Hostile, Kind: "kind" + pagetest.Hostile}}
	r.fake.Alerts = []wire.Alert{a}
	r.fake.Report.Alert = a
	for i := range r.fake.Report.Events {
		e := &r.fake.Report.Events[i]
		e.By, e.Reason, e.Headline = "by"+pagetest.Hostile, "reason"+pagetest.Hostile, "headline"+pagetest.Hostile
	}
	r.fake.Report.Groups[0].Place, r.fake.Report.Groups[0].Kind, r.fake.Report.Kinds[0].Kind = "place"+pagetest.Hostile, "kind"+pagetest.Hostile, "kind"+pagetest.Hostile
	for _, rows := range [][]wire.ReportRow{r.fake.Report.Slowest, r.fake.Report.Dark} {
		rows[0] = wire.ReportRow{Member: "member" + pagetest.Hostile, Kind: "kind" + pagetest.Hostile, Place: "place" + pagetest.Hostile}
	}
	r.fake.Report.Answers[0].Name = "answer" + pagetest.Hostile
	r.fake.Devices = []wire.Device{{ID: "device" + pagetest.Hostile, Kind: "kind" + pagetest.Hostile, Place: "place" + pagetest.Hostile, Connected: new(bool)}}
	for i := range r.fake.Told.Reports {
		one := &r.fake.Told.Reports[i]
		one.Text, one.Where, one.Name, one.Place, one.Note, one.By = "text"+pagetest.Hostile, "where"+pagetest.Hostile, "name"+pagetest.Hostile, "place"+pagetest.Hostile, "note"+pagetest.Hostile, "by"+pagetest.Hostile
	}
	r.fake.Told.Responders[0].Name = "name" + pagetest.Hostile
	r.fake.State.Warnings = why.Sentences{{Text: "warning" + pagetest.Hostile}}
	line := &r.fake.Lines.Lines[0]
	line.Actor, line.Action, line.Subject, line.Summary = "actor"+pagetest.Hostile, "action"+pagetest.Hostile, "subject"+pagetest.Hostile, "summary"+pagetest.Hostile
	r.fake.Rows = []wire.ReceiptRow{{Member: "member" + pagetest.Hostile, Name: "name" + pagetest.Hostile, Kind: "kind" + pagetest.Hostile, Place: "place" + pagetest.Hostile, Reason: "dark"}}
	hostilePeople(r)
	// the text of a picture (SVG) is by itself, as that of a heading is
	isolated := regexp.MustCompile("<bdi[^>]*>[^<]*\u202e[^<]*</bdi>|<(textarea|title|h1|option|text)[^>]*>[^<]*\u202e|<[^>]*\u202e[^>]*>")
	for _, route := range tried() {
		if route.Method != http.MethodGet || isStream(route) || route.Open {
			continue
		}
		answer := r.ask(route, authority.RoleAdministrator)
		if !isPage(answer) {
			continue
		}
		got := answer.Body.String()
		require.NotContains(t, got, "<script>alert", name(route))
		rest := isolated.ReplaceAllString(got, "")
		rest = regexp.MustCompile(`<span class="hidden">[^<]*</span>`).ReplaceAllString(rest, "") // for screen readers only
		require.NotContains(t, rest, "\u202e", "%s shows a foreign text without <bdi>", name(route))
	}
}

// Whatever is live can be stopped from the wall, however many scenarios there are.
func TestWall_ShowsWhatIsLive(t *testing.T) {
	var all []scenarioButton
	for i := range 30 {
		all = append(all, scenarioButton{ID: string(rune('a' + i))})
	}
	all[25].Live = []view.Row{{ID: "x"}}
	shown, more := arranged(all)
	require.Len(t, shown, onWall+1)
	require.Equal(t, all[25].ID, shown[onWall].ID)
	require.Len(t, more, 30-onWall-1)
}

// What waits for approval was pressed already: its button said that nothing was sent.
func TestWall_SaysWhatWaits(t *testing.T) {
	r := newRig(t)
	r.fake.Alerts = []wire.Alert{{ID: "x", State: wire.StatePending, Scenario: apitest.AlertID}}
	require.Contains(t, r.get("wall").Body.String(), "<span>Waits for approval</span>")
	r.fake.Alerts[0].Scenario = ""
	require.NotContains(t, r.get("wall").Body.String(), "<span>Waits for approval</span>")
}

// Nobody was told of what waits for approval, and nobody has to knock at a door for it.
func TestAlert_ThatWaitsTellsNobody(t *testing.T) {
	r := newRig(t)
	a := withTexts(apitest.ExampleAlert())
	a.State, a.Rungs = wire.StatePending, wire.Rungs{Queued: 29}
	r.fake.Alerts, r.fake.Report.Alert = []wire.Alert{a}, a
	a.Messages[0].Pending = true
	for _, path := range []string{"alerts/" + a.ID, "now", "alerts/" + a.ID + "/unreached", "alerts/" + a.ID + "/report"} {
		page := r.get(path).Body.String()
		require.NotRegexp(t, `>sent |<b>Sent</b>|have not heard it|Who has not heard it<span|to knock|told nothing`, page, path)
		require.Regexp(t, "(?i)nobody was told|written 2026-11-29|waits for approval", page, path)
	}
	require.Contains(t, r.get("alerts/"+a.ID).Body.String(), "Nobody was told yet</a>")
	r.fake.Alerts[0].State = wire.StateInForce
	require.Regexp(t, `>sent [\s\S]*29 have not heard it`, r.get("alerts/"+a.ID).Body.String())
}

// Who presses knows whether people are warned by it, or by the next person who approves it.
func TestFire_SaysThatItWaits(t *testing.T) {
	r := newRig(t)
	fire := func() string { return r.get("fire/" + apitest.AlertID + "?b.where=Block+2").Body.String() }
	require.Regexp(t, `people are warned at once[\s\S]*>Send now</button>`, fire())
	r.fake.Outcome.Approvals = &wire.Approvals{Needed: 1}
	require.Regexp(t, `people are warned once it is approved[\s\S]*>Send it for approval</button>`, fire())
	require.NotRegexp(t, `at once|Send now`, fire())
}

// Who fills blanks in reads what becomes of them before anybody else does, in each language.
func TestFire_ShowsWhatPeopleWillRead(t *testing.T) {
	r := newRig(t)
	fire := func() string { return r.get("fire/" + apitest.AlertID + "?b.where=Block+2").Body.String() }
	require.NotContains(t, fire(), "What people will read", "of what has no texts nothing is said")
	r.fake.Outcome.Texts = []wire.MessageText{
		{Language: "en", Headline: "Fire in Block 2", Description: "Smoke <on> 3/F", Instruction: "Leave by the stairs"},
		{Language: "zh-Hant", Headline: "第2座火警", Instruction: "沿樓梯離開"},
	}
	require.Regexp(t, `What people will read</h2><div class="text" lang="en"><h3><bdi>Fire in Block 2</bdi>[\s\S]*Smoke &lt;on&gt; 3/F[\s\S]*<strong><bdi>Leave by the stairs[\s\S]*lang="zh-Hant"><h3><bdi>第2座火警[\s\S]*沿樓梯離開[\s\S]*name="word"`, fire())
}

// A page claims nothing of devices that they have not told: after STOP at a node that does not reach the others, theirs go on.
func TestEnd_SaysWhoseDevicesMayGoOn(t *testing.T) {
	r := newRig(t)
	page := func() string { return r.get("alerts/" + apitest.AlertID + "/end").Body.String() }
	r.fake.State.Ready, r.fake.State.Alone, r.fake.State.Nodes = true, false, nil
	require.NotContains(t, page(), "may go on showing it")
	r.fake.State.Alone = true
	require.Contains(t, page(), "may go on showing it")
	require.Contains(t, r.get("alerts/"+apitest.AlertID+"?effect=warns").Body.String(), "How many devices have shown it is counted below")
}

// Who guessed, and who sits beside them, is told when the next attempt is taken.
func TestSignIn_SaysHowLongToWait(t *testing.T) {
	r := newRig(t)
	q := httptest.NewRequest("POST", Below+"sign-in", strings.NewReader("name=guessed&password=wrong"))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, q)
	require.Contains(t, answer.Body.String(), "Another node lets you in at once. The next attempt here is taken in 2 min 8 s.")
}

// Whose session has ended while they wrote finds the way in beside that, and keeps the page.
func TestRefused_OffersToSignInWhereTheSessionHasEnded(t *testing.T) {
	r := newRig(t)
	send := frame.Route{Method: "POST", Path: Below + "compose/send"}
	in := `<a href="/console/sign-in" target="_blank">`
	require.NotContains(t, r.ask(send, authority.RoleViewer).Body.String(), in, "who may not send is signed in")
	r.people.gone = true
	require.Contains(t, r.ask(send, authority.RoleComposer).Body.String(), in)
}

// The check of a scenario that nobody would get is no good news.
func TestScenario_OfNobodySaysSo(t *testing.T) {
	for reached, says := range map[uint64]string{0: `class="wrong" role="status"><p>It can be saved, but would warn nobody now.`, 2: `class="good-news" role="status"><p>It can be sent as it is.`} {
		r := newRig(t)
		r.fake.Addresses = reached
		route := frame.Route{Method: "POST", Path: Below + "scenario", Action: authority.ChangeScenarios, Tries: true}
		require.Contains(t, r.ask(route, authority.RoleAdministrator).Body.String(), says)
	}
}

// A scenario has a name that people know, and a short one that they type.
func TestApprove_NamesTheScenarioByItsTitle(t *testing.T) {
	r := newRig(t)
	r.fake.Alerts[0].Messages[1].Approvals.Why = &wire.Demand{Scenario: apitest.AlertID, Rule: wire.PolicyRule{Approvals: 1}}
	require.Contains(t, r.get("alerts/"+apitest.AlertID+"/approve").Body.String(), "The scenario Flood asks for it.")
}

// The districts of Hong Kong come along: what is new is for this one unless somebody says otherwise.
func TestForms_BeginWithTheDistrict(t *testing.T) {
	r := newRig(t)
	r.fake.Places = []wire.Place{{Path: "central-and-western"}, {Path: "tuen-mun"}, {Path: "yuen-long"}}
	for _, path := range []string{"add-place", "licences"} {
		page := r.get(path).Body.String()
		require.Contains(t, page, `<option value="tuen-mun" selected>`, path)
		require.NotContains(t, page, `<option value="central-and-western" selected>`, path)
	}
	require.Contains(t, r.get("add-place?under=yuen-long").Body.String(), `<option value="yuen-long" selected>`)
}

// A drill that is in force is never shown as danger is; with a real alert of the same scenario it is danger.
func TestWall_ShowsNoDrillAsDanger(t *testing.T) {
	b := scenarioButton{ID: "drill", Drill: true, Live: []view.Row{{ID: "x", InForce: true, Drill: true}}}
	require.False(t, b.Real())
	page := pagetest.Rendered(t, frame.Room{Pages: files}, "wall", &wallPage{Buttons: []scenarioButton{b}}, words.All()[0], "")
	require.Contains(t, page, `<li class="exercise running">`)
	require.Contains(t, page, "DRILL, IN FORCE")
	b.Live = append(b.Live, view.Row{ID: "y", InForce: true})
	require.True(t, b.Real())
}

// Two people at a time, each in another language: no page comes out in the other's.
func TestPages_InTwoLanguagesAtOnce(t *testing.T) {
	r := newRig(t)
	var all sync.WaitGroup
	for i := range 8 {
		lang := words.All()[i%2]
		all.Go(func() {
			for _, route := range tried() {
				if route.Method != http.MethodGet || isStream(route) || route.Path == Below+"static/{file}" {
					continue
				}
				got := r.ask(route, authority.RoleAdministrator, func(q *http.Request) { q.Header.Set("Accept-Language", lang.Tag) })
				if got.Code != 200 || !isPage(got) {
					continue
				}
				if !strings.Contains(got.Body.String(), `<html lang="`+lang.Tag+`">`) || !strings.Contains(got.Body.String(), lang.T("layout.signout")) || strings.Contains(got.Body.String(), lang.Other().T("layout.signout")) {
					t.Errorf("%s came out in another language than %s", name(route), lang.Tag)
				}
			}
		})
	}
	all.Wait()
}

// Everything that fills the blanks is part of the incident, however long the place is: under one id a second
// fire would take the place of the first one.
func TestIncident_OfTwoThingsIsNeverOne(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 4, 0, 0, time.UTC)
	place := "tuen-mun/tuen-mun-town-centre/kam-fai-garden/kam-fai-garden-block-3"
	of := func(where string, again int) string {
		return incident(now, place, []blank{{Name: "where", Text: where}}, again)
	}
	require.NotEqual(t, of("3/F, flat A", 1), of("12/F, flat D", 1))
	require.NotEqual(t, of("3/F, flat A", 1), of("3/F, flat A", 2))
	require.Equal(t, of("3/F, flat A", 1), of("3/F, flat A", 1), "two people who press for one thing make one alert")
	require.LessOrEqual(t, utf8.RuneCountInString(of(strings.Repeat("屯", 500), 1)), mostIncident)
	require.Equal(t, "2026-11-30T03:00Z a/b Block 3", incident(now, "a/b", []blank{{Text: "Block 3"}}, 1), "what is short can be read")
}

// Fifty alerts in force for ten thousand devices, all on one page, and the most that are shown on a screen of a room.
func TestNow_OfFiftyAlertsIsSmall(t *testing.T) {
	r := newRig(t)
	one := r.fake.Alerts[0]
	r.fake.Alerts = nil
	for i := range 50 {
		a := one
		a.ID, a.Headline = fmt.Sprintf("%026d", i), "No water in On Ting Estate until 18:00, from the tank on the roof"
		a.State, a.Status, a.Rungs = wire.StateInForce, "Actual", wire.Rungs{Queued: 10_000, Sent: 9_990, Delivered: 9_980, Verified: 9_970, Presented: 9_000}
		r.fake.Alerts = append(r.fake.Alerts, a)
	}
	now, watch := r.get("now").Body.String(), r.get("watch").Body.String()
	t.Logf("what is in force has %d KiB, the screen of the operations room %d", len(now)>>10, len(watch)>>10)
	require.Equal(t, 50, strings.Count(now, "data-rung=\"presented\""))
	require.Less(t, len(now), 160<<10)
	require.Equal(t, 12, strings.Count(watch, "<progress"))
	require.Contains(t, watch, "38 more are in force")
	require.Less(t, len(watch), 24<<10)
}
