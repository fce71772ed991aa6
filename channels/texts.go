package channels

import (
	"slices"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// Texts are the texts of an Alert or Update as devices get them, in the order of its info
// blocks: plain, and cut to what a device takes. A device gets those whose areas it is in.
// Nil is what no device ever gets.
func Texts(a *alert.Alert) []contract.Text {
	it := itemOf(a)
	if deliverable(it) != nil {
		return nil
	}
	texts := make([]contract.Text, len(a.Infos))
	for _, infos := range together(it, nil) {
		slices.Sort(infos) // a body has them in the message's order
		body, err := fittingBody(it, infos, longestTime, largestSigner.SignedSize)
		for n, i := range infos {
			if texts[i] = textOf(it, &a.Infos[i]); err == nil {
				texts[i] = body.Texts[n]
			}
		}
	}
	return texts
}

// itemOf is the message as it is handed to the dispatcher, but for whom.
func itemOf(a *alert.Alert) *Item {
	return &Item{
		Alert: a.Key().ID(), Revision: a.Revision(), Digest: a.Digest().String(), Status: a.Status, Message: a, Expires: a.Expires(),
	}
}
