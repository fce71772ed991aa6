package tallies

import (
	"slices"

	"almenara/storage"
	"almenara/storage/alert"
)

// Reworded forgets the tally of an alert, and its checkpoint, because t writes blocks of it anew: they count the same,
// and answers in them have lost words. Like Fold it is the applying goroutine's, and Save follows the commit.
func (r *Tallies) Reworded(t *storage.Txn, id alert.ID) error {
	var keys [][]byte // pieces without a head, too
	prefix := storage.Key(storage.PrefCheck, string(id))
	err := t.Scan(prefix, nil, func(k, _ []byte) (bool, error) {
		keys = append(keys, slices.Clone(k))
		return true, nil
	})
	for _, k := range keys {
		if err == nil {
			err = t.Delete(k)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, id)
	r.due = slices.DeleteFunc(r.due, func(due alert.ID) bool { return due == id })
	r.reworded = append(r.reworded, id)
	return err
}

// committed forgets what was read before the commit of blocks that were written anew. mu is held.
func (r *Tallies) committed() {
	for _, id := range r.reworded {
		delete(r.read, id)
	}
	if len(r.reworded) > 0 {
		r.reworded, r.commits = nil, r.commits+1
	}
}

// rewording counts the commits that wrote blocks anew.
func (r *Tallies) rewording() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits
}
