package scenarios

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"almenara/node/web/console/compose/further"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// What a form has at most; a scenario with more keeps what the form does not show.
const (
	mostLanguages = 8
	mostLevels    = 10 // node/levels takes no more
	mostBlanks    = 32 // node/scenario takes no more
)

const (
	byPlace      = "place"
	bySelect     = "select"
	asItIs       = "="
	statusActual = "Actual"
)

// form is what the person has said so far. Base is the scenario that it began with, as JSON. Was is the
// revision of the one that the district had then; "" where it had none.
type form struct {
	Base, Was                              string
	ID, Title                              string
	By, Place, Select                      string
	Choose                                 bool
	Minutes, Approvals, UsualMin, UsualMax string
	Status                                 string
	Urgency, Severity, Certainty           string // "" leaves them as they are
	Category, Response                     string
	Confirm                                string   // person or none; "": as the alert's tier makes it; asItIs: the texts differ, and stay
	Residents                              []string // what people at the place may say
	ResidentsKept                          bool     // the texts differ, and stay
	Texts                                  []text
	Blanks                                 []blank
	Checklist, Sensitive                   string // a line each
	Levels                                 []level
	Words                                  string // of the levels: a word in each line, "!" before it where somebody must tick it, why behind a colon
	further.Fields
}

// text is what it says in one language; N is its place among the info blocks that the form began with.
type text struct {
	N                                                              int
	Language, Name                                                 string
	Event, Headline, Description, Instruction, From, Contact, Area string
}

func (t text) said() bool {
	return t.Event+t.Headline+t.Description+t.Instruction+t.From+t.Contact != ""
}

// blank is what may fill in a blank.
type blank struct{ Name, For, Values, Most string }

// level is one step of a planned notice; People and Checklist are a line each.
type level struct {
	N                                            int
	Title, Role, People, Count, Hours, Checklist string
}

// Shown is its number as people count.
func (l level) Shown() int { return l.N + 1 }

type choice struct {
	Value, Label string
	Chosen       bool
}

func byValue(a, b choice) int { return strings.Compare(a.Value, b.Value) }

// empty is the form of a new scenario: in the languages of the district, with the plainest choices.
func empty() form {
	f := form{By: byPlace, Minutes: "60", Status: statusActual, Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Category: "Safety", Response: "None", Fields: further.Fields{Needed: "2", Minutes: "10"}}
	for n, l := range words.All() {
		f.Texts = append(f.Texts, text{N: n, Language: l.Tag, Name: view.LanguageName(l.Tag)})
	}
	return f
}

// readForm reads a form that was sent.
func readForm(q *frame.Request) form {
	v := q.R.PostForm
	get := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(v.Get(name), "\r\n", "\n")) }
	f := form{
		Base: get("base"), Was: get("was"), ID: get("id"), Title: get("named"), By: get("by"), Place: get("place"), Select: get("select"), Choose: get("choose") != "",
		Minutes: get("minutes"), Approvals: get("approvals"), UsualMin: get("usualmin"), UsualMax: get("usualmax"), Status: get("status"),
		Urgency: get("urgency"), Severity: get("severity"), Certainty: get("certainty"), Category: get("category"), Response: get("response"),
		Confirm: get("confirm"), ResidentsKept: get("residentskept") != "", Checklist: get("checklist"), Sensitive: get("sensitive"), Words: get("words"), Fields: further.Of(get),
	}
	for _, may := range residentsMay {
		if slices.Contains(v["residents"], may) {
			f.Residents = append(f.Residents, may)
		}
	}
	numbered := func(n int) func(string) string {
		return func(name string) string { return get(name + "." + strconv.Itoa(n)) }
	}
	for n := range mostLanguages {
		at := numbered(n)
		if at("lang") == "" {
			break
		}
		f.Texts = append(f.Texts, text{
			N: n, Language: at("lang"), Name: view.LanguageName(at("lang")), Event: at("event"), Headline: at("headline"), Description: at("description"), Instruction: at("instruction"),
			From: at("from"), Contact: at("contact"), Area: at("area"),
		})
	}
	for n := range mostLevels {
		at := numbered(n)
		if _, there := v["level."+strconv.Itoa(n)]; !there {
			break
		}
		f.Levels = append(f.Levels, level{N: n, Title: at("level"), Role: at("role"), People: at("people"), Count: at("count"), Hours: at("hours"), Checklist: at("tick")})
	}
	var given []blank
	for n := range mostBlanks {
		if at := numbered(n); at("blank") != "" {
			given = append(given, blank{at("blank"), at("for"), at("values"), at("most")})
		}
	}
	if raw, err := f.alert(f.alertOfBase()); err == nil { // else it is refused where it is tried
		f.Blanks = blanksIn(raw, given)
	}
	return f
}

