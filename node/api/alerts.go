package api

import (
	"net/http"
	"strings"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/sheets"
)

// rungs are the names of the ladder, as the receipts' parameter takes them.
var rungs = []string{
	"queued", "sent", "delivered", "verified", "presented", "acknowledged", "failed", "expired", "cancelled", "refused",
}

// takeCAP takes the message of a central system, which may want CAP back.
func (h alertHandlers) takeCAP(c routing.Call) error {
	raw := c.Raw
	if len(raw) == 0 {
		return wire.Problemf(wire.KindMalformed, "the body is empty; a CAP 1.2 message is expected")
	}
	if c.Query.Flag("dry_run") { // never a CAP Ack: nothing is taken
		out, err := h.alerts.PreviewCAP(c.R.Context(), c.By, raw, c.Query.Text("select", ""))
		return c.Answer(out, err)
	}
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.alerts.TakeCAP(c.R.Context(), c.By, raw, c.Query.Text("select", ""), c.Query.Wait())
	if wantsCAP(c.R) {
		return h.replyCAP(c, out, err)
	}
	return h.accepted(c, out, err)
}

// wantsCAP reports whether the caller asked for the answer as a CAP message.
func wantsCAP(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), openapi.MediaCAP)
}

// replyCAP answers a central system with a CAP message. The HTTP status is the same as with
// JSON. What cannot be named in a CAP message is answered in JSON.
func (h alertHandlers) replyCAP(c routing.Call, out wire.Outcome, failure error) error {
	if failure == nil {
		xml, err := h.replies.Ack(c.Raw, out, h.drill())
		if xml == nil {
			return h.accepted(c, out, err)
		}
		c.Took(out)
		return writeCAP(c.W, http.StatusAccepted, xml)
	}
	p, ours := routing.ProblemOf(c.R, failure)
	if ours || p.Kind == wire.KindUnknownOutcome {
		return failure // an Error would say that nothing happened
	}
	xml, err := h.replies.Error(c.Raw, p)
	if err != nil {
		return err
	}
	if xml == nil {
		return failure
	}
	c.ProblemHeader(p)
	return writeCAP(c.W, wire.HTTPStatus(p.Kind), xml)
}

func writeCAP(w http.ResponseWriter, status int, xml []byte) error {
	w.Header().Set("Content-Type", openapi.MediaCAP)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(xml)
	return nil
}

func (h alertHandlers) sendAlert(c routing.Call) error {
	var in wire.SendAlert
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	switch {
	case len(in.Alert) == 0 && in.Scenario == "":
		return wire.Problemf(wire.KindMalformed, "the field \"alert\" is missing, or \"scenario\" in its place")
	case len(in.Alert) > 0 && in.Scenario != "":
		return wire.Problemf(wire.KindMalformed, "the body holds an alert and a scenario; one of them is expected")
	}
	if c.Query.Flag("dry_run") {
		out, err := h.alerts.PreviewAlert(c.R.Context(), c.By, in)
		return c.Answer(out, err)
	}
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.alerts.SendAlert(c.R.Context(), c.By, in, c.Query.Wait())
	return h.accepted(c, out, err)
}

// correctAlert takes corrections and, on the route for them, other updates.
func (h alertHandlers) correctAlert(c routing.Call) error {
	var words wire.CorrectAlert
	var in wire.UpdateAlert
	var into any = &in
	if c.Route.Action == authority.Correct { // whatever else the body holds is refused as unknown
		into = &words
	}
	if err := c.ReadJSON(into); err != nil {
		return err
	}
	if c.Route.Action == authority.Correct {
		in = words.Update()
	}
	if in.Empty() {
		return wire.Problemf(wire.KindMalformed, "the body says nothing new: one of \"texts\", \"blanks\" and \"expires\" is expected, or in an update one of \"severity\", \"urgency\", \"certainty\", \"select\" and \"areas\"")
	}
	in.DryRun = c.Query.Flag("dry_run")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.alerts.UpdateAlert(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	if in.DryRun {
		return c.Answer(out, err)
	}
	return h.accepted(c, out, err)
}

func (h alertHandlers) cancelAlert(c routing.Call) error {
	var in wire.CancelAlert
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.alerts.CancelAlert(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return h.accepted(c, out, err)
}

// accepted answers 202: taken and durable here; the outcome says how far it got.
func (h alertHandlers) accepted(c routing.Call, out wire.Outcome, err error) error {
	if err != nil {
		return err
	}
	c.Took(out)
	c.WriteJSON(http.StatusAccepted, out)
	return nil
}

func (h alertHandlers) listAlerts(c routing.Call) error {
	q := wire.AlertQuery{After: c.Query.Text("after", ""), Limit: c.Query.Limit(100, 1000), Waiting: c.Query.Flag("waiting"), Open: c.Query.Flag("open")}
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	alerts, next, err := h.reader.ListAlerts(c.R.Context(), q)
	c.NextPage(next)
	for i := range alerts {
		authority.MinimalAlert(c.By, &alerts[i])
	}
	return routing.AnswerList(c, alerts, err)
}

func (h alertHandlers) showAlert(c routing.Call) error {
	alert, err := h.reader.ShowAlert(c.R.Context(), c.R.PathValue("id"))
	authority.MinimalAlert(c.By, &alert)
	return c.Answer(alert, err)
}

func (h alertHandlers) alertMessage(c routing.Call) error {
	raw, err := h.reader.AlertMessage(c.R.Context(), c.By, c.R.PathValue("id"))
	if err != nil {
		return err
	}
	c.W.Header().Set("Content-Type", openapi.MediaCAP)
	c.W.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = c.W.Write(raw)
	return nil
}

// alertReport answers with the report of an alert, in JSON or CSV.
func (h alertHandlers) alertReport(c routing.Call) error {
	report, err := h.reports.AlertReport(c.R.Context(), c.By, c.R.PathValue("id"))
	c.W.Header().Set(wire.HeaderCountsFrom, string(report.Alert.CountsFrom))
	if err == nil && strings.Contains(c.R.Header.Get("Accept"), openapi.MediaCSV) {
		c.W.Header().Set("Content-Type", openapi.MediaCSV+"; charset=utf-8")
		return sheets.Report(c.W, report)
	}
	return c.Answer(report, err)
}

func (h alertHandlers) alertReceipts(c routing.Call) error {
	missing, limit := c.Query.Flag("missing"), c.Query.Limit(1000, 100_000)
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	page, err := h.reader.AlertReceipts(c.R.Context(), c.By, c.R.PathValue("id"), wire.ReceiptQuery{
		Rung: c.Query.Text("rung", "presented"), Place: c.Query.Text("place", ""), Missing: missing, After: c.Query.Text("after", ""), Limit: limit,
	})
	c.NextPage(page.Next)
	c.W.Header().Set(wire.HeaderCountsFrom, string(page.From))
	if err == nil && strings.Contains(c.R.Header.Get("Accept"), openapi.MediaCSV) {
		c.W.Header().Set("Content-Type", openapi.MediaCSV+"; charset=utf-8")
		return sheets.Receipts(c.W, page.Rows)
	}
	return routing.AnswerList(c, page.Rows, err)
}
