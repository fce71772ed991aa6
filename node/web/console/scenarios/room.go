// Package scenarios is the pages on which a person writes a scenario, changes one, and takes it from or
// to a file.
//
//	form ─► scenario ─► dry run: whom it would reach, what its texts lack ─► put
//
// What the form does not show stays as it was. It adds no right and no rule: what a scenario may be is
// decided where it is put. It never imports another room of pages, api, cluster, channels, storage or a
// room that does the work; the ready-made scenarios are files.
package scenarios

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"almenara/node/api/strictjson"
	"almenara/node/authority"
	"almenara/node/scenario/ready"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

//go:embed *.html *.css
var files embed.FS

// mostFile is the most that a file of a scenario holds, in bytes: what a form may hold of it again.
const mostFile = 128 << 10

type pages struct {
	scenarios service.Scenarios
	places    service.Places
	screen    string
}

// Room is these pages; both services must be set. screen is the path of the module that arranges alerts on screens;
// "" is none, and no picture of them is shown.
func Room(s service.Scenarios, places service.Places, screen string) frame.Room {
	p := pages{s, places, screen}
	const one, below = frame.Below + "scenario", frame.Below + "scenarios/"
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: one, Action: authority.ChangeScenarios, Handle: p.begin},
		{Method: "POST", Path: one, Action: authority.ChangeScenarios, Tries: true, Redraws: true, Handle: p.try},
		{Method: "POST", Path: one + "/save", Action: authority.ChangeScenarios, Handle: p.save},
		{Method: "POST", Path: one + "/file", Action: authority.ChangeScenarios, Tries: true, Upload: mostFile, Handle: p.read},
		{Method: "GET", Path: below + "{scenario}/write", Action: authority.ChangeScenarios, Handle: p.change},
		{Method: "GET", Path: below + "{scenario}/file", Action: authority.ReadAlerts, Handle: p.file},
	}}
}

type writePage struct {
	frame.Page
	Form      form
	Lists     lists
	Ready     []choice // that a new one may begin with
	NoPlaces  bool
	Wrong     frame.Said
	Tried     *tried
	Screen    string   // path of the module that arranges alerts on screens
	Languages []choice // that can be added
}

// tried is what a dry run says.
type tried struct {
	Addressed uint64
	Choose    bool // the count is of whom somebody may choose from
	Words     []finding
	Warnings  []frame.Point
	Glass     string // what the picture of a screen is drawn from; "" is none
	Look      string // how devices present it, in words
}

// finding is what a text lacks.
type finding struct{ Tag, Language, Says string }

// find is the scenario of the district with this id; ok is whether there is one.
func (p pages) find(q *frame.Request, id string) (s wire.Scenario, ok bool, err error) {
	all, err := p.scenarios.ListScenarios(q.R.Context())
	if err != nil {
		return s, false, err
	}
	i := slices.IndexFunc(all, func(s wire.Scenario) bool { return s.ID == id })
	if i < 0 {
		return s, false, nil
	}
	return all[i], true, nil
}

// begin shows an empty form, or that of a ready-made scenario, which is not the district's before it is saved.
func (p pages) begin(q *frame.Request) error {
	id := q.R.URL.Query().Get("ready")
	if id == "" {
		return p.show(q, http.StatusOK, empty(), writePage{})
	}
	s, ok, err := ready.Get(id)
	if err != nil {
		return err
	}
	if !ok {
		return wire.Problemf(wire.KindNotFound, "no scenario %.100q comes with this program", id).Because(why.NoScenario, id)
	}
	return p.open(q, s)
}

// open shows the form of a scenario that may replace the district's of the same id.
func (p pages) open(q *frame.Request, s wire.Scenario) error {
	f, err := formOf(s)
	if err != nil {
		return err
	}
	there, ok, err := p.find(q, s.ID)
	if err != nil {
		return err
	}
	if ok {
		f.Was = there.Revision
	}
	return p.show(q, http.StatusOK, f, writePage{})
}

// change shows the form of a scenario of the district.
func (p pages) change(q *frame.Request) error {
	id := q.R.PathValue("scenario")
	s, ok, err := p.find(q, id)
	if err != nil {
		return err
	}
	if !ok {
		return wire.Problemf(wire.KindNotFound, "there is no scenario %.100q", id).Because(why.NoScenario, id)
	}
	f, err := formOf(s)
	if err != nil {
		return err
	}
	f.Was = s.Revision
	return p.show(q, http.StatusOK, f, writePage{})
}

// try adds a language or a level to the form, or says what would become of it.
func (p pages) try(q *frame.Request) error {
	f := readForm(q)
	out := writePage{}
	switch q.Form("do") {
	case "language":
		f.addLanguage(q.Form("add"))
	case "level":
		f.addLevel()
	case "": // as it was typed, in the other language
	default:
		s, err := f.scenario(q.Lang)
		if err == nil {
			out.Tried, err = p.dry(q, f, s)
		}
		if err != nil {
			return p.refused(q, f, out, err)
		}
	}
	return p.show(q, http.StatusOK, f, out)
}

