// Package ability is the pages of the morning: how many devices proved in the night's silent tests that
// they would show or sound an alert, how many could be warned now, which could not and why, by block, what
// ends soon, and how drills went by estate. It has devices tested; who may is a row of the table.
package ability

import (
	"cmp"
	"embed"
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
	missingShown  = 200
	alertsLooked  = 200
	blockDepth    = 3 // district, estate, block
)

// Services are what these pages ask; all must be set.
type Services struct {
	Devices service.Connected
	Tests   service.Ability
	Status  service.Status
	Reader  service.Reader
	Reports service.Reports
	Places  service.Places
}

type pages struct{ s Services }

// Room is these pages.
func Room(s Services) frame.Room {
	p := pages{s}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "ability", Action: authority.ReadDevices, Handle: p.ability},
		{Method: "POST", Path: frame.Below + "ability/test", Action: authority.TestDevices, Handle: p.test},
		{Method: "GET", Path: frame.Below + "ability/drills", Action: authority.ReadAlerts, Handle: p.drills},
	}}
}

type abilityPage struct {
	frame.Page
	Lead                              lead
	Share                             string // of the members that have a device which is connected; "" where there is none
	Reached, Members, Without         string
	Connected, Devices, Dark, Unknown string
	IsWithout, IsDark, IsUnknown      bool
	Nodes                             string
	Warnings                          []frame.Point
	Ends                              []string
	Drill                             *drill
	MayTest                           bool
	Begun                             string // what was begun just now, in words
	Wrong                             string // why nothing was begun
	Blocks                            []block
	States                            []view.Counted // of the devices that have not passed
	List                              []missing
	More                              bool // more have not passed than are listed
	Nights                            chart
}

// lead is the number that everybody asks for in the morning.
type lead struct {
	Share, Says string
	Night       string // "" where no night's tests are on record
	Unanswered  string // nodes whose results are missing, in words
}

type drill struct{ ID, Headline, Sent, Reached string }

type block struct {
	Place, Path, Devices, Proven, Connected, Dark string
	Whole                                         bool
}

// missing is a device that has not passed.
type missing struct {
	Place, Kind, Device, Path, State, Passed string
	Why                                      frame.Point
}

// counted is what is known of the devices of a block, or of all.
type counted struct{ devices, connected, dark uint64 }

// counts is what is known of all devices that are not revoked.
type counts struct {
	all     counted
	blocks  map[string]*counted
	members map[string]bool // those that have a device, and whether one is connected
}

func (p pages) ability(q *frame.Request) error {
	out, err := p.morning(q)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(q.R.URL.Query().Get("begun"), 10, 32); err == nil {
		out.Begun = q.Lang.T("ability.test.begun", n)
	}
	return q.Show("ability", out)
}

// morning is the page as it is now.
func (p pages) morning(q *frame.Request) (out abilityPage, err error) {
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return out, err
	}
	tested, err := p.s.Tests.Ability(q.R.Context(), "")
	if err != nil {
		return out, err
	}
	c, err := p.count(q)
	if err != nil {
		return out, err
	}
	status, err := p.s.Status.Status(q.R.Context(), false)
	if err != nil {
		return out, err
	}
	out = abilityPage{Page: q.Page("ability", "_able"), Warnings: q.Sentences(status.Warnings), Ends: endings(q, status), MayTest: q.May(authority.TestDevices)}
	out.Path = q.Inside(frame.Below + "ability")
	out.counts(c, status)
	out.tested(q, tested, c, names, status)
	out.Drill, err = p.lastDrill(q)
	return out, err
}

// counts fills in who could be warned now.
func (out *abilityPage) counts(c counts, status wire.Status) {
	all := c.all
	out.Devices, out.Connected, out.Dark, out.IsDark = view.Show(all.devices), view.Show(all.connected), view.Show(all.dark), all.dark > 0
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
}

// count goes over all devices that are not revoked, once.
func (p pages) count(q *frame.Request) (out counts, err error) {
	out.blocks, out.members = map[string]*counted{}, map[string]bool{}
	for after, n := "", 0; n < devicesMost; n += devicesAtOnce {
		page, next, err := p.s.Devices.ListDevices(q.R.Context(), after, devicesAtOnce)
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
}

// lastDrill is the newest drill that was shown, nil where there is none among the newest alerts.
func (p pages) lastDrill(q *frame.Request) (*drill, error) {
	found, err := p.recentDrills(q, 1)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// recentDrills are the newest drills that were shown, among the newest alerts.
func (p pages) recentDrills(q *frame.Request, most int) (out []drill, err error) {
	alerts, _, err := p.s.Reader.ListAlerts(q.R.Context(), wire.AlertQuery{Limit: alertsLooked})
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		if a.Status == "Exercise" && a.State != wire.StateRecorded && a.State != wire.StatePending && len(out) < most {
			authority.MinimalAlert(q.By(), &a)
			out = append(out, drill{a.ID, a.Headlines.In(q.Lang.Tag, cmp.Or(a.Headline, a.Key)), q.DayTime(a.Sent), q.Lang.T("now.reached", a.Rungs.Presented, a.Rungs.Queued)})
		}
	}
	return out, nil
}

// percent has one decimal and is 100 only where all are.
func percent(n, of uint64) string {
	if of == 0 {
		return "–"
	}
	tenths := n * 1000 / of
	return strconv.FormatUint(tenths/10, 10) + "." + strconv.FormatUint(tenths%10, 10) + " %"
}

// blockOf is the block that a place is in, or the place where it is none.
func blockOf(place string) string {
	parts := strings.SplitN(place, "/", blockDepth+1)
	return strings.Join(parts[:min(len(parts), blockDepth)], "/")
}