// blanksIn are the blanks that an alert has: those of which something was said, in that order, and then
// the others.
func blanksIn(alert []byte, given []blank) (out []blank) {
	names := blanksOf(alert)
	for _, b := range given {
		if n := slices.Index(names, b.Name); n >= 0 {
			out, names = append(out, b), slices.Delete(names, n, n+1)
		}
	}
	for _, name := range names {
		out = append(out, blank{Name: name})
	}
	return out
}

func (f *form) alertOfBase() json.RawMessage {
	var s wire.Scenario
	_ = json.Unmarshal([]byte(f.Base), &s) // it is refused where it is tried
	return s.Alert
}

func (f *form) addLanguage(tag string) {
	if _, known := view.Languages[tag]; known && len(f.Texts) < mostLanguages {
		f.Texts = append(f.Texts, text{N: len(f.Texts), Language: tag, Name: view.LanguageName(tag)})
	}
}

func (f *form) addLevel() {
	if len(f.Levels) < mostLevels {
		f.Levels = append(f.Levels, level{N: len(f.Levels)})
	}
}

// lists are what the form offers to choose from.
type lists struct {
	Places, Urgencies, Severities, Certainties, Categories, Responses, Confirms, Residents []choice
	Roles                                                                                  [][]choice // of each level
}

// RolesOf are the roles that may pass this level.
func (l lists) RolesOf(level int) []choice {
	if level >= len(l.Roles) {
		return nil
	}
	return l.Roles[level]
}

var (
	urgencies = []string{"Immediate", "Expected", "Future", "Past", "Unknown"}
	passing   = []string{"composer", "approver", "administrator"}
)

func listsOf(l *words.Language, f form, places []wire.Place, names view.PlaceNames) (out lists) {
	// of lists the values with their texts; a value that is none of them is offered as leaving it as it is.
	of := func(prefix string, values []string, chosen string) (all []choice) {
		if !slices.Contains(values, chosen) {
			all = append(all, choice{"", l.T("scenario.asitis"), true})
		}
		for _, v := range values {
			all = append(all, choice{v, l.T(prefix + v), v == chosen})
		}
		return all
	}
	out.Urgencies, out.Severities = of("compose.urgency.", urgencies, f.Urgency), of("compose.severity.", view.Severities, f.Severity)
	out.Certainties, out.Categories, out.Responses = of("compose.certainty.", view.Certainties, f.Certainty), of("compose.category.", view.Categories, f.Category), of("compose.response.", view.Responses, f.Response)
	out.Confirms = []choice{{"", l.T("scenario.confirm.tier"), f.Confirm == ""}, {"person", l.T("scenario.confirm.person"), f.Confirm == "person"}, {"none", l.T("scenario.confirm.none"), f.Confirm == "none"}}
	if f.Confirm == asItIs {
		out.Confirms = append(out.Confirms, choice{asItIs, l.T("scenario.asitis"), true})
	}
	for _, may := range residentsMay {
		out.Residents = append(out.Residents, choice{may, l.T("scenario.residents." + may), slices.Contains(f.Residents, may)})
	}
	for _, p := range places {
		out.Places = append(out.Places, choice{p.Path, names.Of(p.Path) + " (" + p.Path + ")", p.Path == f.Place})
	}
	slices.SortFunc(out.Places, byValue)
	for _, level := range f.Levels {
		roles := []choice{{"", l.T("scenario.level.anybody"), level.Role == ""}}
		for _, role := range passing {
			roles = append(roles, choice{role, l.T("role." + role), level.Role == role})
		}
		out.Roles = append(out.Roles, roles)
	}
	return out
}
