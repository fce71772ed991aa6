package authority

import (
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

// withoutNames is the same for who must not learn who is asked: it does not operate alerts.
func withoutNames(a *wire.Approvals) *wire.Approvals {
	if a == nil {
		return nil
	}
	out := *a
	out.MayApprove, out.Next, out.NextUntil, out.Missed = nil, "", time.Time{}, 0
	return &out
}
