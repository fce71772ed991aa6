package audience

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

type placesPage struct {
	frame.Page
	Map    *placeMap // nil where no place says where it is
	Places []place
	Search string
	Cut    bool   // there are more
	Change bool   // whether the person may change places
	Done   string // what was done just now
}

// place is one line of the list.
type place struct {
	Path, Name, Short string // Path is of the page that selects it
	Members           string // how many there are in it and below; "" where it is not known
	Depth             int
	OnMap             bool
	Edit              string // path of the page that changes it
}

// mostListed is how many places are listed: thousands are searched, not read.
const mostListed = 1000

// places lists the district's places down to its blocks, those that are searched for at any depth, and
// draws those that say where they are.
func (p pages) places(q *frame.Request) error {
	all, err := p.s.Places.ListPlaces(q.R.Context())
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return err
	}
	whole, err := p.s.Selections.Select(q.R.Context(), everybody, "", 1)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b wire.Place) int { return strings.Compare(a.Path, b.Path) })
	members := countsUnder(whole.Counts.ByPlace)
	out := placesPage{Page: q.Page("places"), Search: strings.TrimSpace(q.R.URL.Query().Get("q")), Map: draw(all, names), Change: q.May(authority.ChangeAudience)}
	if q.R.URL.Query().Get("removed") != "" {
		out.Done = q.Lang.T("places.removed")
	}
	for _, pl := range all {
		if !listed(pl, out.Search) {
			continue
		}
		if len(out.Places) == mostListed {
			out.Cut = true
			break
		}
		out.Places = append(out.Places, place{
			Path: selectPath(under(pl.Path), ""), Name: names.Of(pl.Path), Short: pl.Path, Members: members[pl.Path], Depth: min(strings.Count(pl.Path, "/"), 4),
			OnMap: len(pl.Shape) > 0 || pl.Lat != nil, Edit: (&url.URL{Path: frame.Below + "place/" + pl.Path}).String(),
		})
	}
	return q.Show("places", out)
}

// listed reports whether a place is shown: a block or above, or what is searched for.
func listed(p wire.Place, search string) bool {
	if search == "" {
		return strings.Count(p.Path, "/") < 3
	}
	search = strings.ToLower(search)
	return strings.Contains(strings.ToLower(p.Path), search) ||
		slices.ContainsFunc(slices.Collect(maps.Values(p.Names)), func(name string) bool { return strings.Contains(strings.ToLower(name), search) })
}

// countsUnder adds up the members of blocks for all that is above them.
func countsUnder(blocks []wire.Count) map[string]string {
	sums := map[string]uint64{}
	for _, b := range blocks {
		for at := b.Name; ; {
			sums[at] += b.Count
			cut := strings.LastIndexByte(at, '/')
			if cut < 0 {
				break
			}
			at = at[:cut]
		}
	}
	out := map[string]string{}
	for at, n := range sums {
		out[at] = view.Show(n)
	}
	return out
}

// moreOf is what else is known of a member, for whoever may read it.
func moreOf(m wire.Member) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m.Tags)) {
		out = append(out, name+" = "+m.Tags[name])
	}
	out = append(out, m.Languages...)
	for _, e := range m.Endpoints {
		if e != "mqtt:"+m.ID {
			out = append(out, strings.TrimPrefix(e, "mqtt:"))
		}
	}
	if m.Lat != nil && m.Lon != nil {
		out = append(out, fmt.Sprintf("%.5f, %.5f", *m.Lat, *m.Lon))
	}
	return strings.Join(out, " · ")
}
