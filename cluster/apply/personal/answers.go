package personal

import (
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/factlog"
	"almenara/storage/personal"
	"almenara/storage/receipt"
)

// What one entry looks at, at most, and how many bytes it writes: a block is up to 64 KiB.
const (
	blocksAtOnce   = 500
	receiptsAtOnce = 20_000
	rewriteAtOnce  = 128 << 10
)

// searchAnswers looks at the next blocks of receipts, of whatever alert. What the person answered in their own words
// goes; what they chose of what is offered to everybody stays, and so does that they answered. Where others name the
// person in their words, the name goes.
func (e Entry) searchAnswers(x *personal.Erasure) error {
	var changed []factlog.ReceiptBlock
	blocks, receipts, bytes, more := 0, 0, 0, false
	after := factlog.ReceiptBlock{Alert: x.Alert, Index: x.Index, N: x.N}
	err := factlog.ReceiptBlocksAfter(e.Txn, after, func(b factlog.ReceiptBlock) (bool, error) {
		x.Alert, x.Index, x.N = b.Alert, b.Index, b.N
		n, left, err := e.withoutWords(x, b.Signed)
		if err != nil {
			return false, err
		}
		if left != nil {
			b.Signed = left
			changed, bytes = append(changed, b), bytes+len(left)
		}
		blocks, receipts = blocks+1, receipts+n
		more = blocks >= blocksAtOnce || receipts >= receiptsAtOnce || bytes >= rewriteAtOnce
		return !more, nil
	})
	if err != nil {
		return err
	}
	for i, b := range changed {
		if _, err := factlog.PutReceiptBlock(e.Txn, b); err != nil {
			return err
		}
		if x.Facts++; i > 0 && changed[i-1].Alert == b.Alert {
			continue
		}
		if err := e.Derived.Tallies.Reworded(e.Txn, alert.ID(b.Alert)); err != nil {
			return err
		}
	}
	if !more {
		x.Phase, x.Answered, x.Alert, x.Index, x.N = personal.Finished, true, "", 0, 0
	}
	return nil
}

// withoutWords is what is left of a stored block of receipts; nil where all of it is. n is how many receipts it has.
func (e Entry) withoutWords(x *personal.Erasure, raw []byte) (n int, left []byte, err error) {
	signed, err := fact.DecodeSigned(raw)
	if err != nil {
		return 0, nil, err
	}
	f, err := signed.Fact()
	if err != nil {
		return 0, nil, err
	}
	block, bad := receipt.DecodeBlock(f.Body)
	if bad != nil {
		return 0, nil, nil
	}
	changed := block.Reword(func(member uint32, answer string) string {
		if member == x.Ordinal {
			return receipt.WordsErased
		}
		out, _ := personal.Replace(answer, x.Words, receipt.WordsErased)
		return out
	})
	if !changed {
		return len(block.Receipts), nil, nil
	}
	if signed, _, err = withBlock(signed, block); err != nil {
		return 0, nil, err
	}
	left, err = signed.Encode()
	return len(block.Receipts), left, err
}

// withBlock is the fact with what is left of its block.
func withBlock(signed fact.Signed, block receipt.Block) (fact.Signed, []byte, error) {
	body, err := block.Encode()
	if err != nil {
		return fact.Signed{}, nil, err
	}
	signed, err = fact.Erase(signed, body)
	return signed, body, err
}

// LateAnswers takes out of a block of receipts that comes now what persons who were erased before answered in their own
// words. ok is false where nothing was, and all else is as it was then.
func (e Entry) LateAnswers(signed fact.Signed, block receipt.Block) (left fact.Signed, body []byte, ok bool, err error) {
	if e.Speaks < command.AnswersSince {
		return signed, nil, false, nil
	}
	last, pseudonym := uint32(0), ""
	known := false
	ok = block.Reword(func(member uint32, answer string) string {
		if err == nil && (!known || member != last) {
			last, known = member, true
			if pseudonym, err = e.Erased(member); err == nil && pseudonym != "" {
				err = e.came(pseudonym)
			}
		}
		if pseudonym == "" {
			return answer
		}
		return receipt.WordsErased
	})
	if err != nil || !ok {
		return signed, nil, false, err
	}
	left, body, err = withBlock(signed, block)
	return left, body, true, err
}
