package residents

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"almenara/node/api/rates"
	"almenara/node/checkin"
	"almenara/node/residents"
	"almenara/node/residents/refusals"
	"almenara/storage/alert/visited"
	"almenara/storage/factbody"
)

// The pages about visits.
const (
	atPath      = checkin.Below    // and the code of a place
	visitsPath  = Below + "visits" // those of this phone
	forgetPath  = visitsPath + "/forget"
	recallPath  = Below + "recall/" // and the id of an alert
	recallsPath = Below + "recalls" // JSON, for pages of the same node
)

var visitsPage = sync.OnceValue(func() *template.Template { return template.Must(template.ParseFS(own, "visits.html")) })

// CheckIns take visits and find recalls; *checkin.CheckIns is one.
type CheckIns interface {
	Opens(address string) error
	At(code, address string, has checkin.Visits) (checkin.Place, error)
	CheckIn(code, address string, has checkin.Visits) (checkin.Place, checkin.Visits, error)
	Show(has checkin.Visits) []checkin.Seen
	Recalls(has checkin.Visits) []checkin.Recall
	Open(f checkin.From) (residents.View, error)
	Answer(ctx context.Context, f checkin.From, in residents.Answer) (residents.Taken, error)
}

// routesOfVisits adds the pages about visits.
func (p *Pages) routesOfVisits() {
	p.mux.HandleFunc("GET "+atPath+"{code}", p.place)
	p.mux.HandleFunc("POST "+atPath+"{code}", p.checkIn)
	p.mux.HandleFunc("GET "+visitsPath, p.visits)
	p.mux.HandleFunc("POST "+forgetPath, p.forget)
	p.mux.HandleFunc("GET "+recallPath+"{alert}", p.recall)
	p.mux.HandleFunc("POST "+recallPath+"{alert}", p.answerRecall)
	p.mux.HandleFunc("GET "+recallsPath, p.recalls)
	p.mux.HandleFunc("GET "+checkin.Upper+"{code}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, atPath+strings.ToLower(r.PathValue("code")), http.StatusTemporaryRedirect)
	})
}

// Visits are kept in a cookie of their own. A browser does not let a page without TLS change one that came by TLS, so
// that these are two, and each page reads what it is given of both.
const (
	visitsCookie    = "visits"
	visitsCookieTLS = "visits-tls"
)

// visitsOf is what a phone brings: in its cookies, or in the address or the form of a phone that keeps none. Whoever
// makes an address can write visits into it: they are shown, and never kept.
func (p *Pages) visitsOf(r *http.Request) checkin.Visits {
	if has, kept := p.keptOf(r); kept {
		return has
	}
	return checkin.ReadVisits(p.clock(), r.FormValue("v"))
}

// keptOf is what a phone keeps; false where it has no cookie of visits.
func (p *Pages) keptOf(r *http.Request) (has checkin.Visits, kept bool) {
	var texts []string
	for _, name := range []string{visitsCookie, visitsCookieTLS} {
		if c, err := r.Cookie(name); err == nil {
			texts, kept = append(texts, c.Value), true
		}
	}
	return checkin.ReadVisits(p.clock(), texts...), kept
}

// keepVisits gives a phone its visits back, to keep as long as phones keep them; none is to forget them.
func keepVisits(w http.ResponseWriter, r *http.Request, has checkin.Visits, seconds int) {
	name := visitsCookie
	if r.TLS != nil {
		name = visitsCookieTLS
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: has.String(), Path: Below, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode, MaxAge: seconds})
}

const visitsSeconds = int(visited.Kept / time.Second)

// shownVisits is what the pages about visits are filled with.
type shownVisits struct {
	Style        string // path
	Title        string
	Path         string
	Place        *named // of the code that was read; nil on the page of all visits
	Here, Done   bool
	NoCookies    bool
	Forgotten    bool
	Keep         string // the address of the visits, for a phone that keeps no cookies
	Recalls      []recallLine
	Visits       []visitLine
	Days, Limits int
}

// named is a place in both languages; the same twice where it has one name only.
type named struct{ Zh, En string }

type recallLine struct {
	Path, Headline, Lang, Other, OtherLang string
	Place                                  named
	When                                   string
}

type visitLine struct {
	Place named
	When  string
}

