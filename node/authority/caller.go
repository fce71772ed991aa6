// Package authority says who may do what: one table of actions, and one function that
// holds a caller and an action against it, for every road into the district. It reads
// what is agreed, the audience, the clock and whether the node is alone; it changes
// nothing.
package authority

import "slices"

// The roles that a token may have. An administrator may do everything that a person may, but
// corrects the words of others without a second person only as a corrector: that role is
// given by name.
const (
	RoleViewer          = "viewer"
	RoleComposer        = "composer"
	RoleApprover        = "approver"
	RoleCorrector       = "corrector"
	RoleAudienceManager = "audience-manager"
	RoleDeviceManager   = "device-manager"
	RoleAuditor         = "auditor"
	RoleAdministrator   = "administrator"
)

// Roles lists every role that a user may be given.
func Roles() []string {
	return []string{
		RoleViewer, RoleComposer, RoleApprover, RoleCorrector, RoleAudienceManager, RoleDeviceManager, RoleAuditor, RoleAdministrator,
	}
}

// ApproverRoles are the roles that a policy may let approve; without a word of it, it is
// RoleApprover.
func ApproverRoles() []string { return []string{RoleApprover, RoleComposer} }

// NoticeRoles are the roles of which a level of planned notices may ask for persons; administrators are
// always among them.
func NoticeRoles() []string { return []string{RoleComposer, RoleApprover} }

// Caller is who asks for something, as the bearer token says.
type Caller struct {
	Name    string
	Roles   []string
	Senders []string // CAP senders that it is limited to; empty is any that is granted to nobody else
	Places  []string // to which it is limited where the table says so; empty is everywhere
	System  bool     // a central system: it speaks for its senders, and no policy asks for a second person
}

// Limited reports whether some alerts of the district are none of the caller's business.
func (c Caller) Limited() bool { return len(c.Senders) > 0 || len(c.Places) > 0 }

// Speaks reports whether the CAP sender was granted to the caller.
func (c Caller) Speaks(sender string) bool { return slices.Contains(c.Senders, sender) }

// May reports whether the caller's roles allow the action at all. Check asks this too,
// and about everything else.
func May(by Caller, action Action) bool {
	line := LineOf(action)
	return slices.ContainsFunc(by.Roles, func(role string) bool {
		return role == RoleAdministrator || slices.Contains(line.Roles, role)
	})
}
