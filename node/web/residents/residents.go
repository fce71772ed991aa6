// Package residents is the pages that anybody's phone opens by the code beside an alert: the alert, and three
// answers to it. There is no account, no app and no name; it works without JavaScript. What is taken is decided by
// node/residents; here is how it is asked and shown, in Chinese and English together. It never imports console,
// api but for addresses, or another page.
package residents

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/node/api/rates"
	"almenara/node/inflight"
	"almenara/node/residents"
	"almenara/node/residents/refusals"
	"almenara/node/web"
	"almenara/storage/factbody"
)

// Below is where the pages are. Upper is the same in capitals, of which QR codes are smaller.
const (
	Below = "/r/"
	Upper = residents.Upper
)

// The bounds of one request.
const (
	mostBody   = 16 << 20 // bytes; what is over mostPhoto is read and dropped, so that the words are not lost with it
	mostPhoto  = 1 << 20  // bytes of a photo that is looked at
	mostField  = 2 << 10  // bytes of a field
	mostFields = 16
)

// How many answers are read at a time, of one address and in all, so that phones which send slowly keep nobody
// from answering. An address may be that of a whole building; a usual answer is read at once. Of those, so many
// may have a photo, until it was drawn anew, which bounds the memory for them: of the others the words are taken,
// and no words wait for photos.
var (
	reading = inflight.Bounds{Each: 8, All: 256}
	photos  = inflight.Bounds{Each: 2, All: 16}
)

//go:embed *.html *.css *.js
var own embed.FS

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(own, "residents.html", "visits.html"))
})

// Answers takes them; *residents.Residents is one.
type Answers interface {
	Open(v residents.Visit) (residents.View, error)
	Answer(ctx context.Context, v residents.Visit, in residents.Answer) (residents.Taken, error)
}

// Pages serves them. It may be used from any goroutine.
type Pages struct {
	answers  Answers
	checkIns CheckIns
	clock    func() time.Time
	zone     *time.Location
	files    *web.Files
	mux      *http.ServeMux
	reading  *inflight.Open
	photos   *inflight.Open
}

// New makes them. The zone is that in which times are shown.
func New(answers Answers, checkIns CheckIns, clock func() time.Time, zone *time.Location) *Pages {
	files, err := web.NewFiles(Below+"file/", own)
	if err != nil {
		panic(err) // they are part of the program
	}
	p := &Pages{answers: answers, checkIns: checkIns, clock: clock, zone: zone, files: files, mux: http.NewServeMux(), reading: inflight.NewOpen("answers", reading), photos: inflight.NewOpen("photos", photos)}
	p.mux.HandleFunc("GET "+Below+"file/{name}", p.file)
	p.mux.HandleFunc("GET "+Below+"{link}", p.open)
	p.mux.HandleFunc("POST "+Below+"{link}", p.answer)
	p.mux.HandleFunc("GET "+Upper+"{link}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, Below+strings.ToLower(r.PathValue("link")), http.StatusTemporaryRedirect)
	})
	p.routesOfVisits()
	return p
}

