package api

import (
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/acts"
)

// authorityRoutes are about who may warn how.
func (h *Handler) authorityRoutes() []routing.Route {
	return []routing.Route{
		{Action: authority.Approve, Handle: h.approveAlert, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/approve", MaxBody: bodyJSON,
			Summary: "Approve an alert that waits for it. The author cannot; the policy says which of the roles may.",
			Params:  []openapi.Param{paramWait}, Request: wire.Approve{}, Answer: wire.Outcome{},
			Fails: warned.And(oneAlert, openapi.Fails{
				wire.KindForbidden: "the author wrote it, or the policy lets others approve",
				wire.KindRefused:   "it waits for no approval, or the policy that is known here is too old",
				wire.KindConflict:  "it does not say any more what was read",
			}),
		}},
		{Action: authority.Approve, Handle: h.spokenCode, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/spoken-codes", MaxBody: bodyJSON,
			Summary: "Make the code with which the caller approves one message by voice, for an alert or for the number of one that is not known here. Nothing is approved, and nothing is kept. It is made of the secret of the caller's second factor.",
			Request: acts.AskCode{}, Answer: acts.SpokenCode{},
			Fails: oneAlert.And(openapi.Fails{
				wire.KindForbidden: "the caller wrote it, or the policy lets others approve",
				wire.KindRefused:   "it waits for no approval, or the caller has no second factor",
				wire.KindConflict:  "it does not say any more what was read",
			}),
		}},
		{Action: authority.TypeApproval, Handle: h.approveSpoken, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/spoken-approval", MaxBody: bodyJSON,
			Summary: "Approve an alert in the name of the person who has read out the code. That person is held to the same rules as at a node. Five wrong codes of a caller, or in the name of a person for a message, are heard in 15 minutes, and 30 at a node.",
			Params:  []openapi.Param{paramWait}, Request: acts.TypeApproval{}, Answer: wire.Outcome{},
			Fails: warned.And(oneAlert, openapi.Fails{
				wire.KindForbidden:  "the person wrote it, or the policy lets others approve",
				wire.KindRefused:    "the code is none of that person for what the alert says now, it waits for no approval, or the policy that is known here is too old",
				wire.KindConflict:   "it does not say any more what was read, or the person has approved it before",
				wire.KindOverBudget: "too many wrong codes were typed in",
			}),
		}},
		{Action: authority.FollowUp, Handle: h.markTold, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/told", MaxBody: bodyJSON,
			Summary: "Say that a person told members of an alert in force: some of them, or everybody in a place who has not presented it. They are told, and presented nothing. With take_back the mark was a mistake, and they count as not told again.",
			Params:  []openapi.Param{paramWait}, Request: acts.MarkTold{}, Answer: acts.Told{},
			Fails: followed.And(oneAlert, openapi.Fails{wire.KindNotFound: "the alert is not for a member", wire.KindMalformed: "neither members nor a place are given, or the note is too long", wire.KindTooLarge: "more than 4,096 members would be marked"}),
		}},
		{Action: authority.FollowUp, Handle: h.remind, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/remind", MaxBody: bodyJSON,
			Summary: "Have devices present an alert in force again on which nobody has confirmed it, once or again and again until it ends. 429 within a minute.",
			Params:  []openapi.Param{paramWait}, Request: acts.Remind{}, Answer: acts.Reminded{},
			Fails: followed.And(oneAlert, openapi.Fails{wire.KindOverBudget: "it was presented again less than a minute ago", wire.KindMalformed: "the minutes are not from 0 to 1,440"}),
		}},
		{Action: authority.ReadAlerts, Handle: h.listScenarios, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/scenarios", Summary: "List the prepared alerts.",
			Answer: []wire.Scenario{},
		}},
		{Action: authority.ReadAlerts, Handle: h.showScenario, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/scenarios/{id}", Summary: "Show one prepared alert and its blanks.",
			Answer: wire.Scenario{},
			Fails:  openapi.Fails{wire.KindNotFound: "there is no such scenario"},
		}},
		{Action: authority.ChangeScenarios, Handle: h.putScenario, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/scenarios/{id}", MaxBody: bodyJSON,
			Summary: "Add or change a prepared alert. It is tried first, in every language with the longest text that each blank takes: what could not be sent is refused. With the revision that was answered with it, it is left as it is where somebody else has changed it meanwhile.",
			Params:  []openapi.Param{{Name: "dry_run", Type: "boolean", Summary: "try it and say what would be wrong, change nothing"}},
			Request: wire.Scenario{}, Answer: wire.PutScenario{},
			Fails: agreedOn,
		}},
		{Action: authority.ChangeScenarios, Handle: h.removeScenario, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/scenarios/{id}",
			Summary: "Remove a prepared alert; what was sent from it stays. With a revision, it stays where somebody else has changed it meanwhile.",
			Params:  []openapi.Param{{Name: "revision", Type: "string", Summary: "that was answered with it: it stays as it is where that is not the one that it has any more"}},
			Fails:   agreedOn.And(openapi.Fails{wire.KindNotFound: "there is no such scenario"}),
		}},
		{Action: authority.ReadAlerts, Handle: h.listLicences, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/licences",
			Summary: "List the rights to warn from a node that is alone, also past and revoked ones.",
			Answer:  []wire.Licence{},
		}},
		{Action: authority.ChangeLicences, Handle: h.grantLicence, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/licences", MaxBody: bodyJSON,
			Summary: "Grant a right to warn from a node that is alone, for 90 days at most.",
			Request: wire.Licence{}, Answer: wire.Licence{},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "the operator or a scenario is not known",
				wire.KindConflict: "a licence of the same id was made meanwhile",
			}),
		}},
		{Action: authority.ChangeLicences, Handle: h.revokeLicence, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/licences/{id}",
			Summary: "Revoke a licence; a node that is alone learns it with the next contact.",
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "there is no such licence",
				wire.KindConflict: "more than one licence begins so",
			}),
		}},
		{Action: authority.ReadAlerts, Handle: h.showPolicy, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/policy", Summary: "Show which alerts need the approval of further persons.",
			Answer: wire.Policy{},
		}},
		{Action: authority.ChangePolicy, Handle: h.putPolicy, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/policy", MaxBody: bodyJSON,
			Summary: "Replace the policy. The version in the body is passed over.", Request: wire.Policy{},
			Fails: agreedOn,
		}},
	}
}

