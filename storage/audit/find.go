package audit

import "almenara/storage"

// FirstOf finds the first line of the log's entry with that index; false where it has none, or where the
// indexes of the lines do not rise.
func FirstOf(t *storage.Txn, index uint64) (first Entry, ok bool, err error) {
	first, _, err = around(t, index)
	return first, err == nil && first.N > 0 && first.Index == index, err
}

// around is the first line of an entry of that index or later, and the last line before it; each without a
// number where there is none.
func around(t *storage.Txn, index uint64) (first, before Entry, err error) {
	head, err := End(t)
	if err != nil {
		return first, before, err
	}
	for low, high := uint64(1), head.N+1; low < high; {
		at := low + (high-low)/2
		e, there, err := storage.Load[Entry](t, storage.Key64(prefAudit, at))
		switch {
		case err != nil:
			return first, before, err
		case !there || e.Index < index:
			low, before = at+1, e
		default:
			high, first = at, e
		}
	}
	return first, before, nil
}

// AgreedAt is a time, ms since 1970, that what the entry of that index brought says of itself, kept between the
// times of the audit's lines before and after it: a node whose clock is wrong, or that was away, can neither have
// what it brought removed too early nor keep it for ever. Lines of a time after now are passed over.
func AgreedAt(t *storage.Txn, index uint64, says, now int64) (int64, error) {
	after, before, err := around(t, index)
	if err != nil {
		return 0, err
	}
	latest := now
	if after.N > 0 && after.At < now {
		latest = after.At
	}
	says = min(says, latest)
	if before.N > 0 && before.At <= latest {
		says = max(says, before.At)
	}
	return says, nil
}
