// Package people is the pages about who may do what: users with their roles, places and tokens, licences
// to warn from a node that is alone, and what ends soon. Who may be given what is decided by node/records
// and node/policy; here is how it is asked.
package people

import (
	"embed"
	"net/url"
	"slices"
	"strings"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
)

//go:embed *.html
var files embed.FS

// Services are what these pages ask; all must be set.
type Services struct {
	Users     service.Users
	Passwords service.Passwords
	Licences  service.Licences
	Scenarios service.Scenarios
	Places    service.Places
	Status    service.Status
}

type pages struct{ s Services }

// Room is these pages.
func Room(s Services) frame.Room {
	p := pages{s}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "people", Action: authority.ReadUsers, Handle: p.people},
		{Method: "POST", Path: frame.Below + "people", Action: authority.ChangeUsers, Sends: true, Handle: p.add},
		{Method: "GET", Path: frame.Below + "people/{name}", Action: authority.ReadUsers, Handle: p.person},
		{Method: "POST", Path: frame.Below + "people/{name}/password", Action: authority.ChangeUsers, Sends: true, Handle: p.setPassword},
		{Method: "POST", Path: frame.Below + "people/{name}/may", Action: authority.ChangeUsers, Sends: true, Handle: p.setMay},
		{Method: "POST", Path: frame.Below + "people/{name}/kind", Action: authority.ChangeUsers, Sends: true, Handle: p.setKind},
		{Method: "POST", Path: frame.Below + "people/{name}/revoke", Action: authority.ChangeUsers, Sends: true, Handle: p.revoke},

		{Method: "GET", Path: frame.Below + "licences", Action: authority.ReadAlerts, Handle: p.licences},
		{Method: "POST", Path: frame.Below + "licences", Action: authority.ChangeLicences, Sends: true, Handle: p.grant},
		{Method: "POST", Path: frame.Below + "licences/{licence}/revoke", Action: authority.ChangeLicences, Sends: true, Handle: p.revokeLicence},

		{Method: "GET", Path: frame.Below + "ends", Action: authority.ReadDistrict, Handle: p.ends},
	}}
}

// choice is something to choose in a form.
type choice struct {
	Value, Label string
	Chosen       bool
}

// mostPlaces is how many places are offered: a list that is longer is of no help.
const mostPlaces = 2000

// placesToChoose are the district's places, down to its blocks.
func (p pages) placesToChoose(q *frame.Request, chosen ...string) ([]choice, error) {
	places, err := p.s.Places.ListPlaces(q.R.Context())
	if err != nil {
		return nil, err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return nil, err
	}
	var out []choice
	for _, place := range places {
		if strings.Count(place.Path, "/") < 3 && len(out) < mostPlaces {
			out = append(out, choice{place.Path, names.Of(place.Path), slices.Contains(chosen, place.Path)})
		}
	}
	slices.SortFunc(out, func(a, b choice) int { return strings.Compare(a.Value, b.Value) })
	return out, nil
}

// pathOf is the path of a page about one of something.
func pathOf(what, name string, more ...string) string {
	return frame.Below + what + "/" + url.PathEscape(name) + strings.Join(append([]string{""}, more...), "/")
}

// words splits what was typed at commas, spaces and ends of lines.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}
