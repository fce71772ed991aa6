package view

import (
	"net/url"

	"almenara/node/wire"
)

// Left is how many of a block have not presented an alert, and the path of the list of them alone.
type Left struct {
	Place, Path, Count string
}

// LeftByBlock counts who has not presented the alert, by block; nil where all are in one. Who was removed since is
// in none.
func LeftByBlock(a wire.Alert, names PlaceNames) (out []Left) {
	var left uint64
	for i, g := range a.ByGroup { // by place
		left += g.Rungs.Queued - min(g.Rungs.Presented, g.Rungs.Queued)
		if i+1 < len(a.ByGroup) && a.ByGroup[i+1].Place == g.Place {
			continue
		}
		if left > 0 && g.Place != "" {
			out = append(out, Left{names.Of(g.Place), UnreachedPath(a.ID, g.Place, ""), Show(left)})
		}
		left = 0
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// UnreachedPath is the list of who has not presented an alert in a block, from behind a member on; "" is all of them,
// and from the beginning.
func UnreachedPath(id, place, after string) string {
	said := url.Values{}
	for name, value := range map[string]string{"place": place, "after": after} {
		if value != "" {
			said.Set(name, value)
		}
	}
	if len(said) == 0 {
		return PathOf(id, "unreached")
	}
	return PathOf(id, "unreached") + "?" + said.Encode()
}
