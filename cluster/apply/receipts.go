package apply

import (
	"almenara/cluster/command"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

// receiptBlock stores a block and folds it in, unchanged but for the words of who was erased before. Blocks are of one alert
// (receipt.Blocks makes them so); another one is recorded and counts for nothing.
func (a *adoption) receiptBlock(o *opened, signed []byte, out *command.FactOutcome) ([]byte, error) {
	block, err := receipt.DecodeBlock(o.fact.Body)
	if err != nil {
		return nil, a.rejected(o, out, "body is not a receipt block")
	}
	id, ok := block.Alert()
	if !ok {
		return nil, a.rejected(o, out, "receipt block is not of one alert")
	}
	if signed, err = a.answersErased(o, block, signed); err != nil {
		return nil, err
	}
	if err := a.Derived.Tallies.Fold(a.Txn, id, block); err != nil {
		return nil, err
	}
	key, err := factlog.PutReceiptBlock(a.Txn, factlog.ReceiptBlock{Alert: string(id), Index: a.index, N: a.n, Signed: signed})
	if err != nil {
		return nil, err
	}
	a.blocks++
	a.receipts += len(block.Receipts)
	out.Outcome, out.Alert = command.Adopted, string(id)
	return key, nil
}

// answersErased takes out of a block what persons who were erased before answered in their own words. It gives the
// encoded fact that is stored.
func (a *adoption) answersErased(o *opened, block receipt.Block, signed []byte) ([]byte, error) {
	left, body, late, err := personalOf(a.entry).LateAnswers(o.signed, block)
	if err != nil || !late {
		return signed, err
	}
	o.signed, o.fact.Body = left, body
	a.Changed |= ChangedPersonal
	return left.Encode()
}
