package approvals

import (
	"fmt"
	"slices"
	"strings"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/storage"
	"almenara/storage/alert/board"
)

// mostAsked bounds how many persons are held against the rules for one message.
const mostAsked = 100

// line is who may approve a message here and has not, in the order in which they are asked: those with
// the role approver, others whom the policy lets, administrators last; by name.
func (a *Approvals) line(m *alerts.Message, given []board.Approval) ([]string, error) {
	users, err := a.rules.Users()
	if err != nil {
		return nil, fmt.Errorf("reading the users: %w", err)
	}
	var may []authority.Caller
	for _, u := range users {
		by := callerOf(u)
		has := slices.ContainsFunc(given, func(a board.Approval) bool { return a.By == by.Name })
		if !u.Revoked && !has && authority.Door(by, authority.Approve) == nil {
			may = append(may, by)
		}
	}
	slices.SortFunc(may, func(a, b authority.Caller) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	names := []string{}
	for _, by := range may[:min(len(may), mostAsked)] {
		if _, err := a.rules.Check(by, authority.Approve, about(m)); err == nil {
			names = append(names, by.Name)
		}
	}
	return names, nil
}

func rank(by authority.Caller) int {
	switch {
	case slices.Contains(by.Roles, authority.RoleApprover):
		return 0
	case slices.Contains(by.Roles, authority.RoleAdministrator):
		return 2
	}
	return 1
}

// callerOf is a user, as its token says who it is.
func callerOf(u storage.User) authority.Caller {
	return authority.Caller{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, System: u.System()}
}
