package authority

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// ApprovalsOut says who approved the message; nil where nobody must.
func ApprovalsOut(of factbody.Issue, given []board.Approval) *wire.Approvals {
	if of.Approvals == 0 {
		return nil
	}
	out := &wire.Approvals{Needed: int(of.Approvals), Given: []wire.ApprovedBy{}, Why: DemandOut(of.Demand)}
	for _, a := range given {
		out.Given = append(out.Given, wire.ApprovedBy{Name: a.By, At: a.At, Reason: a.Reason, TypedBy: a.Typed})
	}
	return out
}

// MayApprove lists who may approve the message and has not, in the order in which they are asked: those
// with the role approver, others whom the policy lets, administrators last; by name.
func (r *Rules) MayApprove(m Message, given []board.Approval) ([]string, error) {
	rules, err := r.Agreed()
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	users, err := r.Users()
	if err != nil {
		return nil, fmt.Errorf("reading the users: %w", err)
	}
	var may []Caller
	for _, u := range users {
		by := CallerOf(u)
		has := slices.ContainsFunc(given, func(a board.Approval) bool { return a.By == by.Name })
		if !u.Revoked && !has && lineOf(Approve).role(by) == nil && standsBy(by, m, rules.Policy) == nil {
			may = append(may, by)
		}
	}
	if slices.ContainsFunc(may, func(by Caller) bool { return len(by.Places) > 0 }) {
		reach, err := r.reach(m)
		if err != nil {
			return nil, err
		}
		may = slices.DeleteFunc(may, func(by Caller) bool { return r.inside(by, reach.members, "approved", "approve") != nil })
	}
	rank := func(by Caller) int {
		return slices.Index([]bool{slices.Contains(by.Roles, RoleApprover), !slices.Contains(by.Roles, RoleAdministrator), true}, true)
	}
	slices.SortFunc(may, func(a, b Caller) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	names := []string{}
	for _, by := range may {
		names = append(names, by.Name)
	}
	return names, nil
}

// withoutNames is the same for who must not learn who is asked: it does not operate alerts.
func withoutNames(a *wire.Approvals) *wire.Approvals {
	if a == nil {
		return nil
	}
	out := *a
	out.MayApprove, out.Next, out.NextUntil, out.Missed = nil, "", time.Time{}, 0
	return &out
}
