// Package outbox keeps a device's receipts until a node has acknowledged them. It imports the contract alone.
package outbox

import "almenara/channels/contract"

const (
	// maxOutbox is how many receipts wait for a node. Over it the oldest go: the
	// newest rungs of an alert imply the older ones.
	maxOutbox = 512
	// maxBatch is how many receipts travel in one packet, far below
	// contract.MaxReceipts, so that a node can take them in one block.
	maxBatch = 64
)

// Outbox keeps receipts until a node has acknowledged them. Sequence numbers are
// given when a receipt enters and never again, so that a node can tell a repeated
// packet from a new one.
type Outbox struct {
	Seq     uint64             `json:"seq"`
	Waiting []contract.Receipt `json:"waiting,omitempty"`
}

// Add numbers a receipt and returns whether an older one had to go.
func (o *Outbox) Add(r contract.Receipt) (dropped bool) {
	o.Seq++
	r.Seq = o.Seq
	if dropped = len(o.Waiting) >= maxOutbox; dropped {
		o.Waiting = append(o.Waiting[:0], o.Waiting[1:]...)
	}
	o.Waiting = append(o.Waiting, r)
	return dropped
}

// Batch copies what should be sent next.
func (o *Outbox) Batch() []contract.Receipt {
	return append([]contract.Receipt(nil), o.Waiting[:min(len(o.Waiting), maxBatch)]...)
}

// Done removes the receipts up to seq, which a node has acknowledged.
func (o *Outbox) Done(seq uint64) {
	for len(o.Waiting) > 0 && o.Waiting[0].Seq <= seq {
		o.Waiting = o.Waiting[1:]
	}
	if len(o.Waiting) == 0 {
		o.Waiting = nil
	}
}
