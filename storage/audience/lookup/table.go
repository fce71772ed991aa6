package lookup

import "hash/maphash"

// table finds an ordinal by a text (id or address) that the ordinal's record
// itself keeps, in 8 bytes a slot and without pointers. One text has one ordinal.
// It is an open-addressing hash table with linear probing; a slot holds 32 bits of
// the text's hash, never zero, and the ordinal; 0 is a free slot. The seed is
// random, so nobody can choose texts that collide.
type table struct {
	seed  maphash.Seed
	slots []uint64
	used  int
	holds func(ord uint32, text string) bool // whether the record has the text
}

func newTable(holds func(uint32, string) bool) table {
	return table{seed: maphash.MakeSeed(), slots: make([]uint64, 16), holds: holds}
}

// hash is the upper half of a slot. The table's home slots come from its low bits.
func (t *table) hash(text string) uint32 {
	return uint32(maphash.String(t.seed, text)) | 1<<31
}

func (t *table) home(slot uint64) uint64 { return slot >> 32 & uint64(len(t.slots)-1) }

// find returns the ordinal whose record has the text.
func (t *table) find(text string) (uint32, bool) {
	hash := uint64(t.hash(text))
	for i := t.home(hash << 32); t.slots[i] != 0; i = t.next(i) {
		if t.slots[i]>>32 == hash && t.holds(uint32(t.slots[i]), text) {
			return uint32(t.slots[i]), true
		}
	}
	return 0, false
}

func (t *table) next(i uint64) uint64 { return (i + 1) & uint64(len(t.slots)-1) }

// insert adds a text that find does not find.
func (t *table) insert(text string, ord uint32) {
	if t.used*4 >= len(t.slots)*3 {
		t.grow()
	}
	t.used++
	t.place(uint64(t.hash(text))<<32 | uint64(ord))
}

func (t *table) place(slot uint64) {
	i := t.home(slot)
	for t.slots[i] != 0 {
		i = t.next(i)
	}
	t.slots[i] = slot
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	for _, slot := range old {
		if slot != 0 {
			t.place(slot)
		}
	}
}

// remove deletes the text's slot, and moves back those behind it that would no
// longer be found.
func (t *table) remove(text string, ord uint32) {
	slot := uint64(t.hash(text))<<32 | uint64(ord)
	i := t.home(slot)
	for t.slots[i] != slot {
		if t.slots[i] == 0 {
			return
		}
		i = t.next(i)
	}
	t.used--
	for j := t.next(i); t.slots[j] != 0; j = t.next(j) {
		mask := uint64(len(t.slots) - 1)
		if (j-t.home(t.slots[j]))&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = 0
}