// nameOf is what a place is called in both languages; its path where it has no name.
func nameOf(path string, names map[string]string) named {
	out := named{Zh: path, En: path}
	for language, name := range names {
		if strings.HasPrefix(strings.ToLower(language), "en") {
			out.En = name
		}
	}
	if out.En != path {
		out.Zh = out.En
	}
	for _, language := range []string{"zh", "zh-Hant", "zh-HK"} { // the last one that there is
		if name := names[language]; name != "" {
			out.Zh = name
		}
	}
	if out.En == path {
		out.En = out.Zh
	}
	return out
}

func (p *Pages) hour(t time.Time) string { return t.In(p.zone).Format("2006-01-02 15:00") }

// place asks somebody who read the code of a place whether they are there.
func (p *Pages) place(w http.ResponseWriter, r *http.Request) {
	has, kept := p.keptOf(r)
	at, err := p.checkIns.At(r.PathValue("code"), rates.AddressOf(r), has)
	if err != nil {
		p.refused(w, err, 0)
		return
	}
	if !kept { // so that the press tells whether the phone keeps cookies
		keepVisits(w, r, has, visitsSeconds)
	}
	p.showPlace(w, r, at, has, r.URL.Query().Get("done") == "true" && at.Here, false)
}

// checkIn keeps a visit in the phone.
func (p *Pages) checkIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostFields*mostField)
	has, kept := p.keptOf(r)
	at, has, err := p.checkIns.CheckIn(r.PathValue("code"), rates.AddressOf(r), has)
	if err != nil {
		p.refused(w, err, 0)
		return
	}
	keepVisits(w, r, has, visitsSeconds)
	if kept {
		http.Redirect(w, r, r.URL.Path+"?done=true", http.StatusSeeOther) // loading the page again sends nothing again
		return
	}
	p.showPlace(w, r, at, has, true, true)
}

func (p *Pages) showPlace(w http.ResponseWriter, r *http.Request, at checkin.Place, has checkin.Visits, done, noCookies bool) {
	place := nameOf(at.Path, at.Names)
	out := shownVisits{Title: place.Zh, Path: r.URL.Path, Place: &place, Here: at.Here, Done: done, NoCookies: noCookies}
	if noCookies {
		out.Keep = visitsPath + "?v=" + has.String()
	}
	p.writeVisits(w, out, has)
}

// visits shows a phone its own visits, and what they are recalled for.
func (p *Pages) visits(w http.ResponseWriter, r *http.Request) {
	if err := p.checkIns.Opens(rates.AddressOf(r)); err != nil {
		p.refused(w, err, 0)
		return
	}
	has, kept := p.keptOf(r)
	if !kept {
		has = p.visitsOf(r)
	}
	out := shownVisits{Title: "我的到訪紀錄 · My visits", Path: r.URL.Path, Forgotten: r.URL.Query().Get("forgotten") == "true" && len(has) == 0}
	for _, v := range p.checkIns.Show(has) {
		out.Visits = append(out.Visits, visitLine{nameOf(v.Path, v.Names), p.hour(v.Hour)})
	}
	if !kept && len(has) > 0 {
		out.Keep = visitsPath + "?v=" + has.String()
	}
	p.writeVisits(w, out, has)
}

