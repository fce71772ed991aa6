// Package splits is the report on the times during which nodes were without a majority, as answers hold it. It may
// import nothing of ours.
package splits

import "time"

// Split is one time during which nodes of the district were without a majority, and
// what was done meanwhile. Every node that has the same records says the same.
type Split struct {
	From   time.Time    `json:"from"`
	To     time.Time    `json:"to"`
	Nodes  []SplitNode  `json:"nodes"` // who was without a majority
	Halves []SplitHalf  `json:"halves"`
	Alerts []SplitAlert `json:"alerts"`
	// LateReceipts is how many receipts were told meanwhile to nodes without a majority,
	// and counted when the links were back.
	LateReceipts int `json:"late_receipts"`
}

// SplitNode is one node's time without a majority, by its own clock.
type SplitNode struct {
	Node   string    `json:"node"`
	Name   string    `json:"name,omitempty"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Why    string    `json:"why"`    // lost, starting, or ended: its process ended meanwhile, and "to" is when it came up
	Policy uint64    `json:"policy"` // raft index of what was agreed, as far as it knew
}

// SplitHalf is nodes that were in touch with each other, by name, sorted.
type SplitHalf struct {
	Nodes    []string `json:"nodes"`
	Majority bool     `json:"majority"` // nothing says that they were without one
}

// SplitAlert is one message that was issued during a split.
type SplitAlert struct {
	Alert    string    `json:"alert"`
	Key      string    `json:"key"`
	MsgType  string    `json:"msgType"`
	Status   string    `json:"status"`
	Headline string    `json:"headline,omitempty"`
	Issued   time.Time `json:"issued"` // by the clock of the node that took it
	Node     string    `json:"node"`   // the name of that node
	Alone    bool      `json:"alone"`  // it had no majority then
	Author   string    `json:"author"`
	Reason   string    `json:"reason,omitempty"`
	Incident string    `json:"incident,omitempty"`
	Policy   uint64    `json:"policy"` // version of the policy that node knew: raft index of the last change of policy, scenarios or licences
	Newest   uint64    `json:"newest"` // raft index of the newest change of users or rules that was agreed during the split by then; 0: none

	Scenario  string          `json:"scenario,omitempty"`  // that it was made from
	Licence   string          `json:"licence,omitempty"`   // under which it was sent alone
	Within    string          `json:"within,omitempty"`    // place that the licence kept it to
	Approvals uint32          `json:"approvals,omitempty"` // persons besides the author that it needed
	Approved  []SplitApproval `json:"approved,omitempty"`  // who approved it, in the order of time

	// Addressed is how many members it addressed when it was agreed, as in the alert's messages.
	Addressed uint64      `json:"addressed"`
	Told      []SplitTold `json:"told"`
	Receipts  int         `json:"late_receipts"` // of LateReceipts, those of this message's alert
	Notes     []string    `json:"notes,omitempty"`
	// RoundedTo says that the counts are rounded down to multiples of this, as of the alert; the
	// split's late_receipts are then, too.
	RoundedTo uint64 `json:"rounded_to,omitempty"`

	Personal bool `json:"-"` // as of the alert
}

// SplitApproval is one person who stood by a message.
type SplitApproval struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`   // by the clock of the node that took it
	Node   string    `json:"node"` // the name of that node
	Alone  bool      `json:"alone"`
	Reason string    `json:"reason,omitempty"`
	Policy uint64    `json:"policy"` // version of the policy that node knew
}

// SplitTold is one node that told its devices.
type SplitTold struct {
	Node    string    `json:"node"`
	Devices uint32    `json:"devices"` // connected and addressed then
	At      time.Time `json:"at"`
	Late    bool      `json:"late"` // more than 3 s after it was issued
}
