package fleet

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

const (
	asked     = 1000   // devices that one question is about
	mostRead  = 50_000 // devices that the board holds; a district has 10,000
	rowsShown = 100    // on one page
)

type devicesPage struct {
	frame.Page
	Total        tally
	Blocks       []block
	Kinds        []choice
	States       []choice
	Where        string // the place that is shown, in words; "" is all
	Place        string
	Search       string
	Fault        string // the fault that is shown; "" is all
	Cares        []care
	Rows         []row
	Found        string // how many devices the filter leaves, revoked ones among them
	FoundRevoked int    // how many of Found are
	Reset        bool   // something is filtered
	ByBlock      bool   // nothing is, but perhaps the place
	Before       string // paths of the pages before and behind; "" where there is none
	Next         string
	Cut          bool // there are more devices than the board holds
	Change       bool
	Unknown      bool // some node did not answer
}

type choice struct {
	Value, Label string
	Chosen       bool
}

// tally is how many devices are in which state.
type tally struct {
	All, Connected, Dark, Unknown, Revoked int
}

func (t *tally) add(d *wire.Device) {
	switch stateOf(d) {
	case revoked:
		t.Revoked++
		return
	case connected:
		t.Connected++
	case dark:
		t.Dark++
	case unknown:
		t.Unknown++
	}
	t.All++
}

// block is one line of the board.
type block struct {
	Path, Name string // Path is of the board with this block alone
	Tally      tally
	Complete   bool // all are connected

	place string // that was counted for it last
}

// filter is which devices are asked for.
type filter struct{ place, kind, state, search, fault string }

func filterOf(said url.Values) filter {
	return filter{said.Get("place"), said.Get("kind"), said.Get("state"), strings.ToLower(strings.TrimSpace(said.Get("q"))), said.Get("fault")}
}

func (f filter) lets(d *wire.Device) bool {
	return (f.place == "" || within(d.Place, f.place)) &&
		(f.kind == "" || d.Kind == f.kind) && (f.state == "" || stateOf(d) == f.state) && (f.fault == "" || slices.Contains(faultsOf(d), f.fault)) &&
		(f.search == "" || strings.Contains(strings.ToLower(d.ID), f.search) || strings.Contains(strings.ToLower(d.Member), f.search))
}

// within reports whether a place is the other or lies in it.
func within(place, other string) bool {
	rest, in := strings.CutPrefix(place, other)
	return in && (rest == "" || rest[0] == '/')
}

// path is the board with the filter, from the device at a place in the list on.
func (f filter) path(from int) string {
	out := url.Values{}
	for name, value := range map[string]string{"place": f.place, "kind": f.kind, "state": f.state, "q": f.search, "fault": f.fault} {
		if value != "" {
			out.Set(name, value)
		}
	}
	if from > 0 {
		out.Set("from", strconv.Itoa(from))
	}
	if len(out) == 0 {
		return frame.Below + "devices"
	}
	return frame.Below + "devices?" + out.Encode()
}

// all reads every device, by place and then by id, and whether there are more.
func (p pages) all(q *frame.Request) (out []wire.Device, more bool, err error) {
	for after := ""; len(out) < mostRead; {
		page, next, err := p.s.Connected.ListDevices(q.R.Context(), after, asked)
		if err != nil {
			return nil, false, err
		}
		out = append(out, page...)
		if after = next; next == "" {
			slices.SortStableFunc(out, func(a, b wire.Device) int {
				return cmp.Or(strings.Compare(a.Place, b.Place), strings.Compare(a.ID, b.ID))
			})
			return out, false, nil
		}
	}
	return out, true, nil
}

// devices shows the board: each block with how many of its devices are connected, and the devices that
// the filter leaves.
func (p pages) devices(q *frame.Request) error {
	all, more, err := p.all(q)
	if err != nil {
		return err
	}
	n, err := p.naming(q)
	if err != nil {
		return err
	}
	f := filterOf(q.R.URL.Query())
	out := devicesPage{Page: q.Page("devices"), Cut: more, Change: q.May(authority.ChangeDevices), Place: f.place, Search: f.search, Fault: f.fault, Reset: f != filter{}, ByBlock: f == filter{place: f.place}}
	if f.place != "" {
		out.Where = n.places.Of(f.place)
	}
	var found []*wire.Device
	var kinds []string
	faults := map[string]int{}
	for i := range all { // each once: there may be ten thousand
		d := &all[i]
		if here := (filter{place: f.place}); here.lets(d) {
			out.count(d, n)
			for _, fault := range faultsOf(d) {
				faults[fault]++
			}
		}
		if !slices.Contains(kinds, d.Kind) {
			kinds = append(kinds, d.Kind)
		}
		if f.lets(d) {
			found = append(found, d)
			if d.Revoked {
				out.FoundRevoked++
			}
		}
	}
	for i := range out.Blocks {
		b := &out.Blocks[i].Tally
		out.Blocks[i].Complete = b.Connected == b.All
	}
	out.choices(q, f, kinds)
	out.Cares = cares(q, faults, f)
	out.Found = view.Show(uint64(len(found)))
	from, _ := strconv.Atoi(q.R.URL.Query().Get("from"))
	from = max(0, min(from, len(found)))
	for _, d := range found[from:min(from+rowsShown, len(found))] {
		out.Rows = append(out.Rows, n.row(*d))
	}
	if from+rowsShown < len(found) {
		out.Next = f.path(from + rowsShown)
	}
	if from > 0 {
		out.Before = f.path(max(0, from-rowsShown))
	}
	return q.Show("devices", out)
}

// count counts a device of the place that is shown for its block. Devices come by place.
func (out *devicesPage) count(d *wire.Device, n naming) {
	out.Total.add(d)
	place := blockOf(d.Place)
	if last := len(out.Blocks) - 1; last < 0 || out.Blocks[last].place != place {
		if name := n.places.Of(place); last < 0 || out.Blocks[last].Name != name {
			out.Blocks = append(out.Blocks, block{Path: filter{place: place}.path(0), Name: name})
		}
	}
	b := &out.Blocks[len(out.Blocks)-1]
	b.place = place
	b.Tally.add(d)
	out.Unknown = out.Unknown || stateOf(d) == unknown
}

func (out *devicesPage) choices(q *frame.Request, f filter, kinds []string) {
	slices.Sort(kinds)
	out.Kinds = []choice{{"", q.Lang.T("devices.any"), f.kind == ""}}
	for _, kind := range kinds {
		out.Kinds = append(out.Kinds, choice{kind, q.Lang.Or("kind.", kind), f.kind == kind})
	}
	out.States = []choice{
		{"", q.Lang.T("devices.any"), f.state == ""}, {connected, q.Lang.T("devices.connected"), f.state == connected},
		{dark, q.Lang.T("devices.dark"), f.state == dark}, {unknown, q.Lang.T("devices.unknown"), f.state == unknown}, {revoked, q.Lang.T("devices.revoked"), f.state == revoked},
	}
}
