package api

import (
	"net/http"

	"almenara/node/api/openapi"
	"almenara/node/authority"
	"almenara/node/wire"
)

// authorityRoutes are about who may warn how.
func authorityRoutes() []Route {
	return []Route{
		{Action: authority.Approve, handle: (*Handler).approveAlert, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/approve", MaxBody: bodyJSON,
			Summary: "Approve an alert that waits for it. The author cannot; the policy says which of the roles may.",
			Params:  []Param{paramWait}, Request: wire.Approve{}, Answer: wire.Outcome{},
			Fails: warned.And(oneAlert, openapi.Fails{
				wire.KindForbidden: "the author wrote it, or the policy lets others approve",
				wire.KindRefused:   "it waits for no approval, or the policy that is known here is too old",
				wire.KindConflict:  "it does not say any more what was read",
			}),
		}},
		{Action: authority.ReadAlerts, handle: (*Handler).listScenarios, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/scenarios", Summary: "List the prepared alerts.",
			Answer: []wire.Scenario{},
		}},
		{Action: authority.ReadAlerts, handle: (*Handler).showScenario, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/scenarios/{id}", Summary: "Show one prepared alert and its blanks.",
			Answer: wire.Scenario{},
			Fails:  openapi.Fails{wire.KindNotFound: "there is no such scenario"},
		}},
		{Action: authority.ChangeScenarios, handle: (*Handler).putScenario, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/scenarios/{id}", MaxBody: bodyJSON,
			Summary: "Add or change a prepared alert.", Request: wire.Scenario{},
			Fails: agreedOn,
		}},
		{Action: authority.ChangeScenarios, handle: (*Handler).removeScenario, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/scenarios/{id}",
			Summary: "Remove a prepared alert; what was sent from it stays.",
			Fails:   agreedOn.And(openapi.Fails{wire.KindNotFound: "there is no such scenario"}),
		}},
		{Action: authority.ReadAlerts, handle: (*Handler).listLicences, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/licences",
			Summary: "List the rights to warn from a node that is alone, also past and revoked ones.",
			Answer:  []wire.Licence{},
		}},
		{Action: authority.ChangeLicences, handle: (*Handler).grantLicence, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/licences", MaxBody: bodyJSON,
			Summary: "Grant a right to warn from a node that is alone, for 90 days at most.",
			Request: wire.Licence{}, Answer: wire.Licence{},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "the operator or a scenario is not known",
				wire.KindConflict: "a licence of the same id was made meanwhile",
			}),
		}},
		{Action: authority.ChangeLicences, handle: (*Handler).revokeLicence, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/licences/{id}",
			Summary: "Revoke a licence; a node that is alone learns it with the next contact.",
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "there is no such licence",
				wire.KindConflict: "more than one licence begins so",
			}),
		}},
		{Action: authority.ReadAlerts, handle: (*Handler).showPolicy, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/policy", Summary: "Show which alerts need the approval of further persons.",
			Answer: wire.Policy{},
		}},
		{Action: authority.ChangePolicy, handle: (*Handler).putPolicy, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/policy", MaxBody: bodyJSON,
			Summary: "Replace the policy. The version in the body is passed over.", Request: wire.Policy{},
			Fails: agreedOn,
		}},
	}
}

func (h alertHandlers) approveAlert(c call) error {
	var in wire.Approve
	if err := c.readJSON(&in); err != nil {
		return err
	}
	out, err := h.approvals.ApproveAlert(c.r.Context(), c.by, c.r.PathValue("id"), in, c.query.wait())
	return h.accepted(c, out, err)
}

func (h ruleHandlers) listScenarios(c call) error {
	all, err := h.scenarios.ListScenarios(c.r.Context())
	return answerList(h.answers, c, all, err)
}

func (h ruleHandlers) showScenario(c call) error {
	all, err := h.scenarios.ListScenarios(c.r.Context())
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID == c.r.PathValue("id") {
			return answer(h.answers, c, s, nil)
		}
	}
	return wire.Problemf(wire.KindNotFound, "there is no scenario %s", c.r.PathValue("id"))
}

func (h ruleHandlers) putScenario(c call) error {
	var in wire.Scenario
	if err := c.readJSON(&in); err != nil {
		return err
	}
	id := c.r.PathValue("id")
	if in.ID != "" && in.ID != id {
		return wire.Problemf(wire.KindMalformed, "the body is of the scenario %s, the address of %s", in.ID, id)
	}
	in.ID = id
	return done(c, h.scenarios.PutScenario(c.r.Context(), c.by, in))
}

func (h ruleHandlers) removeScenario(c call) error {
	return done(c, h.scenarios.RemoveScenario(c.r.Context(), c.by, c.r.PathValue("id")))
}

func (h ruleHandlers) listLicences(c call) error {
	all, err := h.licences.ListLicences(c.r.Context())
	return answerList(h.answers, c, all, err)
}

func (h ruleHandlers) grantLicence(c call) error {
	var in wire.Licence
	if err := c.readJSON(&in); err != nil {
		return err
	}
	out, err := h.licences.GrantLicence(c.r.Context(), c.by, in)
	if err != nil {
		return err
	}
	h.writeJSON(c.w, http.StatusCreated, out)
	return nil
}

func (h ruleHandlers) revokeLicence(c call) error {
	return done(c, h.licences.RevokeLicence(c.r.Context(), c.by, c.r.PathValue("id")))
}

func (h ruleHandlers) showPolicy(c call) error {
	policy, err := h.policy.ShowPolicy(c.r.Context())
	return answer(h.answers, c, policy, err)
}

func (h ruleHandlers) putPolicy(c call) error {
	var in wire.Policy
	if err := c.readJSON(&in); err != nil {
		return err
	}
	return done(c, h.policy.PutPolicy(c.r.Context(), c.by, in))
}