// Register puts the pages where links lead, and returns them.
func (p *Pages) Register(mux *http.ServeMux) *Pages {
	mux.Handle(Below, p)
	mux.Handle(Upper, p)
	return p
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := web.Protect(w, r); err != nil {
		p.refused(w, &refusals.Refused{Why: refusals.NotAsked}, http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // the address is what lets somebody answer
	p.mux.ServeHTTP(w, r)
}

func (p *Pages) file(w http.ResponseWriter, r *http.Request) {
	if !p.files.Serve(w, r, r.PathValue("name")) {
		http.NotFound(w, r)
	}
}

// cookieOf is the one cookie of the pages: a phone's random value for one alert, by the alert's place in the link,
// so that those of two alerts are two.
func cookieOf(link string) string { return "r-" + link[:min(len(link), 27)] }

func (p *Pages) visit(r *http.Request) residents.Visit {
	v := residents.Visit{Link: r.PathValue("link"), Address: rates.AddressOf(r)}
	if c, err := r.Cookie(cookieOf(v.Link)); err == nil {
		v.Pass = c.Value
	}
	return v
}

// open shows the alert.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) {
	view, err := p.answers.Open(p.visit(r))
	if err != nil {
		p.refused(w, err, 0)
		return
	}
	p.remember(w, r, view)
	d := done{What: r.URL.Query().Get("done"), Here: r.URL.Query().Get("here") == "true", NoPhoto: r.URL.Query().Get("photo") == "false"}
	if !map[string]bool{"seen": view.Seen, "help": view.Help, "photo": view.Photo}[d.What] {
		d = done{} // whoever made the address says so, and this phone has not
	}
	p.show(w, r, view, d)
}

// remember gives the phone its random value, for as long as the alert can last.
func (p *Pages) remember(w http.ResponseWriter, r *http.Request, view residents.View) {
	p.rememberIn(w, r, cookieOf(r.PathValue("link")), view)
}

func (p *Pages) rememberIn(w http.ResponseWriter, r *http.Request, cookie string, view residents.View) {
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: view.Pass, Path: Below, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
		MaxAge: int(max(view.Expires.Sub(p.clock()), time.Minute).Seconds()),
	})
}

// answer takes what somebody says.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) {
	from := rates.AddressOf(r)
	if err := p.reading.Take(from, false); err != nil {
		p.refused(w, &refusals.Refused{Why: refusals.TooMany, RetryAfter: 5}, 0)
		return
	}
	read := sync.OnceFunc(func() { p.reading.Give(from) })
	defer read()
	busy, drawn := false, func() {}
	defer func() { drawn() }()
	form, photo, err := fields(w, r, func() bool {
		if busy = p.photos.Take(from, false) != nil; !busy {
			drawn = sync.OnceFunc(func() { p.photos.Give(from) })
		}
		return !busy
	})
	read() // it waits to be agreed on, beside all others
	if len(photo) <= 1 {
		drawn()
	}
	if err != nil {
		p.refused(w, &refusals.Refused{Why: refusals.BadPhoto}, http.StatusBadRequest)
		return
	}
	if busy && form["answer"] == "photo" {
		p.refused(w, &refusals.Refused{Why: refusals.TooMany, RetryAfter: 5}, 0)
		return
	}
	v := p.visit(r)
	v.Pass = cmp.Or(form["pass"], v.Pass) // a phone that keeps no cookies has it in the page
	in := residents.Answer{Where: form["where"], Text: form["text"], Photo: photo}
	switch form["answer"] {
	case "seen":
		in.What = factbody.ResidentSeen
	case "help":
		in.What = factbody.ResidentHelp
	case "photo":
		in.What = factbody.ResidentPhoto
	}
	out, err := p.answers.Answer(r.Context(), v, in)
	if err != nil {
		p.refused(w, err, 0)
		return
	}
	p.remember(w, r, out.View)
	d := done{What: form["answer"], Here: !out.Agreed, NoPhoto: out.NoPhoto}
	if _, err := r.Cookie(cookieOf(v.Link)); err == nil { // loading the page again sends nothing again
		http.Redirect(w, r, r.URL.Path+d.query(), http.StatusSeeOther)
		return
	}
	p.show(w, r, out.View, d)
}

// fields reads a form. A photo that is too large, or has no room, is read and dropped, and what was written is not lost
// with it; it is given as one byte then, which is no photo.
func fields(w http.ResponseWriter, r *http.Request, room func() bool) (form map[string]string, photo []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	form = map[string]string{}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		r.Body = http.MaxBytesReader(w, r.Body, mostFields*mostField)
		if err := r.ParseForm(); err != nil {
			return nil, nil, err
		}
		for name, values := range r.PostForm {
			form[name] = values[0]
		}
		return form, nil, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, err
	}
	for range mostFields {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return form, photo, nil
		}
		if err == nil && part.FormName() == "photo" {
			if err = errors.New("the form has two photos"); photo == nil {
				photo, err = photoOf(part, room)
			}
		} else if err == nil {
			var raw []byte
			raw, err = io.ReadAll(io.LimitReader(part, mostField))
			form[part.FormName()] = string(raw)
		}
		if err != nil {
			if len(form["answer"]) > 0 && form["answer"] != "photo" { // the words came first, and count
				return form, []byte{0}, nil
			}
			return nil, nil, err
		}
	}
	return nil, nil, errors.New("the form has too many fields")
}

