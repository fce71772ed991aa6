package apply

import (
	"almenara/cluster/command"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

// receiptBlock stores a block unchanged and folds it in. Blocks are of one alert
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
