// Package ability is the page of the morning: how many devices could be warned now, which are dark, by
// block, what ends soon, and how the last drill went. It shows what is connected; that a connected device
// can show or sound something is proven by a drill only.
package ability

import (
	"cmp"
	"embed"
	"maps"
	"slices"
	"strconv"
	"strings"

	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

//go:embed *.html *.css
var files embed.FS

// The bounds: devices at a time and in all, dark ones that are listed, alerts among which the last drill
// is looked for.
const (
	devicesAtOnce = 1000
	devicesMost   = 50_000
	darkShown     = 200
	alertsLooked  = 200
	blockDepth    = 3 // district, estate, block
)

type pages struct {
	devices service.Connected
	status  service.Status
	reader  service.Reader
	places  service.Places
}

// Room is this page.
func Room(devices service.Connected, status service.Status, reader service.Reader, places service.Places) frame.Room {
	p := pages{devices, status, reader, places}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "ability", Action: authority.ReadDevices, Handle: p.ability},
	}}
}

type abilityPage struct {
	frame.Page
	Share                             string // of the members that have a device which is connected; "" where there is none
	Reached, Members, Without         string
	Connected, Devices, Dark, Unknown string
	IsWithout, IsDark, IsUnknown      bool
	Nodes                             string
	Warnings                          []string
	Drill                             *drill
	Blocks                            []block
	List                              []dark
	More                              bool // more are dark than are listed
}

type drill struct{ ID, Headline, Sent, Reached string }

type block struct {
	Place, Devices, Connected, Dark string
	Whole                           bool
}

type dark struct{ Place, Kind, Device string }

// counted is what is known of the devices of a block, or of all.
type counted struct{ devices, connected, dark uint64 }

// counts is what is known of all devices that are not revoked.
type counts struct {
	all     counted
	blocks  map[string]*counted
	gone    []wire.Device   // those that are dark
	members map[string]bool // those that have a device, and whether one is connected
}

func (p pages) ability(q *frame.Request) error {
	names, err := view.NamesOfPlaces(p.places, q)
	if err != nil {
		return err
	}
	c, err := p.count(q)
	if err != nil {
		return err
	}
	status, err := p.status.Status(q.R.Context(), false)
	if err != nil {
		return err
	}
	all := c.all
	out := abilityPage{
		Page: q.Page("ability"), Devices: view.Show(all.devices), Connected: view.Show(all.connected), Dark: view.Show(all.dark), IsDark: all.dark > 0,
		Warnings: status.Warnings, More: len(c.gone) > darkShown,
	}
	unknown := all.devices - all.connected - all.dark
	out.Unknown, out.IsUnknown = view.Show(unknown), unknown > 0
	reached := uint64(0)
	for _, connected := range c.members {
		if connected {
			reached++
		}
	}
	// A device may be of somebody who was removed meanwhile.
	members := max(status.Members, reached)
	without := members - min(members, uint64(len(c.members)))
	out.Reached, out.Members, out.Without, out.IsWithout = view.Show(reached), view.Show(members), view.Show(without), without > 0
	if members > 0 {
		out.Share = percent(reached, members)
	}
	reachable := 0
	for _, n := range status.Nodes {
		if n.Reachable || n.ID == status.Node {
			reachable++
		}
	}
	out.Nodes = view.Show(uint64(reachable)) + " / " + view.Show(uint64(len(status.Nodes)))
	for _, place := range slices.Sorted(maps.Keys(c.blocks)) {
		b := c.blocks[place]
		out.Blocks = append(out.Blocks, block{names.Of(place), view.Show(b.devices), view.Show(b.connected), view.Show(b.dark), b.connected == b.devices})
	}
	slices.SortStableFunc(c.gone, func(a, b wire.Device) int { return cmp.Compare(a.Place, b.Place) })
	for _, d := range c.gone[:min(len(c.gone), darkShown)] {
		out.List = append(out.List, dark{names.Of(blockOf(d.Place)), q.Lang.Or("kind.", d.Kind), d.ID})
	}
	if out.Drill, err = p.lastDrill(q); err != nil {
		return err
	}
	return q.Show("ability", out)
}

// count goes over all devices that are not revoked, once.
func (p pages) count(q *frame.Request) (out counts, err error) {
	out.blocks, out.members = map[string]*counted{}, map[string]bool{}
	for after, n := "", 0; n < devicesMost; n += devicesAtOnce {
		page, next, err := p.devices.ListDevices(q.R.Context(), after, devicesAtOnce)
		if err != nil {
			return out, err
		}
		for _, d := range page {
			if d.Revoked {
				continue
			}
			out.add(d)
		}
		if after = next; next == "" {
			break
		}
	}
	return out, nil
}

func (out *counts) add(d wire.Device) {
	connected := d.Connected != nil && *d.Connected
	out.members[d.Member] = out.members[d.Member] || connected
	b := out.blocks[blockOf(d.Place)]
	if b == nil {
		b = &counted{}
		out.blocks[blockOf(d.Place)] = b
	}
	for _, c := range []*counted{&out.all, b} {
		c.devices++
		switch {
		case d.Connected == nil: // a node that may have it did not answer
		case connected:
			c.connected++
		default:
			c.dark++
		}
	}
	if d.Connected != nil && !connected {
		out.gone = append(out.gone, d)
	}
}

// lastDrill is the newest drill that was shown, nil where there is none among the newest alerts.
func (p pages) lastDrill(q *frame.Request) (*drill, error) {
	alerts, _, err := p.reader.ListAlerts(q.R.Context(), wire.AlertQuery{Limit: alertsLooked})
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		if a.Status == "Exercise" && a.State != wire.StateRecorded && a.State != wire.StatePending {
			authority.MinimalAlert(q.By(), &a)
			return &drill{a.ID, cmp.Or(a.Headline, a.Key), q.DayTime(a.Sent), q.Lang.T("now.reached", a.Rungs.Presented, a.Rungs.Queued)}, nil
		}
	}
	return nil, nil
}

// percent has one decimal and is 100 only where all are.
func percent(n, of uint64) string {
	tenths := n * 1000 / of
	return strconv.FormatUint(tenths/10, 10) + "." + strconv.FormatUint(tenths%10, 10) + " %"
}

// blockOf is the block that a place is in, or the place where it is none.
func blockOf(place string) string {
	parts := strings.SplitN(place, "/", blockDepth+1)
	return strings.Join(parts[:min(len(parts), blockDepth)], "/")
}
