// Package personal is the routes of the API about what is known of persons: erasing it, and how long it is
// kept. It asks service.Personal, decides nothing, and never imports api.
package personal

import (
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/personal"
)

// maxBody bounds a body.
const maxBody = 64 << 10

type handlers struct{ personal service.Personal }

// Routes are the lines of the route table.
func Routes(of service.Personal) []routing.Route {
	h := handlers{of}
	return []routing.Route{
		{Action: authority.ErasePersons, Handle: h.showPerson, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/persons/{id}",
			Summary: "What erasing a member would take away. It answers for a member that was removed, too: what was recorded of it is still there.",
			Answer:  personal.Person{}, Fails: openapi.Fails{wire.KindNotFound: "there is no such member"},
		}},
		{Action: authority.ErasePersons, Handle: h.erasePerson, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/persons/{id}/erase", MaxBody: maxBody,
			Summary: "Erase a person for good: the member with name, addresses and devices, what they reported, and words about them in notes and on the audit. A pseudonym that nothing leads back from takes the place of the id; counts of alerts stay. Nobody can take it back.",
			Request: personal.Erase{}, Answer: personal.Erasure{},
			Fails: openapi.Fails{
				wire.KindMalformed: "the body names another member, or does not say on whose word", wire.KindNotFound: "there is no such member",
				wire.KindConflict: "a file of members is being imported, or the person was erased before", wire.KindRefused: "it is a screen or a speaker, or a node is not upgraded",
			},
		}},
		{Action: authority.ReadErasures, Handle: h.listErasures, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/erasures", Summary: "List the persons who were erased, by their pseudonyms, and how far that has come on this node, the newest first.", Answer: personal.Erasures{},
		}},
		{Action: authority.ReadErasures, Handle: h.showRetention, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/retention", Summary: "How long what is known of people is kept, and what is removed next.", Answer: personal.Kept{},
		}},
		{Action: authority.ChangeRetention, Handle: h.putRetention, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/retention", MaxBody: maxBody, Summary: "Set how long what is known of people is kept. It holds from the midnight UTC after it was set on, and is carried out once a day. Alerts, receipts, counts and the audit are always kept.",
			Request: personal.Retention{}, Answer: personal.Kept{}, Fails: openapi.Fails{wire.KindRefused: "that is longer than a hundred years, less than 12 months of planned notices, or a node is not upgraded"},
		}},
	}
}

func (h handlers) showPerson(c routing.Call) error {
	out, err := h.personal.ShowPerson(c.R.Context(), c.By, c.R.PathValue("id"))
	return c.Answer(out, err)
}

func (h handlers) erasePerson(c routing.Call) error {
	var in personal.Erase
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.personal.ErasePerson(c.R.Context(), c.By, c.R.PathValue("id"), in)
	return c.Created(out, err)
}

func (h handlers) listErasures(c routing.Call) error {
	out, err := h.personal.ListErasures(c.R.Context(), c.By)
	return c.Answer(out, err)
}

func (h handlers) showRetention(c routing.Call) error {
	out, err := h.personal.ShowRetention(c.R.Context(), c.By)
	return c.Answer(out, err)
}

func (h handlers) putRetention(c routing.Call) error {
	var in personal.Retention
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.personal.PutRetention(c.R.Context(), c.By, in)
	return c.Answer(out, err)
}
