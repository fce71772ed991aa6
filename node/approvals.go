package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/fact"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
)

// approvalVersion is the command version that an approval needs.
const approvalVersion = 2

// ApproveAlert implements api.Approvals: the approval is a fact of this node, so it
// works without quorum, and it may reach a node before the alert does.
func (n *Node) ApproveAlert(ctx context.Context, by api.Caller, id string, in wire.Approve, wait api.Wait) (wire.Outcome, error) {
	s, err := n.find(id)
	if err != nil {
		return wire.Outcome{}, err
	}
	m, err := n.approvable(s, by, in)
	if err != nil {
		return wire.Outcome{}, err
	}
	if slices.ContainsFunc(n.desk.approvers(m), func(a alert.Approval) bool { return a.By == by.Name }) {
		return n.outcome(m, nil, []string{by.Name + " has approved it before"}), nil
	}
	version, err := n.mayApprove(by, m)
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := n.understood(ctx, approvalVersion); err != nil {
		return wire.Outcome{}, err
	}
	return n.approve(ctx, by, m, version, in.Reason, wait)
}

// approve records the approval.
func (n *Node) approve(ctx context.Context, by api.Caller, m *message, version uint64, reason string, wait api.Wait) (wire.Outcome, error) {
	raw, err := hex.DecodeString(m.fact)
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("reading fact id %q: %w", m.fact, err)
	}
	body, err := storage.Approval{
		Fact: raw, Digest: m.entry.Digest, By: by.Name, Policy: version, Reason: reason,
		At: n.options.Clock().UnixMilli(), Expires: m.entry.Expires.UnixMilli(),
	}.Encode()
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("encoding the approval: %w", err)
	}
	progress, err := n.exchange.Create(ctx, fact.KindApproval, fact.Alerts, body)
	if err != nil {
		return wire.Outcome{}, unrecorded(err)
	}
	n.under.put(progress)
	n.await(ctx, progress, wait)
	return n.expect(n.desk, m, progress.State(), nil), nil
}

// approvable is the message of the alert that waits for approvals, as the caller has
// read it.
func (n *Node) approvable(s *story, by api.Caller, in wire.Approve) (*message, error) {
	i := slices.IndexFunc(s.messages, func(m *message) bool {
		return slices.Contains(s.pending, m.fact) && (in.Digest == "" || m.entry.Digest == in.Digest)
	})
	switch {
	case i < 0 && in.Digest != "" && len(s.pending) > 0:
		return nil, wire.Problemf(wire.KindConflict, "the alert %s does not say what you have read any more; read it again; nothing was approved", s.id)
	case i < 0 || len(s.cancels) > 0:
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.id, n.stateOf(s))
	}
	m := s.messages[i]
	standing, _ := n.desk.standing(m, n.options.Clock())
	if standing != alert.Pending {
		return nil, wire.Problemf(wire.KindRefused, "the alert %s waits for no approval; it is %s", s.id, effectOf(standing))
	}
	if m.issue.Author == by.Name {
		return nil, wire.Problemf(wire.KindForbidden, "%s wrote this alert; somebody else must approve it", by.Name)
	}
	return m, nil
}

// mayApprove checks role, place and the age of the policy, and gives its version.
func (n *Node) mayApprove(by api.Caller, m *message) (version uint64, err error) {
	rules, err := n.state.Authority()
	if err != nil {
		return 0, fmt.Errorf("reading the policy: %w", err)
	}
	roles := append([]string{api.RoleAdministrator}, rules.Policy.Approvers...)
	if len(rules.Policy.Approvers) == 0 {
		roles = append(roles, api.RoleApprover)
	}
	if !slices.ContainsFunc(by.Roles, func(r string) bool { return slices.Contains(roles, r) }) {
		return 0, wire.Problemf(wire.KindForbidden, "the policy lets %s approve, and %s is none of these", strings.Join(roles, ", "), by.Name)
	}
	if now := n.contact.now(); now.alone && now.stale() {
		return 0, wire.Problemf(wire.KindRefused, "nothing was approved: this node has been alone since %s, and its policy is older than 72 hours, so who may approve is not known here; licensed scenarios, cancels and corrections still work",
			now.since.UTC().Format(sinceForm))
	}
	reach, err := n.reach(m)
	if err != nil {
		return 0, fmt.Errorf("resolving targets: %w", err)
	}
	if len(by.Places) > 0 {
		outside, err := n.outside(reach.members, by.Places...)
		if err != nil || outside > 0 {
			return 0, wire.Problemf(wire.KindForbidden, "nothing was approved: it addresses %d members outside %s, where %s may approve",
				outside, strings.Join(by.Places, " and "), by.Name)
		}
	}
	return rules.Version, nil
}

// learnApproval lays an approval on the desk, also before its alert.
func (n *Node) learnApproval(f fact.Fact, signed fact.Signed) {
	a, err := storage.DecodeApproval(f.Body)
	if err != nil {
		n.log.Error("an approval fact cannot be read", "fact", signed.ID().String(), "origin", f.Origin, "error", err)
		return
	}
	n.desk.approve(a.OnBoard())
	n.changed()
	if m := n.desk.message(hex.EncodeToString(a.Fact)); m != nil {
		_, of := n.desk.standing(m, n.options.Clock())
		n.tallies.touch(of, eventAlert)
	}
}

// approvalsOut says who approved the message; nil where nobody must.
func approvalsOut(d *desk, m *message) *wire.Approvals {
	if m.issue.Approvals == 0 {
		return nil
	}
	out := &wire.Approvals{Needed: int(m.issue.Approvals), Given: []wire.ApprovedBy{}}
	for _, a := range d.approvers(m) {
		out.Given = append(out.Given, wire.ApprovedBy{Name: a.By, At: a.At})
	}
	return out
}

// showAuthority adds by what right the message went out.
func (n *Node) showAuthority(out *wire.Alert, m *message, s *story, members *roaring.Bitmap) {
	out.Scenario, out.Incident, out.Licence = m.issue.Scenario, m.issue.Incident, m.issue.Licence
	out.Policy, out.Approvals = m.issue.Policy, approvalsOut(n.desk, m)
	if m.issue.Alone > 0 {
		out.Alone = unixMilli(m.issue.Alone)
	}
	out.Duplicates = n.duplicates(s, members)
}
