package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"almenara/cluster/fact"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// answerTime is how long an answer waits for a fact to get further than this node.
const answerTime = 3 * time.Second

// await waits until the fact is as far as the caller wants, the time is over, or
// ctx ends.
func (n *Node) await(ctx context.Context, p *fact.Progress, wait api.Wait) {
	if wait == api.WaitLocal {
		return
	}
	timer := time.NewTimer(answerTime)
	defer timer.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-p.Committed():
			return
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-look.C:
			if k, _ := p.Reached(); wait == api.WaitReached && k > 1 {
				return
			}
		}
	}
}

// outcome tells the sender what became of the message.
func (n *Node) outcome(m *message, p *fact.Progress, warnings []string) wire.Outcome {
	if p != nil {
		return n.expect(n.desk, m, p.State(), warnings)
	}
	out := n.expect(n.desk, m, n.replication(m.fact), warnings)
	if out.Effect != "pending" { // which whoever repeats it must be told
		out.Effect = "duplicate"
	}
	return out
}

// expect says what a message on a desk does now, and to whom.
func (n *Node) expect(d *desk, m *message, state string, warnings []string) wire.Outcome {
	standing, id := d.standing(m, n.options.Clock())
	out := wire.Outcome{
		Alert: string(id), Revision: uint64(m.entry.Revision), Key: m.entry.Key.String(),
		Effect: effectOf(standing), Warnings: warnings, State: state,
		Approvals: approvalsOut(d, m), Licence: m.issue.Licence,
	}
	if reach, err := n.reach(m); err == nil {
		out.Addressed, out.Unlocated = n.counts(reach.members), reach.unlocated
		out.Connected = n.connectedOf(reach.members)
		if reach.members.IsEmpty() && m.alert.MsgType != alert.MsgTypeCancel {
			out.Warnings = append(out.Warnings, "the area holds no member of this district: nobody is addressed")
		}
	}
	return out
}

func effectOf(s alert.Standing) string {
	switch s {
	case alert.InForce:
		return "in-force"
	case alert.Future:
		return "future"
	case alert.Superseded, alert.Contradicted:
		return "superseded"
	case alert.Cancelled:
		return "cancelled"
	case alert.Expired:
		return "expired"
	case alert.Ends:
		return "ended"
	case alert.Pending:
		return "pending"
	default:
		return "recorded"
	}
}

// refusal turns the parser's verdict into the caller's problem.
func refusal(err error, findings alert.Findings) error {
	p := wire.Problemf(wire.KindRefused, "nothing was sent: %v", err)
	var rejected *alert.RejectError
	if errors.As(err, &rejected) {
		p.Sentence = "nothing was sent: " + rejected.Findings.Reason()
	}
	p.Details = sentences(findings)
	return p
}

// sentences are the findings for people. Warnings say only what is wrong: whoever
// shows them calls them so.
func sentences(findings alert.Findings) []string {
	var out []string
	for _, f := range findings {
		text := f.Detail
		if f.Level != alert.Warn {
			text = fmt.Sprintf("%s: %s", f.Level, f.Detail)
		}
		out = append(out, text)
	}
	return out
}
