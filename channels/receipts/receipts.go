// Package receipts reads what devices of the contract tell, for whatever outlet they tell it to.
package receipts

import (
	"maps"
	"slices"

	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// rungs are those that a device can tell.
var rungs = map[string]receipt.Rung{
	contract.RungVerified:     receipt.Verified,
	contract.RungPresented:    receipt.Presented,
	contract.RungAcknowledged: receipt.Acknowledged,
	contract.RungFailed:       receipt.Failed,
	contract.RungRefused:      receipt.Refused,
	contract.RungExpired:      receipt.Expired,
	contract.RungCancelled:    receipt.Cancelled,
}

// Rungs are what devices of the contract tell by their receipts, lowest first.
func Rungs() []receipt.Rung { return slices.Sorted(maps.Values(rungs)) }

// Read reads the payload of a device's receipt topic for its member. One
// unreadable receipt refuses them all, with contract.ErrMalformed or the error of
// alert.ParseID. A device speaks for nobody but its member.
func Read(member uint32, payload []byte) ([]receipt.Receipt, error) {
	list, err := contract.ParseReceipts(payload)
	if err != nil {
		return nil, err
	}
	rs := make([]receipt.Receipt, len(list))
	for i, r := range list {
		id, err := alert.ParseID(r.Alert)
		if err != nil {
			return nil, err
		}
		rs[i] = receipt.Receipt{
			Alert: id, Revision: alert.Revision(r.Revision), Member: member,
			Rung: rungs[r.Rung], At: r.At, Answer: r.Answer,
		}
	}
	return rs, nil
}
