// Package personreports is the routes of the API about what people report by their devices, and answer without one of
// their own. It asks service.Reported and service.Residents, decides nothing, and never imports api.
package personreports

import (
	"strconv"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/reported"
)

type handlers struct {
	reported  service.Reported
	residents service.Residents
}

// maxBody bounds the body that says what was made of a report.
const maxBody = 64 << 10

// Routes are the lines of the route table. page, limit and wait are what all routes call so.
func Routes(of service.Reported, residents service.Residents, page, limit, wait openapi.Param) []routing.Route {
	h := handlers{of, residents}
	noAnswer := openapi.Fails{wire.KindNotFound: "no such answer is known here"}
	notKnown := openapi.Fails{wire.KindNotFound: "no report of this id is known here"}
	return []routing.Route{
		{Action: authority.ReadReports, Handle: h.listReports, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/reports",
			Summary: "List what people reported, newest first. A page that is not the last one has a Link to the next (rel=next). Names are given only to who may read persons.",
			Params: []openapi.Param{
				page, limit, {Name: "alert", Type: "string", Summary: "id of the alert that they belong to"}, {Name: "place", Type: "string", Summary: "place whose members reported"},
				{Name: "handling", Type: "string", Summary: "those of which one thing was made; absent is all that are not hidden", Enum: []string{"new", "seen", "hidden", "forwarded"}},
				{Name: "kind", Type: "string", Summary: "those of one kind", Enum: []string{"need_help", "hazard", "blocked_way", "damage", "all_clear", "other"}},
			},
			Answer: reported.PersonReports{},
			Fails: openapi.Fails{
				wire.KindMalformed: "the id of the alert is none, or fewer than 4 characters of one, or there is no such handling or kind", wire.KindNotFound: "no alert of this id is known here",
				wire.KindConflict: "more than one alert begins so", wire.KindRefused: "the place is none",
			},
		}},
		{Action: authority.ReadReports, Handle: h.showReport, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/reports/{id}", Summary: "Show one report.", Answer: reported.PersonReport{}, Fails: notKnown,
		}},
		{Action: authority.ReadReports, Handle: h.reportPhoto, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/reports/{id}/photo", Summary: "Read the photo of a report, as a node has drawn it anew.", Returns: openapi.MediaJPEG,
			Fails: openapi.Fails{wire.KindNotFound: "no report of this id is known here, it has no photo, or newer ones have taken its room", wire.KindNotReady: "no node that can be reached has the photo"},
		}},
		{Action: authority.Moderate, Handle: h.moderateReport, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/reports/{id}/handling", MaxBody: maxBody,
			Summary: "Say what was made of a report. Who said it, and when, is on the audit.",
			Params:  []openapi.Param{wait}, Request: reported.Moderate{}, Answer: reported.PersonReport{},
			Fails: notKnown.And(openapi.Fails{
				wire.KindMalformed: "there is no such handling, or the note is too long", wire.KindRefused: "some nodes are not upgraded; nothing was recorded",
				wire.KindForbidden: "the person who reported is outside of the caller's places", wire.KindNoQuorum: "it takes every node's word that it is upgraded, and none leads",
				wire.KindNotReady: "the node is stopping", wire.KindBusy: "too much waits for a majority",
			}),
		}},
		{Action: authority.ReadReports, Handle: h.alertResidents, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/alerts/{id}/residents",
			Summary: "Count by block the phones that answered to an alert by the code beside it on screens, and list who needs help and the photos. Phones are counted and not people, and nobody knows whose they are.",
			Answer:  reported.Residents{},
			Fails: openapi.Fails{
				wire.KindMalformed: "the id of the alert is none, or fewer than 4 characters of one", wire.KindNotFound: "no alert of this id is known here", wire.KindConflict: "more than one alert begins so",
			},
		}},
		{Action: authority.ReadReports, Handle: h.residentPhoto, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/residents/{id}/photo", Summary: "Read the photo of a resident's answer, as a node has drawn it anew.", Returns: openapi.MediaJPEG,
			Fails: openapi.Fails{wire.KindNotFound: "no such answer is known here, it has no photo, or newer ones have taken its room", wire.KindNotReady: "no node that can be reached has the photo"},
		}},
		{Action: authority.Moderate, Handle: h.handleResident, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/residents/{id}/handling", MaxBody: maxBody,
			Summary: "Say what was made of a resident's answer. Who said it, and when, is on the audit.",
			Params:  []openapi.Param{wait}, Request: reported.Moderate{}, Answer: reported.ResidentsAnswer{},
			Fails: noAnswer.And(openapi.Fails{
				wire.KindMalformed: "there is no such handling, or the note is too long", wire.KindRefused: "some nodes are not upgraded; nothing was recorded",
				wire.KindForbidden: "the block is outside of the caller's places", wire.KindNoQuorum: "it takes every node's word that it is upgraded, and none leads",
				wire.KindNotReady: "the node is stopping", wire.KindBusy: "too much waits for a majority",
			}),
		}},
	}
}

func (h handlers) listReports(c routing.Call) error {
	q := reported.Query{
		Alert: c.Query.Text("alert", ""), Place: c.Query.Text("place", ""), Handling: reported.Handling(c.Query.Text("handling", "")), Kind: reported.Topic(c.Query.Text("kind", "")),
		After: c.Query.Text("after", ""), Limit: c.Query.Limit(20, 200),
	}
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	page, err := h.reported.ListReports(c.R.Context(), c.By, q)
	c.NextPage(page.Next)
	return c.Answer(page, err)
}

func (h handlers) showReport(c routing.Call) error {
	out, err := h.reported.ShowReport(c.R.Context(), c.By, c.R.PathValue("id"))
	return c.Answer(out, err)
}

func (h handlers) reportPhoto(c routing.Call) error {
	raw, err := h.reported.ReportPhoto(c.R.Context(), c.By, c.R.PathValue("id"))
	return picture(c, raw, err)
}

// picture answers with a photo, which no browser takes for anything else.
func picture(c routing.Call, raw []byte, err error) error {
	if err != nil {
		return err
	}
	header := c.W.Header()
	header.Set("Content-Type", openapi.MediaJPEG)
	header.Set("Content-Length", strconv.Itoa(len(raw)))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("Cache-Control", "private, no-store")
	_, _ = c.W.Write(raw)
	return nil
}

func (h handlers) alertResidents(c routing.Call) error {
	out, err := h.residents.AlertResidents(c.R.Context(), c.By, c.R.PathValue("id"))
	return c.Answer(out, err)
}

func (h handlers) residentPhoto(c routing.Call) error {
	raw, err := h.residents.ResidentPhoto(c.R.Context(), c.By, c.R.PathValue("id"))
	return picture(c, raw, err)
}

func (h handlers) handleResident(c routing.Call) error {
	var in reported.Moderate
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.residents.HandleResident(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return c.Created(out, err)
}

func (h handlers) moderateReport(c routing.Call) error {
	var in reported.Moderate
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.reported.ModerateReport(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return c.Created(out, err)
}
