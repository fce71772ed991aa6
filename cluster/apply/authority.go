package apply

import (
	"bytes"
	"fmt"
	"slices"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/rights"
)

// authorityChanged makes the entry's index the version of the policy.
func (e *entry) authorityChanged() error {
	e.Changed |= ChangedAuthority
	return rights.PolicyVersion.Put(e.Txn, e.index)
}

func (e *entry) putScenario(p *command.PutScenario) (command.Result, string, error) {
	if len(p.Was) > 0 {
		is, _, err := rights.Scenarios.Get(e.Txn, p.Scenario.ID)
		if err != nil {
			return failed(err)
		}
		if !bytes.Equal(is.Revision(), p.Was) {
			return refuse(command.KindConflict, "scenario-meanwhile", "somebody else has changed the scenario %s meanwhile; nothing was changed: read it again", p.Scenario.ID)
		}
	}
	if err := rights.Scenarios.Put(e.Txn, p.Scenario); err != nil {
		return failed(err)
	}
	if err := e.authorityChanged(); err != nil {
		return failed(err)
	}
	more := "" // only what older software knows nothing of may add to its line
	if p.Scenario.Said() {
		more = fmt.Sprintf(", %d blanks described, %d lines to check, %d sensitive words, whom to choose: %t",
			len(p.Scenario.Blanks), len(p.Scenario.Checklist), len(p.Scenario.Sensitive), p.Scenario.Choose)
	}
	if p.Scenario.Follows() {
		more += fmt.Sprintf(", reminders every %d minutes, %d answers in %d minutes or one of %d groups is called",
			p.Scenario.Remind, p.Scenario.Answers, p.Scenario.Minutes, len(p.Scenario.Groups))
	}
	return done(nil, "%s, %d approvals, select %q, %d bytes%s", p.Scenario.ID, p.Scenario.Approvals, p.Scenario.Select, len(p.Scenario.Alert), more+p.Scenario.Chain.String())
}

func (e *entry) removeScenario(p *command.RemoveScenario) (command.Result, string, error) {
	s, ok, err := rights.Scenarios.Get(e.Txn, p.ID)
	if err != nil {
		return failed(err)
	}
	if !ok || s.Removed {
		return refuse(command.KindNotFound, "scenario-none", "scenario %q does not exist", p.ID)
	}
	s.Removed = true
	if err := rights.Scenarios.Put(e.Txn, s); err != nil {
		return failed(err)
	}
	if err := e.authorityChanged(); err != nil {
		return failed(err)
	}
	return done(nil, "%s", p.ID)
}

func (e *entry) putLicence(p *command.PutLicence) (command.Result, string, error) {
	l := p.Licence
	_, known, err := rights.Licences.Get(e.Txn, l.ID)
	switch {
	case err != nil:
		return failed(err)
	case known:
		return refuse(command.KindConflict, "licence-there", "licence %q exists already", l.ID)
	case l.Until <= e.c.At || l.Until > e.c.At+rights.MaxLicence:
		return refuse(command.KindInvalid, "licence-days", "a licence ends within 90 days from now")
	}
	operator, known, err := storage.Users.Get(e.Txn, l.Operator)
	if err != nil {
		return failed(err)
	}
	if !known || operator.Revoked {
		return refuse(command.KindNotFound, "user-none", "user %q does not exist", l.Operator)
	}
	for _, id := range l.Scenarios {
		s, known, err := rights.Scenarios.Get(e.Txn, id)
		if err != nil {
			return failed(err)
		}
		if id != rights.AnyScenario && (!known || s.Removed) {
			return refuse(command.KindNotFound, "scenario-none", "scenario %q does not exist", id)
		}
	}
	l.GrantedBy, l.GrantedAt, l.Revoked = e.c.Actor, e.c.At, false
	if err := rights.Licences.Put(e.Txn, l); err != nil {
		return failed(err)
	}
	if err := e.authorityChanged(); err != nil {
		return failed(err)
	}
	return done(nil, "%s to %s, scenarios %v, place %s, until %d", l.ID, l.Operator, slices.Clone(l.Scenarios), l.Place, l.Until)
}

func (e *entry) revokeLicence(p *command.RevokeLicence) (command.Result, string, error) {
	l, ok, err := rights.Licences.Get(e.Txn, p.ID)
	if err != nil {
		return failed(err)
	}
	if !ok {
		return refuse(command.KindNotFound, "licence-none", "licence %q does not exist", p.ID)
	}
	l.Revoked = true
	if err := rights.Licences.Put(e.Txn, l); err != nil {
		return failed(err)
	}
	if err := e.authorityChanged(); err != nil {
		return failed(err)
	}
	return done(nil, "%s of %s", l.ID, l.Operator)
}

func (e *entry) putPolicy(p *command.PutPolicy) (command.Result, string, error) {
	if err := rights.PolicyRecord.Put(e.Txn, p.Policy); err != nil {
		return failed(err)
	}
	if err := e.authorityChanged(); err != nil {
		return failed(err)
	}
	return done(nil, "%d rules, approvers %v: %v%s", len(p.Policy.Rules), p.Policy.Approvers, p.Policy.Rules, p.Policy.Chain.String())
}
