// Package enrol is the pages with which a person lets devices in: codes to scan, on the screen and on
// paper, and the devices that wait. What may wait, and what a code is, is decided in node/enrol.
package enrol

import (
	"context"
	"embed"
	"time"

	"almenara/node/authority"
	"almenara/node/enrol"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/wire"
)

//go:embed *.html *.css
var files embed.FS

// Enrolment lets devices in; *enrol.Enrolment is one.
type Enrolment interface {
	NewTickets(by authority.Caller, of []enrol.For, life time.Duration) ([]enrol.Ticket, error)
	Waiting() []enrol.Waiting
	Approve(ctx context.Context, by authority.Caller, a enrol.Approval) (wire.Enrolled, error)
	Refuse(by authority.Caller, number string) error
}

type pages struct {
	service Enrolment
	places  service.Places
}

// Room is these pages.
func Room(s Enrolment, places service.Places) frame.Room {
	p := pages{s, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "enrol", Action: authority.ChangeDevices, Handle: p.list},
		{Method: "POST", Path: frame.Below + "enrol/code", Action: authority.ChangeDevices, Sends: true, Handle: p.code},
		{Method: "POST", Path: frame.Below + "enrol/sheet", Action: authority.ChangeDevices, Sends: true, Handle: p.sheet},
		{Method: "GET", Path: frame.Below + "enrol/device/{number}", Action: authority.ChangeDevices, Handle: p.device},
		{Method: "POST", Path: frame.Below + "enrol/device/{number}", Action: authority.ChangeDevices, Sends: true, Handle: p.approve},
		{Method: "POST", Path: frame.Below + "enrol/device/{number}/refuse", Action: authority.ChangeDevices, Sends: true, Handle: p.refuse},
	}}
}
