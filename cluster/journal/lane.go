package journal

import "almenara/cluster/fact"

// lane is what the journal knows of one stream. Guarded by Journal.mu.
type lane struct {
	base    uint64 // adopted: all up to here are in the state machine
	high    uint64 // contiguous: all up to here are adopted, or in the journal
	entries map[uint64]*entry
}

// entry is one fact above base. batch is non-nil until it is durable.
type entry struct {
	id         fact.ID
	segment    *segment
	generation uint64
	at         int64
	length     int    // of the payload
	memory     []byte // the payload, where the disk did not take it
	batch      *batch
}

// climb moves high over what is durable, or in memory for want of a disk.
func (l *lane) climb() {
	l.high = max(l.high, l.base)
	for {
		e, ok := l.entries[l.high+1]
		if !ok || e.batch != nil {
			return
		}
		l.high++
	}
}

// adopt notes that all up to mark are in the state machine, and returns how many
// facts were forgotten that were in memory only.
func (l *lane) adopt(mark uint64) (fromMemory int) {
	if mark <= l.base {
		return 0
	}
	forget := func(seq uint64) {
		e, ok := l.entries[seq]
		if !ok || e.batch != nil { // one in a batch is removed when it lands
			return
		}
		if e.memory != nil {
			fromMemory++
		}
		delete(l.entries, seq)
	}
	if mark-l.base > uint64(len(l.entries)) {
		for seq := range l.entries {
			if seq <= mark {
				forget(seq)
			}
		}
	} else {
		for seq := l.base + 1; seq <= mark; seq++ {
			forget(seq)
		}
	}
	l.base = mark
	l.climb()
	return fromMemory
}
