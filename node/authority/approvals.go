package authority

import (
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
		out.Given = append(out.Given, wire.ApprovedBy{Name: a.By, At: a.At})
	}
	return out
}
