// Package reported has the JSON bodies about what people report by their devices. It may import nothing
// of ours.
package reported

import "time"

// Event is the type of the event that somebody reported something, or that it was moderated.
const Event = "report"

// Topic says what a report is about.
type Topic string

// The kinds of reports.
const (
	NeedHelp   Topic = "need_help"
	Hazard     Topic = "hazard"
	BlockedWay Topic = "blocked_way"
	Damage     Topic = "damage"
	AllClear   Topic = "all_clear"
	Other      Topic = "other"
)

// Topics lists every kind, the most urgent first.
func Topics() []Topic { return []Topic{NeedHelp, Hazard, BlockedWay, Damage, AllClear, Other} }

// Handling says what a person made of a report.
type Handling string

// The states of a report.
const (
	New       Handling = "new"       // nobody has said anything of it
	Seen      Handling = "seen"      // somebody has read it
	Hidden    Handling = "hidden"    // it is listed only to who asks for what is hidden
	Forwarded Handling = "forwarded" // it was passed on to who acts on it
)

// Enum lists them.
func (Topic) Enum() []string { return texts(Topics()) }

// Enum lists them.
func (Handling) Enum() []string { return texts(Handlings()) }

func texts[T ~string](all []T) (out []string) {
	for _, one := range all {
		out = append(out, string(one))
	}
	return out
}

// Handlings lists every one.
func Handlings() []Handling { return []Handling{New, Seen, Hidden, Forwarded} }

// PersonReport is what a person told by a device. Nothing of it was checked by anybody.
type PersonReport struct {
	ID       string   `json:"id"`               // 26 letters and digits, the same at every node
	Kind     Topic    `json:"kind"`             // what it is about
	Handling Handling `json:"handling"`         // what was made of it
	Alert    string   `json:"alert,omitempty"`  // that it belongs to, as the device said
	Member   string   `json:"member,omitempty"` // whose device it is; absent where the member was removed
	Name     string   `json:"name,omitempty"`   // of the member; only for who may read the names of persons
	Place    string   `json:"place,omitempty"`  // of the member, in the district
	Device   string   `json:"device"`           // by which it was made
	// At is when it was made, as far as the device is believed, and Taken when a node took it, by the
	// clock of that node.
	At       time.Time `json:"at"`
	Taken    time.Time `json:"taken"`              // see at
	Text     string    `json:"text,omitempty"`     // in the person's words
	Where    string    `json:"where,omitempty"`    // in the person's words
	Position *Spot     `json:"position,omitempty"` // where the device was, if the person sent that
	Photo    *Picture  `json:"photo,omitempty"`    // absent where there is none
	// By is who moderated it last, and Moderated when, by the clock of the node where that was; absent
	// while it is new.
	By        string    `json:"by,omitempty"`
	Moderated time.Time `json:"moderated,omitzero"` // see by
	Note      string    `json:"note,omitempty"`     // of who moderated it last
}

// Spot is where a device was, as it measured it.
type Spot struct {
	Lat            float64 `json:"lat"`                  // degrees, WGS 84
	Lon            float64 `json:"lon"`                  // degrees, WGS 84
	AccuracyMeters uint32  `json:"accuracy_m,omitempty"` // absent where it was not told
}

// Picture is a photo that is read apart from its report.
type Picture struct {
	Bytes  int64  `json:"bytes"`  // as the node has drawn it
	Width  uint32 `json:"width"`  // pixels
	Height uint32 `json:"height"` // pixels
}

// Responder is where a person is who attached that to an alert, by the newest word.
type Responder struct {
	Member   string    `json:"member,omitempty"` // see PersonReport
	Name     string    `json:"name,omitempty"`   // see PersonReport
	Alert    string    `json:"alert"`            // that they attached it to
	At       time.Time `json:"at"`               // when they were there
	Position Spot      `json:"position"`         // the newest
}

// Query says which reports are asked for.
type Query struct {
	Alert    string   // id, or the beginning of one; "" is all
	Place    string   // whose members reported; "" is all
	Handling Handling // "" is all that are not hidden
	Kind     Topic    // "" is all
	After    string   // id of the last report of the page before
	Limit    int      // 0 is 20
}

// PersonReports is a page of reports, newest first.
type PersonReports struct {
	Reports []PersonReport `json:"reports"` // of this page
	// New and NeedHelp are how many of the alert and the place are new, and how many of these say that
	// somebody needs help, whatever else was asked for.
	New      int `json:"new"`
	NeedHelp int `json:"need_help"` // see new
	// Responders are where those are who attached their position to the alert; only of one alert.
	Responders []Responder `json:"responders,omitempty"`
	Next       string      `json:"-"`
}

// Moderate says what a person makes of a report.
type Moderate struct {
	Handling Handling `json:"handling"`       // what was made of it
	Note     string   `json:"note,omitempty"` // for people, at most 500 bytes
}