func (h alertHandlers) approveAlert(c routing.Call) error {
	var in wire.Approve
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.approvals.ApproveAlert(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return h.accepted(c, out, err)
}

func (h alertHandlers) spokenCode(c routing.Call) error {
	var in acts.AskCode
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.spoken.SpokenCode(c.R.Context(), c.By, in)
	return c.Created(out, err)
}

func (h alertHandlers) approveSpoken(c routing.Call) error {
	var in acts.TypeApproval
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.spoken.ApproveSpoken(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return h.accepted(c, out, err)
}

func (h alertHandlers) markTold(c routing.Call) error {
	var in acts.MarkTold
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.followUps.MarkTold(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return c.Created(out, err)
}

func (h alertHandlers) remind(c routing.Call) error {
	var in acts.Remind
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.followUps.Remind(c.R.Context(), c.By, c.R.PathValue("id"), in, c.Query.Wait())
	return c.Created(out, err)
}

func (h ruleHandlers) listScenarios(c routing.Call) error {
	all, err := h.scenarios.ListScenarios(c.R.Context())
	return routing.AnswerList(c, all, err)
}

func (h ruleHandlers) showScenario(c routing.Call) error {
	all, err := h.scenarios.ListScenarios(c.R.Context())
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.ID == c.R.PathValue("id") {
			return c.Answer(s, nil)
		}
	}
	return wire.Problemf(wire.KindNotFound, "there is no scenario %s", c.R.PathValue("id"))
}

func (h ruleHandlers) putScenario(c routing.Call) error {
	var in wire.Scenario
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	id := c.R.PathValue("id")
	if in.ID != "" && in.ID != id {
		return wire.Problemf(wire.KindMalformed, "the body is of the scenario %s, the address of %s", in.ID, id)
	}
	in.ID = id
	out, err := h.scenarios.PutScenario(c.R.Context(), c.By, in, c.Query.Flag("dry_run"))
	return c.Answer(out, err)
}

func (h ruleHandlers) removeScenario(c routing.Call) error {
	return c.Done(h.scenarios.RemoveScenario(c.R.Context(), c.By, c.R.PathValue("id"), c.Query.Text("revision", "")))
}

func (h ruleHandlers) listLicences(c routing.Call) error {
	all, err := h.licences.ListLicences(c.R.Context())
	return routing.AnswerList(c, all, err)
}

func (h ruleHandlers) grantLicence(c routing.Call) error {
	var in wire.Licence
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.licences.GrantLicence(c.R.Context(), c.By, in)
	return c.Created(out, err)
}

func (h ruleHandlers) revokeLicence(c routing.Call) error {
	return c.Done(h.licences.RevokeLicence(c.R.Context(), c.By, c.R.PathValue("id")))
}

func (h ruleHandlers) showPolicy(c routing.Call) error {
	policy, err := h.policy.ShowPolicy(c.R.Context())
	return c.Answer(policy, err)
}

func (h ruleHandlers) putPolicy(c routing.Call) error {
	var in wire.Policy
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	return c.Done(h.policy.PutPolicy(c.R.Context(), c.By, in))
}
