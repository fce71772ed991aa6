// Package places is the pages about one place of the tree: what it is called, where it is, in which place it
// lies, what a change of it would do before it is done, and adding and removing one. What a place may be is
// decided elsewhere (node/places); here is how it is asked. The list of places is in web/console/audience.
package places

import (
	"embed"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
)

//go:embed *.html *.css *.js
var files embed.FS

type pages struct {
	tree service.PlaceTree
	all  service.Places
	own  service.Status
}

// Room is these pages.
func Room(tree service.PlaceTree, all service.Places, own service.Status) frame.Room {
	p := pages{tree, all, own}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "place/{place...}", Action: authority.ChangeAudience, Handle: p.place},
		{Method: "GET", Path: frame.Below + "add-place", Action: authority.ChangeAudience, Handle: p.fresh},
		{Method: "POST", Path: frame.Below + "place/check", Action: authority.ChangeAudience, Tries: true, Redraws: true, Handle: p.check},
		{Method: "POST", Path: frame.Below + "place", Action: authority.ChangeAudience, Sends: true, Handle: p.change},
	}}
}
