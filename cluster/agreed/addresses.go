package agreed

import (
	"iter"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/member"
)

// Addresses yields how members are reached on a channel, members with the lowest ordinals
// first, each with its addresses in the order in which it has them; who was removed, and who
// has none, is left out. The first error is yielded last. All of it is of one moment; the
// bitmap must not change meanwhile.
func (r *Reader) Addresses(channel string, members *roaring.Bitmap) iter.Seq2[audience.Address, error] {
	return func(yield func(audience.Address, error) bool) {
		goOn := true
		err := r.state.Store().View(func(t *storage.Txn) error {
			for i := members.Iterator(); goOn && i.HasNext(); {
				ordinal := i.Next()
				id, err := member.ID(t, ordinal)
				if err != nil {
					return err
				}
				rec, ok, err := member.Get(t, id)
				if err != nil {
					return err
				}
				if !ok || rec.Removed || rec.Ordinal != ordinal {
					continue
				}
				for _, e := range rec.Member.Endpoints {
					if e.Channel == channel && goOn {
						goOn = yield(audience.Address{Member: ordinal, Address: e.Address, Languages: rec.Member.Languages}, nil)
					}
				}
			}
			return nil
		})
		if err != nil && goOn {
			yield(audience.Address{}, err)
		}
	}
}
