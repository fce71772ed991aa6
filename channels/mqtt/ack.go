package mqtt

import (
	"fmt"

	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/metrics"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

// puback takes a device's word that it has an alert. Only what this session has in
// flight can be acknowledged: no other packet id makes a receipt.
func (r *reader) puback(body []byte) error {
	a, err := packet.ParseAck(body, r.s.v5)
	if err != nil {
		return err
	}
	r.s.mu.Lock()
	f, ok := r.s.to.Acknowledge(a.ID)
	behind := ok && r.s.to.LacksBodies(r.s.g.plan.Load())
	r.s.mu.Unlock()
	if !ok {
		r.s.g.metrics.Deliveries[metrics.Stray].Inc()
		return nil
	}
	r.acknowledged(f, a.Code)
	if behind {
		r.s.deliverNow(true)
	}
	return nil
}

func (r *reader) acknowledged(f delivery.InFlight, c packet.Code) {
	var refusal string
	if c >= packet.CodeUnspecified {
		refusal = fmt.Sprintf("device answered with reason 0x%02X", byte(c))
	}
	switch {
	case f.Done != nil && refusal != "":
		f.End(fmt.Errorf("%w: %s", ErrRefused, refusal))
	case f.Done != nil:
		f.End(nil)
	case refusal != "":
		r.s.g.metrics.Deliveries[metrics.Refused].Inc()
		r.addAck(r.ackReceipt(f, receipt.Failed, refusal))
	default:
		r.s.g.metrics.Deliveries[metrics.Acknowledged].Inc()
		r.addAck(r.ackReceipt(f, receipt.Delivered, ""))
	}
}

func (r *reader) ackReceipt(f delivery.InFlight, rung receipt.Rung, answer string) receipt.Receipt {
	return receipt.Receipt{
		Alert: f.Alert, Revision: f.Revision, Member: r.s.from.Member,
		Rung: rung, At: r.s.g.clock.Time(), Answer: answer,
	}
}

// addAck keeps an acknowledgement until passOnAcks, in memory that all sessions share.
func (r *reader) addAck(ack receipt.Receipt) {
	if r.acked == nil {
		r.acked = r.s.g.ackLists.Get().(*[]receipt.Receipt)
	}
	*r.acked = append(*r.acked, ack)
}

// passOnAcks hands over the acknowledgements of what was last read, at once.
func (r *reader) passOnAcks() {
	if r.acked == nil {
		return
	}
	list := r.acked
	r.acked = nil
	r.s.g.receipts.Take(r.s.from, *list, r.s.g.ownDone)
	clear(*list)
	*list = (*list)[:0]
	r.s.g.ackLists.Put(list)
}