// forget has a phone drop its visits.
func (p *Pages) forget(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{visitsCookie, visitsCookieTLS} {
		http.SetCookie(w, &http.Cookie{Name: name, Path: Below, HttpOnly: true, Secure: name == visitsCookieTLS, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	}
	http.Redirect(w, r, visitsPath+"?forgotten=true", http.StatusSeeOther)
}

func (p *Pages) writeVisits(w http.ResponseWriter, out shownVisits, has checkin.Visits) {
	out.Style, out.Days, out.Limits = p.files.Path("residents.css"), int(visited.Kept/(24*time.Hour)), checkin.MostVisits
	out.Recalls = p.recallLines(has, out.Keep != "")
	var b bytes.Buffer
	if err := visitsPage().Execute(&b, out); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// recallLines are the recalls that visits are about. inAddress has their pages told the visits, for a phone that keeps
// no cookies.
func (p *Pages) recallLines(has checkin.Visits, inAddress bool) (out []recallLine) {
	for _, one := range p.checkIns.Recalls(has) {
		line := recallLine{Path: recallPath + string(one.Alert), Place: nameOf(one.Place, one.Names), When: p.hour(one.Visited)}
		if inAddress {
			line.Path += "?v=" + has.String()
		}
		for _, t := range one.Headline {
			headline := cmp.Or(t.Headline, t.Event)
			switch {
			case line.Headline == "":
				line.Headline, line.Lang = headline, t.Language
			case rank(t) == 0 && !strings.HasPrefix(strings.ToLower(line.Lang), "zh"):
				line.Other, line.OtherLang, line.Headline, line.Lang = line.Headline, line.Lang, headline, t.Language
			case line.Other == "":
				line.Other, line.OtherLang = headline, t.Language
			}
		}
		out = append(out, line)
	}
	return out
}

// recalls says which alerts a phone's visits are about, for the pages of this node that somebody has open.
func (p *Pages) recalls(w http.ResponseWriter, r *http.Request) {
	if err := p.checkIns.Opens(rates.AddressOf(r)); err != nil {
		p.refused(w, err, 0)
		return
	}
	has, _ := p.keptOf(r)
	type line struct {
		Path     string `json:"path"`
		Headline string `json:"headline"`
	}
	out := []line{}
	for _, one := range p.recallLines(has, false) {
		out = append(out, line{one.Path, one.Headline})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// recallCookie is the phone's random value for one recall.
func recallCookie(id string) string { return "v-" + id[:min(len(id), 26)] }

func (p *Pages) from(r *http.Request) (f checkin.From, kept bool) {
	f = checkin.From{Alert: r.PathValue("alert"), Address: rates.AddressOf(r)}
	f.Has = p.visitsOf(r)
	if c, err := r.Cookie(recallCookie(f.Alert)); err == nil {
		f.Pass, kept = c.Value, true
	}
	if pass := r.PostFormValue("pass"); pass != "" {
		f.Pass = pass
	}
	return f, kept
}

// recall shows somebody who was there the alert, with its form.
func (p *Pages) recall(w http.ResponseWriter, r *http.Request) {
	f, _ := p.from(r)
	view, err := p.checkIns.Open(f)
	if err != nil {
		p.refused(w, err, 0)
		return
	}
	p.rememberIn(w, r, recallCookie(f.Alert), view)
	d := done{What: r.URL.Query().Get("done"), Here: r.URL.Query().Get("here") == "true"}
	if !map[string]bool{"seen": view.Seen, "help": view.Help}[d.What] {
		d = done{} // whoever made the address says so, and this phone has not
	}
	p.showRecall(w, r, view, f.Has, d)
}

// answerRecall takes what somebody says who was there.
func (p *Pages) answerRecall(w http.ResponseWriter, r *http.Request) {
	address := rates.AddressOf(r)
	if err := p.reading.Take(address, false); err != nil {
		p.refused(w, &refusals.Refused{Why: refusals.TooMany, RetryAfter: 5}, 0)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostFields*mostField)
	err := r.ParseForm()
	p.reading.Give(address)
	if err != nil {
		p.refused(w, &refusals.Refused{Why: refusals.NotAsked}, http.StatusBadRequest)
		return
	}
	f, kept := p.from(r)
	in := residents.Answer{}
	switch r.PostFormValue("answer") {
	case "seen":
		in.What = factbody.ResidentSeen
	case "help":
		in = residents.Answer{What: factbody.ResidentHelp, Where: r.PostFormValue("where"), Text: r.PostFormValue("text")}
	}
	out, err := p.checkIns.Answer(r.Context(), f, in)
	if err != nil {
		p.refused(w, err, 0)
		return
	}
	p.rememberIn(w, r, recallCookie(f.Alert), out.View)
	d := done{What: r.PostFormValue("answer"), Here: !out.Agreed}
	if kept && r.PostFormValue("v") == "" {
		http.Redirect(w, r, r.URL.Path+d.query(), http.StatusSeeOther) // loading the page again sends nothing again
		return
	}
	p.showRecall(w, r, out.View, f.Has, d)
}

func (p *Pages) showRecall(w http.ResponseWriter, r *http.Request, view residents.View, has checkin.Visits, d done) {
	out := p.shownOf(r, view, d)
	out.Recall = true
	place := nameOf(view.Block, nil)
	for _, one := range p.checkIns.Recalls(has) {
		if one.Alert == view.Alert {
			place, out.Visited = nameOf(one.Place, one.Names), p.hour(one.Visited)
		}
	}
	out.Where = &place
	if r.FormValue("v") != "" {
		out.Visits = has.String()
	}
	p.write(w, http.StatusOK, out)
}
