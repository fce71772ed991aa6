package lookup

import "almenara/storage/audience/lookup/sets"

// addresses finds the members that have an address.
type addresses struct {
	single table                // addresses that one member has
	common map[string]*sets.Set // addresses that several members have, or had
}

func newAddresses(holds func(uint32, string) bool) addresses {
	return addresses{single: newTable(holds), common: map[string]*sets.Set{}}
}

// add makes ord findable by the address. Addresses that members share
// leave the table, whose texts are unique.
func (a *addresses) add(address string, ord uint32) {
	if s := a.common[address]; s != nil {
		s.Add(ord)
		return
	}
	other, ok := a.single.find(address)
	if !ok {
		a.single.insert(address, ord)
		return
	}
	a.single.remove(address, other)
	s := &sets.Set{}
	s.Add(other)
	s.Add(ord)
	a.common[address] = s
}

func (a *addresses) drop(address string, ord uint32) {
	s := a.common[address]
	if s == nil {
		a.single.remove(address, ord)
		return
	}
	if s.Remove(ord); s.Empty() {
		delete(a.common, address)
	}
}

// holders adds the members that have the address.
func (a *addresses) holders(address string, into *sets.Union) {
	if s := a.common[address]; s != nil {
		into.Add(s)
	} else if ord, ok := a.single.find(address); ok {
		into.Take(ord)
	}
}
