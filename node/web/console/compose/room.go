// Package compose is the pages with which a person writes an alert that no scenario fits, and changes one
// that is in force: what it says, in several languages; for whom, by places, by a drawing on the map or
// by a selection; and what it will look like, before the word is typed.
//
//	form ─► CAP in JSON ─► dry run ─► the page that shows whom it reaches ─► the typed word ─► sent
//
// It adds no right and no rule: dry run and sending are those of the API. It never imports another room
// of pages, api, cluster, channels, storage or a room that does the work.
package compose

import (
	"embed"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
)

//go:embed *.html *.css *.js
var files embed.FS

// Services are what the pages ask; all must be set.
type Services struct {
	Alerts    service.Alerts
	Reader    service.Reader
	Places    service.Places
	Status    service.Status
	Scenarios view.Scenarios // for their titles
	// Screen is the path of the module that arranges alerts on screens (channels/pages/files/arrange.js),
	// so that the picture is the one that screens will draw; "" shows the texts alone.
	Screen string
}

type pages struct {
	Services
	sending chan struct{} // holds one while somebody sends
}

// Room is these pages.
func Room(s Services) frame.Room {
	p := pages{s, make(chan struct{}, 1)}
	const compose, update = frame.Below + "compose", frame.Below + "alerts/{id}/update"
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: compose, Action: authority.Send, Handle: p.composePage},
		{Method: "POST", Path: compose, Action: authority.Send, Tries: true, Redraws: true, Handle: p.try},
		{Method: "POST", Path: compose + "/send", Action: authority.Send, Sends: true, Handle: p.send},
		{Method: "GET", Path: update, Action: authority.Update, Handle: p.updatePage},
		{Method: "POST", Path: update, Action: authority.Update, Tries: true, Redraws: true, Handle: p.tryUpdate},
		{Method: "POST", Path: update + "/send", Action: authority.Update, Sends: true, Handle: p.sendUpdate},
	}}
}
