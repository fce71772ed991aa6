package apply

import (
	"almenara/cluster/command"
	"almenara/storage/audience"
	"almenara/storage/member"
)

// parsed is a member with its encoded form.
type parsed struct {
	member audience.Member
	raw    []byte
}

// parseMembers reads and checks all members of a command. The second result says
// what is wrong with the first bad one.
func parseMembers(raws [][]byte) (out []parsed, refusal command.Result, ok bool) {
	out = make([]parsed, len(raws))
	for i, raw := range raws {
		m, err := audience.DecodeMember(raw)
		if err != nil {
			return nil, command.Refuse(command.KindMalformed, "member-number", "member %d: %v", i, err), false
		}
		if err := m.Validate(); err != nil {
			return nil, command.Refuse(command.KindInvalid, "member-number", "member %d: %v", i, err), false
		}
		out[i] = parsed{m, raw}
	}
	return out, command.Result{}, true
}

func (e *entry) putMembers(p *command.PutMembers) (command.Result, string, error) {
	members, refusal, ok := parseMembers(p.Members)
	if !ok {
		return refusal, "", nil
	}
	for i := range members {
		if err := e.putMember(&members[i]); err != nil {
			return failed(err)
		}
	}
	e.Changed |= ChangedMembers
	return done(command.CountResult{Count: uint64(len(members))}, "%d members", len(members))
}

// putMember writes one member to the store and the index.
func (e *entry) putMember(p *parsed) error {
	head, known, err := member.Head(e.Txn, p.member.ID)
	if err != nil {
		return err
	}
	return e.replaceMember(head, known, p)
}

// replaceMember is putMember for a head that was read in this transaction.
func (e *entry) replaceMember(head member.Record, known bool, p *parsed) error {
	ordinal, err := member.Replace(e.Txn, head, known, p.raw, e.index)
	if err != nil {
		return err
	}
	e.Derived.Index.Put(ordinal, &p.member)
	e.Derived.Ordinals = max(e.Derived.Ordinals, ordinal+1)
	return nil
}

// dropMember leaves a tombstone of one member.
func (e *entry) dropMember(id string) (bool, error) {
	head, live, err := member.Remove(e.Txn, id, e.index)
	if err != nil || !live {
		return false, err
	}
	e.Derived.Index.Remove(head.Ordinal)
	return true, nil
}

func (e *entry) removeMembers(p *command.RemoveMembers) (command.Result, string, error) {
	importing, err := e.importActive()
	if err != nil {
		return failed(err)
	}
	var n uint64
	for _, id := range p.IDs {
		gone, err := e.dropMember(id)
		if err == nil && !gone && importing {
			err = member.Bury(e.Txn, id, e.index) // or the import would bring it back
		}
		if err != nil {
			return failed(err)
		}
		if gone {
			n++
		}
	}
	e.Changed |= ChangedMembers
	return done(command.CountResult{Count: n}, "%d members", n)
}

func (e *entry) putPlaces(p *command.PutPlaces) (command.Result, string, error) {
	for i := range p.Places {
		if err := p.Places[i].Validate(); err != nil {
			return refuse(command.KindInvalid, "place-number", "place %d: %v", i, err)
		}
	}
	for _, place := range p.Places {
		if err := member.Places.Put(e.Txn, member.PlaceRecord{Place: place}); err != nil {
			return failed(err)
		}
		e.Derived.Index.PutPlace(place)
	}
	e.Changed |= ChangedPlaces
	return done(command.CountResult{Count: uint64(len(p.Places))}, "%d places", len(p.Places))
}

func (e *entry) removePlaces(p *command.RemovePlaces) (command.Result, string, error) {
	var n uint64
	for _, path := range p.Paths {
		old, ok, err := member.Places.Get(e.Txn, path)
		if err != nil {
			return failed(err)
		}
		if !ok || old.Removed {
			continue
		}
		n++
		tombstone := member.PlaceRecord{Place: audience.Place{Path: path}, Removed: true}
		if err := member.Places.Put(e.Txn, tombstone); err != nil {
			return failed(err)
		}
		e.Derived.Index.RemovePlace(path)
	}
	e.Changed |= ChangedPlaces
	return done(command.CountResult{Count: n}, "%d places", n)
}
