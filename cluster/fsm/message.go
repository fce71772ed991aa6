package fsm

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// message is an alert fact as it was understood.
type message struct {
	id     fact.ID
	issue  storage.Issue
	cap    *alert.Alert
	digest alert.Digest
	entry  alert.Entry
}

// readMessage reads the body of an alert fact. why is "" or says, in words that are
// the same on every node, why it cannot be read.
func readMessage(o *opened) (msg *message, why string) {
	defer func() {
		if recover() != nil { // an entry that ends every node's process would end it again after each restart
			msg, why = nil, "message cannot be read"
		}
	}()
	issue, err := storage.DecodeIssue(o.fact.Body)
	if err != nil {
		return nil, "body is not an issue"
	}
	a, _, err := alert.Parse(issue.Message)
	if err != nil {
		return nil, "message is not valid CAP"
	}
	digest := a.Digest()
	entry := issue.Entry(a, digest.String(), o.id.String())
	return &message{id: o.id, issue: issue, cap: a, digest: digest, entry: entry}, ""
}

// resolve gives everybody whom any info block addresses, and how many blocks could
// not be resolved. Those reach nobody: a target is never widened.
func (m *memory) resolve(targets []audience.Target) (*roaring.Bitmap, int) {
	all, problems := roaring.New(), 0
	for _, t := range targets {
		members, err := resolveOne(m.index, t)
		if err != nil {
			problems++
			continue
		}
		all.Or(members)
	}
	return all, problems
}

func resolveOne(x *audience.Index, t audience.Target) (members *roaring.Bitmap, err error) {
	defer func() {
		if r := recover(); r != nil {
			members, err = nil, fmt.Errorf("resolving target: %v", r)
		}
	}()
	r, err := x.Resolve(t)
	return r.Members, err
}