func photoOf(part *multipart.Part, room func() bool) ([]byte, error) {
	if first, err := io.ReadAll(io.LimitReader(part, 1)); err != nil || len(first) == 0 { // none was chosen
		return nil, err
	} else if room() {
		raw, err := io.ReadAll(io.MultiReader(bytes.NewReader(first), io.LimitReader(part, mostPhoto)))
		if err != nil || len(raw) <= mostPhoto {
			return raw, err
		}
	}
	_, err := io.Copy(io.Discard, part)
	return []byte{0}, err
}

// done is what the answer that was just given came to.
type done struct {
	What          string // seen, help or photo; "" where nothing was given
	Here, NoPhoto bool
}

// query is what the address says of it, for the page that comes next.
func (d done) query() string {
	return "?done=" + d.What + "&here=" + strconv.FormatBool(d.Here) + "&photo=" + strconv.FormatBool(!d.NoPhoto)
}

// shown is what the page is filled with.
type shown struct {
	Style, Script string // paths
	Frame         string // danger, caution or drill
	Drill         bool
	Title         string
	Texts         []text
	Asks          map[string]bool
	Pass          string
	Path          string
	View          residents.View
	Done          done
	Refused       *refusal
	Recalls       []recallLine // that the phone's own visits are about
	Recall        bool         // this alert is one: Where was visited when, and Visits are what a phone without cookies says again
	Where         *named
	Visited       string
	Visits        string
}

type text struct {
	contract.Text
	Until string
}

// Chinese reports whether the text is Chinese, in whatever writing.
func (t text) Chinese() bool { return rank(t.Text) == 0 }

func (p *Pages) show(w http.ResponseWriter, r *http.Request, v residents.View, d done) {
	out := p.shownOf(r, v, d)
	has, _ := p.keptOf(r)
	out.Recalls = p.recallLines(has, false)
	p.write(w, http.StatusOK, out)
}

func (p *Pages) shownOf(r *http.Request, v residents.View, d done) shown {
	out := shown{Frame: "caution", Pass: v.Pass, Path: r.URL.Path, View: v, Done: d, Asks: map[string]bool{}}
	switch v.Tier {
	case contract.TierEmergency:
		out.Frame = "danger"
	case contract.TierDrill, contract.TierTest:
		out.Frame, out.Drill = "drill", true
	}
	for _, word := range v.Asked {
		out.Asks[word] = true
	}
	now := p.clock()
	for _, t := range v.Texts {
		if now.Before(t.Expires) {
			out.Texts = append(out.Texts, text{t, t.Expires.In(p.zone).Format("2006-01-02 15:04 MST")})
		}
	}
	slices.SortStableFunc(out.Texts, func(a, b text) int { return cmp.Compare(rank(a.Text), rank(b.Text)) })
	if len(out.Texts) > 0 {
		out.Title = cmp.Or(out.Texts[0].Headline, out.Texts[0].Event)
	}
	return out
}

// rank puts Chinese first.
func rank(t contract.Text) int {
	if strings.HasPrefix(strings.ToLower(t.Language), "zh") {
		return 0
	}
	return 1
}

// refused says in one sentence why not; a status of 0 is that of the reason.
func (p *Pages) refused(w http.ResponseWriter, err error, status int) {
	var why *refusals.Refused
	if !errors.As(err, &why) {
		why = &refusals.Refused{Why: refusals.NotReady}
	}
	if why.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(why.RetryAfter))
	}
	says := sentences[why.Why]
	p.write(w, cmp.Or(status, statusOf(why)), shown{Frame: "caution", Title: says.Zh, Refused: &says})
}

func (p *Pages) write(w http.ResponseWriter, status int, s shown) {
	s.Style, s.Script = p.files.Path("residents.css"), p.files.Path("residents.js")
	var out bytes.Buffer
	if err := page().Execute(&out, s); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}
