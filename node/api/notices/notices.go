// Package notices is the routes about planned notices. It has no rule of its own.
package notices

import (
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/notices"
)

// bodyMost is the largest body: a notice with its pictures.
const bodyMost = 1 << 20

var (
	// agreedOn is what changes may fail with that the district agrees on.
	agreedOn = openapi.Fails{
		wire.KindNoQuorum:       "a majority of the district's nodes is needed, and none can be reached; notices wait until there is one",
		wire.KindNotReady:       "the node is stopping",
		wire.KindBusy:           "the district is busy, or the disk of this node or of the leading one is full",
		wire.KindUnknownOutcome: "no answer came in time: it may or may not have happened",
	}
	// written is of what somebody writes.
	written = agreedOn.And(openapi.Fails{
		wire.KindMalformed:  "fields that belong together do not stand together, a text cannot be shown, or its time is past or more than 31 days ahead",
		wire.KindForbidden:  "the caller may not send it, or another user wrote the notice",
		wire.KindNotFound:   "the notice or the scenario is not known",
		wire.KindRefused:    "no levels are named for it, it is no planned notice, it could not go out as it is, there are too few persons for its levels, or some nodes are not upgraded",
		wire.KindTooLarge:   "it is larger than a notice may be",
		wire.KindOverBudget: "the district has as many alerts as it may have, or the caller has asked for too much work",
		wire.KindConflict:   "100 notices are open, or the notice has a newer version than the one that was read",
	})
)

// Routes are the routes about planned notices.
func Routes(of service.Notices) []routing.Route {
	h := handlers{of}
	return []routing.Route{
		{Action: authority.ReadAlerts, Handle: h.list, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/notices",
			Summary: "List the planned notices that are not over: overdue ones first, then those that wait longest, each with whom it waits for. A planned notice is written with its full content, passed on by persons of one level after the other, and goes out as an alert after the last.",
			Params:  []openapi.Param{{Name: "over", Type: "boolean", Summary: "also the last 50 that were sent or withdrawn"}},
			Answer:  []notices.Notice{},
		}},
		{Action: authority.WriteNotice, Handle: h.draft, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/notices", MaxBody: bodyMost,
			Summary: "Write a planned notice. It is tried as if it went out now, and waits at the first of the levels that its scenario names, or the policy.",
			Request: notices.DraftNotice{}, Answer: notices.Notice{}, Fails: written,
		}},
		{Action: authority.ReadAlerts, Handle: h.show, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/notices/{id}",
			Summary: "Show one planned notice: its versions and what changed, who has passed it on and ticked what, comments, sensitive words, and whom it waits for.",
			Answer:  notices.Notice{}, Fails: openapi.Fails{wire.KindNotFound: "there is no such notice"},
		}},
		{Action: authority.WriteNotice, Handle: h.revise, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/notices/{id}/versions", MaxBody: bodyMost,
			Summary: "Write a new version of one's own notice, which begins again at the first level. A locked notice gets none.",
			Request: notices.DraftNotice{}, Answer: notices.Notice{}, Fails: written,
		}},
		{Action: authority.ReviewNotice, Handle: h.act, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/notices/{id}/acts", MaxBody: bodyMost,
			Summary: "Comment on a notice, pass it on or send it back where it waits, or withdraw it. Its author passes nothing on, and each person passes one level only. After the last level it is locked, and goes out at its time.",
			Request: notices.ActOnNotice{}, Answer: notices.Notice{},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindMalformed: "what is to be done is not known, or the text is missing or cannot be shown",
				wire.KindForbidden: "the caller wrote it, has passed a level of it, is not whom the level asks for, or may not reach everybody whom it addresses",
				wire.KindNotFound:  "there is no such notice",
				wire.KindRefused:   "a line or a word is not ticked, the notice is over, or some nodes are not upgraded",
				wire.KindTooLarge:  "what was done about the notice is more than its record holds",
				wire.KindConflict:  "the notice has another version, or waits elsewhere, than was read",
			}),
		}},
	}
}

type handlers struct{ notices service.Notices }

func (h handlers) list(c routing.Call) error {
	over := c.Query.Flag("over")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.notices.ListNotices(c.R.Context(), over)
	return c.Answer(out, err)
}

func (h handlers) show(c routing.Call) error {
	out, err := h.notices.ShowNotice(c.R.Context(), c.By, c.R.PathValue("id"))
	return c.Answer(out, err)
}

func (h handlers) draft(c routing.Call) error {
	var in notices.DraftNotice
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.notices.DraftNotice(c.R.Context(), c.By, in)
	return c.Created(out, err)
}

func (h handlers) revise(c routing.Call) error {
	var in notices.DraftNotice
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.notices.ReviseNotice(c.R.Context(), c.By, c.R.PathValue("id"), in)
	return c.Created(out, err)
}

func (h handlers) act(c routing.Call) error {
	var in notices.ActOnNotice
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.notices.ActOnNotice(c.R.Context(), c.By, c.R.PathValue("id"), in)
	return c.Created(out, err)
}
