package splits

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"almenara/cluster/command"
	"almenara/node/wire/splits"
)

// act is what a person did at a node, under the rules that this node knew.
type act struct {
	what   string // "Issued"
	node   string
	at     int64  // ms since 1970
	policy uint64 // version of the policy that the node knew
}

// rules says which changes of users and rules were agreed before the act and not known
// to the node that took it. A node that was alone knew what was agreed when it lost its
// majority. Changes of users have no version: a node with a majority knows them.
func (w *window) rules(a act, person string, m Message) (newest uint64, notes []string) {
	changes := slices.Clone(w.Changes)
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Index, b.Index) })
	changes = slices.CompactFunc(changes, func(a, b Change) bool { return a.Index == b.Index })
	knew, alone := w.knew(a)
	for _, c := range changes {
		if c.At.UnixMilli() > a.at {
			continue
		}
		newest = max(newest, c.Index)
		if c.Index > knew && (alone || !c.ofUsers()) {
			notes = append(notes, fmt.Sprintf("%s under policy %d; %d had %s at %s, by %s.",
				a.what, a.policy, c.Index, c.did(person, m), c.At.UTC().Format(time.TimeOnly), c.By))
		}
	}
	return newest, notes
}

// knew is the raft index up to which the node of the act knew what was agreed.
func (w *window) knew(a act) (index uint64, alone bool) {
	index = a.policy
	for _, s := range w.spells {
		if s.Node == a.node && s.Covers(a.at) {
			index, alone = max(index, s.Policy), true
		}
	}
	return index, alone
}

// The changes of who may do what, as the audit calls them.
var (
	putUser, revokeUser         = command.TypePutUser.String(), command.TypeRevokeUser.String()
	putScenario, removeScenario = command.TypePutScenario.String(), command.TypeRemoveScenario.String()
	grantLicence, revokeLicence = command.TypePutLicence.String(), command.TypeRevokeLicence.String()
	putPolicy                   = command.TypePutPolicy.String()
)

// OfRules reports whether the audit line of an action says who may do what.
func OfRules(action string) bool {
	return slices.Contains([]string{putUser, revokeUser, putScenario, removeScenario, grantLicence, revokeLicence, putPolicy}, action)
}

func (c Change) ofUsers() bool { return c.Action == putUser || c.Action == revokeUser }

// did says the change in words. What concerns the message itself is said so that it
// cannot be overlooked.
func (c Change) did(person string, m Message) string {
	switch name := m.Issue.Author; {
	case c.Action == revokeUser && person == "operator" && c.Subject == name:
		return fmt.Sprintf("revoked the operator %s", name)
	case c.Action == revokeUser && person == c.Subject:
		return fmt.Sprintf("revoked the approver %s", c.Subject)
	case c.Action == revokeLicence && c.Subject == m.Issue.Licence:
		return fmt.Sprintf("revoked the licence %s", c.Subject)
	case c.Action == removeScenario && c.Subject == m.Issue.Scenario:
		return fmt.Sprintf("removed the scenario %s", c.Subject)
	case c.Action == putScenario && c.Subject == m.Issue.Scenario:
		return fmt.Sprintf("changed the scenario %s", c.Subject)
	case c.Action == putPolicy:
		return "changed the policy"
	}
	return fmt.Sprintf("changed who may do what (%s)", c.What)
}

// approvals lists who stood by the message, each person once, in the order of time.
func (w *window) approvals(m Message) (out []Approval) {
	all := slices.Clone(w.Approved)
	slices.SortFunc(all, func(a, b Approval) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Node, b.Node), cmp.Compare(a.By, b.By),
			cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Reason, b.Reason))
	})
	seen := map[string]bool{}
	for _, a := range all {
		if a.of(m) && !seen[a.By] {
			seen[a.By] = true
			out = append(out, a)
		}
	}
	return out
}

// approved says who stood by the message and what is odd about it.
func (w *window) approved(m Message) (out []splits.SplitApproval, notes []string) {
	for _, a := range w.approvals(m) {
		out = append(out, splits.SplitApproval{
			By: a.By, At: at(a.At), Node: w.name(a.Node), Alone: w.aloneAt(a.Node, a.At), Reason: a.Reason, Policy: a.Policy,
		})
		_, odd := w.rules(act{"Approved by " + a.By, a.Node, a.At, a.Policy}, a.By, m)
		notes = append(notes, odd...)
		if !m.Cancelled.IsZero() && m.Cancelled.Before(at(a.At)) {
			notes = append(notes, fmt.Sprintf("Approved by %s at %s, where nobody could know that it had been cancelled at %s.",
				a.By, w.name(a.Node), m.Cancelled.Format(time.TimeOnly)))
		}
	}
	if w.waits(m) {
		notes = append(notes, fmt.Sprintf("It needs %s and has %d, so nobody was warned.", approvals(m.Issue.Approvals), len(out)))
	}
	return out, notes
}

// waits reports whether approvals of the message are missing, as far as is on record.
func (w *window) waits(m Message) bool { return len(w.approvals(m)) < int(m.Issue.Approvals) }

// due is from when on the message was to be told, in ms since 1970: once it is issued,
// effective, and approved by as many as it needs.
func (w *window) due(m Message) int64 {
	due := max(m.Issue.Accepted, m.Entry.Effective.UnixMilli())
	if given := w.approvals(m); m.Issue.Approvals > 0 && len(given) >= int(m.Issue.Approvals) {
		due = max(due, given[m.Issue.Approvals-1].At)
	}
	return due
}

// approvals is so many of them.
func approvals(n uint32) string {
	if n == 1 {
		return "1 approval"
	}
	return fmt.Sprintf("%d approvals", n)
}
