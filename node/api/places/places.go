// Package places is the routes about one place of the tree. It has no rule of its own.
package places

import (
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/places"
)

// bodyMost is the largest body: a place with an outline of the most corners.
const bodyMost = 1 << 20

// Routes are the routes about one place.
func Routes(tree service.PlaceTree) []routing.Route {
	h := handlers{tree}
	return []routing.Route{
		{Action: authority.ChangeAudience, Handle: h.show, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/places/one",
			Summary: "Show one place with its version, how many members and devices are in it, and which scenarios, people, licences, planned notices and alerts in force name it or a place below it.",
			Params:  []openapi.Param{{Name: "path", Type: "string", Summary: "of the place"}},
			Answer:  places.ShownPlace{}, Fails: openapi.Fails{wire.KindNotFound: "there is no such place"},
		}},
		{Action: authority.ChangeAudience, Handle: h.change, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/places/changes", MaxBody: bodyMost,
			Summary: "Change, add or remove one place. Another path takes along all places and members in it, 2,000 at most. With dry_run nothing is changed. A place is removed only when nothing is in it, and neither removed nor moved while something names it; the details say what.",
			Request: places.ChangePlace{}, Answer: places.ChangedPlace{},
			Fails: openapi.Fails{
				wire.KindMalformed:      "it says neither what the place is from now on nor that it is removed, or both",
				wire.KindNotFound:       "there is no such place",
				wire.KindConflict:       "the place is another version than the request says, something is in it or names it, a place is already where it is to go, or an import is being taken in",
				wire.KindRefused:        "the place cannot be as it is written, more is in it than goes along at once, or some nodes are not upgraded; nothing happened",
				wire.KindNoQuorum:       "a majority of the district's nodes is needed, and none can be reached",
				wire.KindNotReady:       "the node is stopping",
				wire.KindBusy:           "the district is busy, or the disk of this node or of the leading one is full",
				wire.KindTooLarge:       "it is larger than one entry of the log may be",
				wire.KindUnknownOutcome: "no answer came in time: it may or may not have happened",
			},
		}},
	}
}

type handlers struct{ tree service.PlaceTree }

func (h handlers) show(c routing.Call) error {
	path := c.Query.Text("path", "")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.tree.ShowPlace(c.R.Context(), path)
	return c.Answer(out, err)
}

func (h handlers) change(c routing.Call) error {
	var in places.ChangePlace
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.tree.ChangePlace(c.R.Context(), c.By, in)
	return c.Created(out, err)
}