// dry is what a dry run says of the scenario.
func (p pages) dry(q *frame.Request, f form, s wire.Scenario) (*tried, error) {
	got, err := p.scenarios.PutScenario(q.R.Context(), q.By(), s, true)
	if err != nil {
		return nil, err
	}
	out := &tried{Addressed: got.Addressed, Choose: s.Choose, Warnings: q.Sentences(got.Warnings)}
	for _, w := range got.Words {
		out.Words = append(out.Words, finding{w.Language, view.LanguageName(w.Language), q.Lang.T("compose.rule."+string(w.Rule), w.Word)})
	}
	if got.Look == nil {
		return out, nil
	}
	out.Look = q.Lang.T("compose.tier."+got.Look.Tier) + " · " + q.Lang.T("compose.sound."+got.Look.Sound)
	if got.Look.Confirm == "person" {
		out.Look += " · " + q.Lang.T("compose.person")
	}
	out.Glass, err = view.Glass(f.shown(q.Now, s.Minutes), *got.Look, q.Now)
	return out, err
}

// shown is what screens show of the form, with its blanks as they are written.
func (f form) shown(now time.Time, minutes int) view.GlassBody {
	body := view.GlassBody{Sent: now, Expires: now.Add(time.Duration(minutes) * time.Minute)}
	for _, t := range f.Texts {
		if !t.said() {
			continue
		}
		text := wire.MessageText{
			Language: t.Language, Event: t.Event, Headline: t.Headline, Description: t.Description, Instruction: t.Instruction, SenderName: t.From, Contact: t.Contact,
			Urgency: f.Urgency, Severity: f.Severity, Certainty: f.Certainty, Expires: body.Expires,
		}
		if t.Area != "" {
			text.Areas = []string{t.Area}
		}
		body.Texts = append(body.Texts, text)
	}
	return body.Ordered()
}

// save puts the scenario, unless somebody has changed it since the form was opened.
func (p pages) save(q *frame.Request) error {
	f := readForm(q)
	s, err := f.scenario(q.Lang)
	if err == nil {
		s.Revision = cmp.Or(f.Was, "none")
		_, err = p.scenarios.PutScenario(q.R.Context(), q.By(), s, false)
	}
	if err != nil {
		return p.refused(q, f, writePage{}, err)
	}
	return q.To(frame.Below + "scenarios")
}

// refused shows the form with why.
func (p pages) refused(q *frame.Request, f form, out writePage, err error) error {
	var problem *wire.Problem
	if !errors.As(err, &problem) {
		return err
	}
	out.Wrong = q.Said(problem)
	return p.show(q, cmp.Or(wire.HTTPStatus(problem.Kind), http.StatusUnprocessableEntity), f, out)
}

func (p pages) show(q *frame.Request, status int, f form, out writePage) error {
	out.Page, out.Form, out.Screen = q.Page("scenario", "glass"), f, p.screen
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return err
	}
	places, err := p.places.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	out.NoPlaces = len(places) == 0
	out.Lists = listsOf(q.Lang, f, places, names)
	for tag, name := range view.Languages {
		if len(f.Texts) < mostLanguages && !slices.ContainsFunc(f.Texts, func(t text) bool { return t.Language == tag }) {
			out.Languages = append(out.Languages, choice{Value: tag, Label: name})
		}
	}
	slices.SortFunc(out.Languages, byValue)
	if f.Was != "" {
		out.Page.Title = q.Lang.T("scenario.change.title")
	}
	if f.Was == "" && f.Title == "" {
		come, err := ready.All()
		if err != nil {
			return err
		}
		for _, s := range come {
			out.Ready = append(out.Ready, choice{Value: s.ID, Label: s.Title})
		}
	}
	if out.Page.Path = q.Inside(frame.Below + "scenario"); out.Tried != nil || out.Wrong.Text != "" {
		out.Page.Again = "check"
	}
	return q.ShowAs(status, "scenario", out)
}

// file is a scenario as a file, as the command line and this page read it.
func (p pages) file(q *frame.Request) error {
	id := q.R.PathValue("scenario")
	s, ok, err := p.find(q, id)
	if err != nil {
		return err
	}
	if !ok {
		return wire.Problemf(wire.KindNotFound, "there is no scenario %.100q", id).Because(why.NoScenario, id)
	}
	s.Revision = "" // a file is for any district
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	view.Download(q.W, "application/json", "scenario-"+s.ID+".json")
	_, _ = q.W.Write(append(raw, '\n')) // the browser is gone
	return nil
}

// read shows the form of a scenario in a file; nothing is saved.
func (p pages) read(q *frame.Request) error {
	unread := wire.Problemf(wire.KindMalformed, "the file holds no scenario").Because(why.InWords, q.Lang.T("scenario.file.wrong"))
	file := q.File()
	if file == nil {
		return unread
	}
	raw, err := io.ReadAll(file)
	if err != nil {
		return file.Or(err)
	}
	var s wire.Scenario
	if strictjson.Read(bytes.NewReader(raw), &s) != nil || s.ID == "" {
		return unread
	}
	return p.open(q, s)
}
