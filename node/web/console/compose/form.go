package compose

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"almenara/node/web/console/compose/further"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
)

// mostLanguages is in how many languages an alert can be written here.
const mostLanguages = 8

// holdsFor is how long after a form was opened its message may be sent: it says that it is from then.
const holdsFor = 45 * time.Minute

// form is what the person has said so far, as browsers send it. ID and At name the message: whoever
// presses twice, or again after no answer came, sends the same message, which every node knows for
// one. At is when the form was opened, and never changes after that. Checked is when it was checked last:
// its times are counted from then.
type form struct {
	ID, At, Checked                      string
	Status                               string
	Hazard, Category                     string
	Urgency, Severity, Certainty         string
	Response                             string
	Onset, Lasts                         string // spans, as in spans
	Texts                                []text
	By                                   string // places, draw, select; in an update "" keeps what it has
	Place                                []string
	Polygon, Circle, AreaName            string
	Select                               string
	Link, LinkDesc, LinkType, LinkDigest string
	further.Fields
	Picture, PictureDesc string // base64
	Incident, Reason     string
	Another              bool
	Stands               string // of an update: what stood when the page was read
}

// text is what the alert says in one language.
type text struct {
	N                                                  int
	Language, Name                                     string
	Event, Headline, Description, Instruction, Contact string
	From                                               string
}

// said reports whether anything is written in this language that people would read.
func (t text) said() bool { return t.Headline+t.Description+t.Instruction != "" }

// newID names a message; no other has it.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// isID reports whether the text is one that newID may have made.
func isID(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 16 && strings.ToLower(s) == s
}

// empty is the form before anything was said: the languages of the district, and the plainest choices.
func empty(now time.Time) form {
	f := form{ID: newID(), At: stamp(now), Status: "Actual", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Response: "None", Onset: "0", Lasts: "60", By: "places", Fields: further.Fields{Needed: "2", Minutes: "10"}}
	for n, l := range words.All() {
		f.Texts = append(f.Texts, text{N: n, Language: l.Tag, Name: view.LanguageName(l.Tag)})
	}
	return f
}

// formOf reads a form that was sent.
func formOf(q *frame.Request) form {
	v := q.R.PostForm
	get := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(v.Get(name), "\r\n", "\n")) }
	f := form{
		ID: get("id"), At: get("at"), Checked: get("checked"), Status: get("status"), Hazard: get("hazard"), Category: get("category"),
		Urgency: get("urgency"), Severity: get("severity"), Certainty: get("certainty"), Response: get("response"), Onset: get("onset"), Lasts: get("lasts"),
		By: get("by"), Polygon: get("polygon"), Circle: get("circle"), AreaName: get("areaname"), Select: get("select"),
		Link: get("link"), LinkDesc: get("linkdesc"), LinkType: get("linktype"), LinkDigest: get("linkdigest"), Picture: get("picture"), PictureDesc: get("picturedesc"),
		Incident: get("incident"), Reason: get("reason"), Another: get("another") != "", Stands: get("stands"), Fields: further.Of(get),
	}
	for _, path := range v["place"] {
		if path = strings.TrimSpace(path); path != "" && !slices.Contains(f.Place, path) {
			f.Place = append(f.Place, path)
		}
	}
	for n := range mostLanguages {
		at := "." + strconv.Itoa(n)
		if get("lang"+at) == "" {
			break
		}
		f.Texts = append(f.Texts, text{
			N: n, Language: get("lang" + at), Name: view.LanguageName(get("lang" + at)), Event: get("event" + at), Headline: get("headline" + at), Description: get("description" + at),
			Instruction: get("instruction" + at), Contact: get("contact" + at), From: get("from" + at),
		})
	}
	if _, err := time.Parse(time.RFC3339, f.At); err != nil || !isID(f.ID) {
		f.ID, f.At = newID(), stamp(q.Now)
	}
	if len(f.Texts) == 0 {
		f.Texts = empty(q.Now).Texts
	}
	return f
}

type field struct{ Name, Value string } // one value of a form, to be sent again

// fields are all values of the form: what formOf reads again as the same.
func (f form) fields() (out []field) {
	for _, one := range append(further.Pairs[field](f.Fields), []field{
		{"id", f.ID}, {"at", f.At}, {"checked", f.Checked}, {"status", f.Status}, {"hazard", f.Hazard}, {"category", f.Category}, {"urgency", f.Urgency}, {"severity", f.Severity},
		{"certainty", f.Certainty}, {"response", f.Response}, {"onset", f.Onset}, {"lasts", f.Lasts}, {"by", f.By}, {"polygon", f.Polygon}, {"circle", f.Circle},
		{"areaname", f.AreaName}, {"select", f.Select}, {"link", f.Link}, {"linkdesc", f.LinkDesc}, {"linktype", f.LinkType}, {"linkdigest", f.LinkDigest}, {"picture", f.Picture}, {"picturedesc", f.PictureDesc}, {"stands", f.Stands},
	}...) {
		if one.Value != "" {
			out = append(out, one)
		}
	}
	for _, path := range f.Place {
		out = append(out, field{"place", path})
	}
	for _, t := range f.Texts {
		at := "." + strconv.Itoa(t.N)
		for _, one := range []field{
			{"lang", t.Language}, {"event", t.Event}, {"headline", t.Headline}, {"description", t.Description}, {"instruction", t.Instruction}, {"contact", t.Contact}, {"from", t.From},
		} {
			if one.Value != "" {
				out = append(out, field{one.Name + at, one.Value})
			}
		}
	}
	return out
}

// add adds a language, once; from is who warns, in that language.
func (f *form) add(language, from string) {
	known := func(t text) bool { return t.Language == language }
	if language == "" || len(f.Texts) >= mostLanguages || slices.ContainsFunc(f.Texts, known) || !slices.Contains(languages, language) {
		return
	}
	f.Texts = append(f.Texts, text{N: len(f.Texts), Language: language, Name: view.LanguageName(language), From: from})
}

// stamp is a time as forms hold it.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// sent is when the message is from, and checked from when on its times are counted.
func (f form) sent() time.Time {
	at, _ := time.Parse(time.RFC3339, f.At) // formOf has seen to it
	return at
}

// old reports whether it is from too long ago to be sent.
func (f form) old(q *frame.Request) bool { return q.Now.Sub(f.sent()) > holdsFor }

func (f form) checked() time.Time {
	at, err := time.Parse(time.RFC3339, f.Checked)
	if err != nil {
		return f.sent()
	}
	return at
}
