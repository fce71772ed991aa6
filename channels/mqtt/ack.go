package mqtt

import (
	"fmt"

	"almenara/storage/receipt"
)

// puback takes a device's word that it has an alert. Only what this session has in
// flight can be acknowledged: no other packet id makes a receipt.
func (s *session) puback(body []byte) error {
	a, err := parseAck(body, s.v5)
	if err != nil {
		return err
	}
	s.mu.Lock()
	f, ok := s.land(a.id)
	behind := ok && s.lacks(s.g.plan.Load())
	s.mu.Unlock()
	if !ok {
		s.g.metrics.deliveries[deliveryStray].Inc()
		return nil
	}
	s.landed(f, a.code)
	if behind {
		s.deliverNow()
	}
	return nil
}

func (s *session) landed(f flight, c code) {
	var refusal string
	if c >= codeUnspecified {
		refusal = fmt.Sprintf("device answered with reason 0x%02X", byte(c))
	}
	switch {
	case f.done != nil && refusal != "":
		f.finish(fmt.Errorf("%w: %s", ErrRefused, refusal))
	case f.done != nil:
		f.finish(nil)
	case refusal != "":
		s.g.metrics.deliveries[deliveryRefused].Inc()
		s.note(s.ackReceipt(f, receipt.Failed, refusal))
	default:
		s.g.metrics.deliveries[deliveryAcked].Inc()
		s.note(s.ackReceipt(f, receipt.Delivered, ""))
	}
}

func (s *session) ackReceipt(f flight, rung receipt.Rung, answer string) receipt.Receipt {
	return receipt.Receipt{
		Alert: f.alert, Revision: f.revision, Member: s.from.Member,
		Rung: rung, At: now(), Answer: answer,
	}
}

// note keeps an acknowledgement until settle, in memory that all sessions share.
func (s *session) note(r receipt.Receipt) {
	if s.acked == nil {
		s.acked = s.g.ackLists.Get().(*[]receipt.Receipt)
	}
	*s.acked = append(*s.acked, r)
}

// settle hands over the acknowledgements of what was last read, at once.
func (s *session) settle() {
	if s.acked == nil {
		return
	}
	list := s.acked
	s.acked = nil
	s.g.receipts.Take(s.from, *list, s.g.ownDone)
	clear(*list)
	*list = (*list)[:0]
	s.g.ackLists.Put(list)
}
