package api

import (
	"net/http"
	"strings"

	"almenara/node/api/openapi"
	"almenara/node/authority"
	"almenara/node/wire"
)

// rungs are the names of the ladder, as the receipts' parameter takes them.
var rungs = []string{
	"queued", "sent", "delivered", "verified", "presented", "acknowledged", "failed", "expired", "cancelled", "refused",
}

// takeCAP takes the message of a central system, which may want CAP back.
func (h alertHandlers) takeCAP(c call) error {
	raw := c.raw
	if len(raw) == 0 {
		return wire.Problemf(wire.KindMalformed, "the body is empty; a CAP 1.2 message is expected")
	}
	if c.query.flag("dry_run") { // never a CAP Ack: nothing is taken
		out, err := h.alerts.PreviewCAP(c.r.Context(), c.by, raw, c.query.text("select", ""))
		return answer(h.answers, c, out, err)
	}
	if c.query.err != nil {
		return c.query.err
	}
	out, err := h.alerts.TakeCAP(c.r.Context(), c.by, raw, c.query.text("select", ""), c.query.wait())
	if wantsCAP(c.r) {
		return h.replyCAP(c, raw, out, err)
	}
	return h.accepted(c, out, err)
}

func (h alertHandlers) sendAlert(c call) error {
	var in wire.SendAlert
	if err := c.readJSON(&in); err != nil {
		return err
	}
	switch {
	case len(in.Alert) == 0 && in.Scenario == "":
		return wire.Problemf(wire.KindMalformed, "the field \"alert\" is missing, or \"scenario\" in its place")
	case len(in.Alert) > 0 && in.Scenario != "":
		return wire.Problemf(wire.KindMalformed, "the body holds an alert and a scenario; one of them is expected")
	}
	if c.query.flag("dry_run") {
		out, err := h.alerts.PreviewAlert(c.r.Context(), c.by, in)
		return answer(h.answers, c, out, err)
	}
	if c.query.err != nil {
		return c.query.err
	}
	out, err := h.alerts.SendAlert(c.r.Context(), c.by, in, c.query.wait())
	return h.accepted(c, out, err)
}

// correctAlert takes corrections and, on the route for them, other updates.
func (h alertHandlers) correctAlert(c call) error {
	var words wire.CorrectAlert
	var in wire.UpdateAlert
	var into any = &in
	if c.route.Action == authority.Correct { // whatever else the body holds is refused as unknown
		into = &words
	}
	if err := c.readJSON(into); err != nil {
		return err
	}
	if c.route.Action == authority.Correct {
		in = words.Update()
	}
	if in.Empty() {
		return wire.Problemf(wire.KindMalformed, "the body says nothing new: one of \"texts\", \"blanks\" and \"expires\" is expected, or in an update one of \"severity\", \"urgency\", \"certainty\" and \"select\"")
	}
	in.DryRun = c.query.flag("dry_run")
	if c.query.err != nil {
		return c.query.err
	}
	out, err := h.alerts.UpdateAlert(c.r.Context(), c.by, c.r.PathValue("id"), in, c.query.wait())
	if in.DryRun {
		return answer(h.answers, c, out, err)
	}
	return h.accepted(c, out, err)
}

func (h alertHandlers) cancelAlert(c call) error {
	var in wire.CancelAlert
	if err := c.readJSON(&in); err != nil {
		return err
	}
	out, err := h.alerts.CancelAlert(c.r.Context(), c.by, c.r.PathValue("id"), in, c.query.wait())
	return h.accepted(c, out, err)
}

// accepted answers 202: taken and durable here; the outcome says how far it got.
func (h alertHandlers) accepted(c call, out wire.Outcome, err error) error {
	if err != nil {
		return err
	}
	c.took(out)
	h.writeJSON(c.w, http.StatusAccepted, out)
	return nil
}

func (h alertHandlers) listAlerts(c call) error {
	q := wire.AlertQuery{After: c.query.text("after", ""), Limit: c.query.limit(100, 1000), Waiting: c.query.flag("waiting")}
	if c.query.err != nil {
		return c.query.err
	}
	alerts, next, err := h.reader.ListAlerts(c.r.Context(), q)
	nextPage(c, next)
	for i := range alerts {
		authority.MinimalAlert(c.by, &alerts[i])
	}
	return answerList(h.answers, c, alerts, err)
}

func (h alertHandlers) showAlert(c call) error {
	alert, err := h.reader.ShowAlert(c.r.Context(), c.r.PathValue("id"))
	authority.MinimalAlert(c.by, &alert)
	return answer(h.answers, c, alert, err)
}

func (h alertHandlers) alertMessage(c call) error {
	raw, err := h.reader.AlertMessage(c.r.Context(), c.by, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", openapi.MediaCAP)
	c.w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = c.w.Write(raw)
	return nil
}

func (h alertHandlers) alertReceipts(c call) error {
	missing, limit := c.query.flag("missing"), c.query.limit(1000, 100_000)
	if c.query.err != nil {
		return c.query.err
	}
	page, err := h.reader.AlertReceipts(c.r.Context(), c.by, c.r.PathValue("id"), wire.ReceiptQuery{
		Rung: c.query.text("rung", "presented"), Missing: missing, After: c.query.text("after", ""), Limit: limit,
	})
	nextPage(c, page.Next)
	c.w.Header().Set(wire.HeaderCountsFrom, string(page.From))
	if err == nil && strings.Contains(c.r.Header.Get("Accept"), openapi.MediaCSV) {
		c.w.Header().Set("Content-Type", openapi.MediaCSV+"; charset=utf-8")
		return wire.WriteReceiptsCSV(c.w, page.Rows)
	}
	return answerList(h.answers, c, page.Rows, err)
}

// nextPage tells where the next page begins, as a link (RFC 8288) and as the value of after
// alone. What is not the last page always says so: nothing is cut silently.
func nextPage(c call, next string) {
	if next == "" {
		return
	}
	to := *c.r.URL
	query := to.Query()
	query.Set("after", next)
	to.RawQuery = query.Encode()
	c.w.Header().Set("Link", "<"+to.RequestURI()+`>; rel="next"`)
	c.w.Header().Set(wire.HeaderNext, next)
}

// answer writes v, unless err says otherwise.
func answer[T any](a answers, c call, v T, err error) error {
	if err != nil {
		return err
	}
	a.writeJSON(c.w, http.StatusOK, v)
	return nil
}

// answerList writes a list, where none is [] and never null.
func answerList[T any](a answers, c call, list []T, err error) error {
	if list == nil {
		list = []T{}
	}
	return answer(a, c, list, err)
}

// done answers what has no body.
func done(c call, err error) error {
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
