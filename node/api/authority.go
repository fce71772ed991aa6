package api

import (
	"net/http"

	"almenara/node/authority"
	"almenara/node/wire"
)

// authorityRoutes are about who may warn how.
func authorityRoutes() []Route {
	return []Route{
		{
			Method: "POST", Path: "/api/v1/alerts/{id}/approve", Action: authority.Approve, MaxBody: bodyJSON,
			Summary: "Approve an alert that waits for it. The author cannot; the policy says which of the roles may.",
			Params:  []Param{paramWait}, Request: wire.Approve{}, Answer: wire.Outcome{}, handle: (*Handler).approveAlert,
		},
		{
			Method: "GET", Path: "/api/v1/scenarios", Action: authority.ReadAlerts, Summary: "List the prepared alerts.",
			Answer: []wire.Scenario{}, handle: (*Handler).listScenarios,
		},
		{
			Method: "GET", Path: "/api/v1/scenarios/{id}", Action: authority.ReadAlerts, Summary: "Show one prepared alert and its blanks.",
			Answer: wire.Scenario{}, handle: (*Handler).showScenario,
		},
		{
			Method: "PUT", Path: "/api/v1/scenarios/{id}", Action: authority.ChangeScenarios, MaxBody: bodyJSON,
			Summary: "Add or change a prepared alert.", Request: wire.Scenario{}, handle: (*Handler).putScenario,
		},
		{
			Method: "DELETE", Path: "/api/v1/scenarios/{id}", Action: authority.ChangeScenarios,
			Summary: "Remove a prepared alert; what was sent from it stays.", handle: (*Handler).removeScenario,
		},
		{
			Method: "GET", Path: "/api/v1/licences", Action: authority.ReadAlerts,
			Summary: "List the rights to warn from a node that is alone, also past and revoked ones.",
			Answer:  []wire.Licence{}, handle: (*Handler).listLicences,
		},
		{
			Method: "POST", Path: "/api/v1/licences", Action: authority.ChangeLicences, MaxBody: bodyJSON,
			Summary: "Grant a right to warn from a node that is alone, for 90 days at most.",
			Request: wire.Licence{}, Answer: wire.Licence{}, handle: (*Handler).grantLicence,
		},
		{
			Method: "DELETE", Path: "/api/v1/licences/{id}", Action: authority.ChangeLicences,
			Summary: "Revoke a licence; a node that is alone learns it with the next contact.", handle: (*Handler).revokeLicence,
		},
		{
			Method: "GET", Path: "/api/v1/policy", Action: authority.ReadAlerts, Summary: "Show which alerts need the approval of further persons.",
			Answer: wire.Policy{}, handle: (*Handler).showPolicy,
		},
		{
			Method: "PUT", Path: "/api/v1/policy", Action: authority.ChangePolicy, MaxBody: bodyJSON,
			Summary: "Replace the policy. The version in the body is passed over.", Request: wire.Policy{}, handle: (*Handler).putPolicy,
		},
	}
}

func (h *Handler) approveAlert(c call) error {
	var in wire.Approve
	if err := c.readJSON(&in); err != nil {
		return err
	}
	out, err := h.services.Approvals.ApproveAlert(c.r.Context(), c.by, c.r.PathValue("id"), in, c.query.wait())
	return h.accepted(c, out, err)
}

func (h *Handler) listScenarios(c call) error {
	all, err := h.services.Scenarios.ListScenarios(c.r.Context())
	return answerList(h, c, all, err)
}

func (h *Handler) showScenario(c call) error {
	all, err := h.services.Scenarios.ListScenarios(c.r.Context())
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID == c.r.PathValue("id") {
			return answer(h, c, s, nil)
		}
	}
	return wire.Problemf(wire.KindNotFound, "there is no scenario %s", c.r.PathValue("id"))
}

func (h *Handler) putScenario(c call) error {
	var in wire.Scenario
	if err := c.readJSON(&in); err != nil {
		return err
	}
	id := c.r.PathValue("id")
	if in.ID != "" && in.ID != id {
		return wire.Problemf(wire.KindMalformed, "the body is of the scenario %s, the address of %s", in.ID, id)
	}
	in.ID = id
	return done(c, h.services.Scenarios.PutScenario(c.r.Context(), c.by, in))
}

func (h *Handler) removeScenario(c call) error {
	return done(c, h.services.Scenarios.RemoveScenario(c.r.Context(), c.by, c.r.PathValue("id")))
}

func (h *Handler) listLicences(c call) error {
	all, err := h.services.Licences.ListLicences(c.r.Context())
	return answerList(h, c, all, err)
}

func (h *Handler) grantLicence(c call) error {
	var in wire.Licence
	if err := c.readJSON(&in); err != nil {
		return err
	}
	out, err := h.services.Licences.GrantLicence(c.r.Context(), c.by, in)
	if err != nil {
		return err
	}
	h.writeJSON(c.w, http.StatusCreated, out)
	return nil
}

func (h *Handler) revokeLicence(c call) error {
	return done(c, h.services.Licences.RevokeLicence(c.r.Context(), c.by, c.r.PathValue("id")))
}

func (h *Handler) showPolicy(c call) error {
	policy, err := h.services.Policy.ShowPolicy(c.r.Context())
	return answer(h, c, policy, err)
}

func (h *Handler) putPolicy(c call) error {
	var in wire.Policy
	if err := c.readJSON(&in); err != nil {
		return err
	}
	return done(c, h.services.Policy.PutPolicy(c.r.Context(), c.by, in))
}
