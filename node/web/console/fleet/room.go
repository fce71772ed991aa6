// Package fleet is the pages about devices: which there are, where each is connected, enrolling them,
// new secrets and revoking. What may be enrolled is decided by node/records; here is how it is asked.
package fleet

import (
	"embed"
	"net/url"
	"strings"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

//go:embed *.html *.css
var files embed.FS

// Services are what these pages ask; all must be set.
type Services struct {
	Devices   service.Devices
	Connected service.Connected
	Tests     service.Ability
	Places    service.Places
	Status    service.Status
}

type pages struct{ s Services }

// Room is these pages.
func Room(s Services) frame.Room {
	p := pages{s}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "devices", Action: authority.ReadDevices, Handle: p.devices},
		{Method: "GET", Path: frame.Below + "devices/{device}", Action: authority.ReadDevices, Handle: p.device},
		{Method: "POST", Path: frame.Below + "devices/{device}/rotate", Action: authority.ChangeDevices, Sends: true, Handle: p.rotate},
		{Method: "POST", Path: frame.Below + "devices/{device}/revoke", Action: authority.ChangeDevices, Sends: true, Handle: p.revoke},
		{Method: "POST", Path: frame.Below + "devices/{device}/test", Action: authority.TestDevices, Handle: p.test},
		{Method: "POST", Path: frame.Below + "devices/{device}/identify", Action: authority.TestDevices, Handle: p.identify},
		{Method: "GET", Path: frame.Below + "add-devices", Action: authority.ChangeDevices, Handle: p.addPage},
		{Method: "POST", Path: frame.Below + "add-devices", Action: authority.ChangeDevices, Sends: true, Handle: p.add},
	}}
}

// The states of a device, as far as the nodes know.
const (
	connected = "connected"
	dark      = "dark"    // every node answered, and none has it
	unknown   = "unknown" // some node did not answer, and no other has it
	revoked   = "revoked"
)

func stateOf(d *wire.Device) string {
	switch {
	case d.Revoked:
		return revoked
	case d.Connected == nil:
		return unknown
	case *d.Connected:
		return connected
	}
	return dark
}

// pathOf is the path of a page about a device.
func pathOf(id string, more ...string) string {
	return frame.Below + "devices/" + url.PathEscape(id) + strings.Join(append([]string{""}, more...), "/")
}

// blockOf is the place of a block: that of everything below it.
func blockOf(place string) string {
	end := 0
	for level := 0; ; level++ {
		at := strings.IndexByte(place[end:], '/')
		switch {
		case at < 0:
			return place
		case level == 2:
			return place[:end+at]
		}
		end += at + 1
	}
}

// row is one device as it is listed.
type row struct {
	ID, Path    string
	State, Says string // Says is the state in words
	Faults      []string
	Facts       []fact
	More        []fact // what it says of itself beyond that
}

type fact struct{ Label, Value string }

// naming is what places and nodes are called.
type naming struct {
	q      *frame.Request
	places view.PlaceNames
	nodes  map[string]string
}

func (p pages) naming(q *frame.Request) (naming, error) {
	n := naming{q: q, nodes: map[string]string{}}
	var err error
	if n.places, err = view.NamesOfPlaces(p.s.Places, q); err != nil {
		return n, err
	}
	s, err := p.s.Status.Status(q.R.Context(), false)
	for _, node := range s.Nodes {
		n.nodes[node.ID] = node.Name
	}
	return n, err
}

func (n naming) node(id string) string {
	if name := n.nodes[id]; name != "" {
		return name
	}
	return id
}

// row says what is known of a device, and what it says of itself.
func (n naming) row(d wire.Device) row {
	t := n.q.Lang.T
	out := row{ID: d.ID, Path: pathOf(d.ID), State: stateOf(&d)}
	out.Facts = []fact{{t("devices.kind"), n.q.Lang.Or("kind.", d.Kind)}, {t("devices.place"), n.places.Of(d.Place)}}
	if d.Member != d.ID {
		out.Facts = append(out.Facts, fact{t("devices.member"), d.Member})
	}
	switch out.State {
	case connected:
		out.Says = t("devices.state.connected", n.node(d.Node))
		out.Facts = append(out.Facts, fact{t("devices.since"), n.q.DayTime(d.Since)})
	case dark:
		out.Says = t("devices.state.dark")
	case unknown:
		var silent []string
		for _, id := range d.Unanswered {
			silent = append(silent, n.node(id))
		}
		out.Says = t("devices.state.unknown", strings.Join(silent, t("layout.list")))
	case revoked:
		out.Says = t("devices.state.revoked")
	}
	if d.Condition != "" {
		out.Facts = append(out.Facts, fact{t("devices.word"), n.q.Lang.Or("condition.", d.Condition)})
	}
	out.Faults, out.More = n.health(d)
	return out
}
