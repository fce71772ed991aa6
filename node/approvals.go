package node

import (
	"encoding/hex"

	"almenara/cluster/fact"
	"almenara/node/events"
	"almenara/storage"
)

// learnApproval lays an approval on the book, also before its alert.
func (n *Node) learnApproval(f fact.Fact, signed fact.Signed) {
	a, err := storage.DecodeApproval(f.Body)
	if err != nil {
		n.log.Error("an approval fact cannot be read", "fact", signed.ID().String(), "origin", f.Origin, "error", err)
		return
	}
	n.book.Approve(a.OnBoard())
	n.budget.Approved()
	n.presenter.Changed()
	if m := n.book.Message(hex.EncodeToString(a.Fact)); m != nil {
		_, of := n.book.Standing(m, n.options.Clock())
		n.events.Touch(of, events.Alert)
	}
}
