// Package audience is the pages about whom alerts may reach: selections with their counts, places as a
// list and on a map, and files of members with what they would change. What may be imported and what may
// be told of members is decided elsewhere (node/records, node/authority); here is how it is asked.
package audience

import (
	"embed"
	"time"

	"almenara/node/authority"
	"almenara/node/inflight"
	"almenara/node/service"
	"almenara/node/web/console/frame"
)

//go:embed *.html *.css *.js
var files embed.FS

// Services are what these pages ask; all must be set.
type Services struct {
	Imports    service.Imports
	Selections service.Selections
	Places     service.Places
}

type pages struct {
	s    Services
	open *inflight.Open // files that are read
	kept *kept
}

// mostInFile is the largest file of members, in bytes, and importWithin how long one may take on a bad
// link; the service refuses what is larger, too.
const (
	mostInFile   = 160 << 20
	importWithin = 15 * time.Minute
)

// Room is these pages.
func Room(s Services) frame.Room {
	p := pages{s, inflight.NewOpen("files of members", inflight.Bounds{Each: 1, All: 2}), newKept()}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "audience", Action: authority.ReadAudience, Handle: p.audience},
		{Method: "GET", Path: frame.Below + "places", Action: authority.ReadAudience, Handle: p.places},
		{Method: "GET", Path: frame.Below + "import", Action: authority.ChangeAudience, Handle: p.importPage},
		{Method: "POST", Path: frame.Below + "import", Action: authority.ChangeAudience, Upload: mostInFile, Within: importWithin, Handle: p.try},
		{Method: "POST", Path: frame.Below + "import/apply", Action: authority.ChangeAudience, Sends: true, Within: importWithin, Handle: p.apply},
	}}
}
