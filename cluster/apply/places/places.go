// Package places applies changes of one place of the tree, which may go to another path with all that is in
// it. What a change does follows from the records, the index of members and the command alone. It may import
// nothing of ours but command, derived and storage.
package places

import (
	"bytes"
	"fmt"
	"slices"

	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/member"
)

// Entry is where a command stands in the log, and what it changes.
type Entry struct {
	Txn     *storage.Txn
	Derived *derived.State
	Index   uint64
}

// refuse is the answer to a command that changed nothing.
func refuse(kind command.Kind, code, format string, args ...any) (command.Result, string, error) {
	return command.Refuse(kind, code, format, args...), "", nil
}

// done is the answer to a command that was applied.
func done(count int, format string, args ...any) (command.Result, string, error) {
	return command.OK(command.CountResult{Count: uint64(count)}), fmt.Sprintf(format, args...), nil
}

// failed passes on a storage error.
func failed(err error) (command.Result, string, error) { return command.Result{}, "", err }

// Change changes one place, unless somebody else has changed it since it was read. The summary is for the
// audit; an error is one of the store.
func (e Entry) Change(p *command.ChangePlace) (command.Result, string, error) {
	path := p.Path
	if path == "" {
		path = p.Place.Path
	}
	is, _, err := member.Places.Get(e.Txn, path)
	if err != nil {
		return failed(err)
	}
	if !bytes.Equal(is.PlaceState(), p.Was) {
		return refuse(command.KindConflict, "place-meanwhile", "somebody else has changed the place %s meanwhile; nothing was changed: read it again", path)
	}
	if p.Place == nil {
		return e.removePlace(path)
	}
	if err := p.Place.Validate(); err != nil {
		return refuse(command.KindInvalid, "as-said", "%v", err)
	}
	if p.Place.Path != path {
		return e.movePlace(path, *p.Place)
	}
	if err := e.putPlace(*p.Place); err != nil {
		return failed(err)
	}
	return done(1, "%s", path)
}

func (e Entry) putPlace(p audience.Place) error {
	e.Derived.Index.PutPlace(p)
	return member.Places.Put(e.Txn, member.PlaceRecord{Place: p})
}

// putMember writes a member that there is.
func (e Entry) putMember(m *audience.Member) error {
	head, known, err := member.Head(e.Txn, m.ID)
	if err != nil {
		return err
	}
	ordinal, err := member.Replace(e.Txn, head, known, audience.EncodeMember(m), e.Index)
	if err == nil {
		e.Derived.Index.Put(ordinal, m)
	}
	return err
}

func (e Entry) buryPlace(path audience.Path) error {
	e.Derived.Index.RemovePlace(path)
	return member.Places.Put(e.Txn, member.PlaceRecord{Place: audience.Place{Path: path}, Removed: true})
}

// removePlace removes a place in which nothing is.
func (e Entry) removePlace(path audience.Path) (command.Result, string, error) {
	here, err := e.within(path)
	if err != nil {
		return failed(err)
	}
	switch {
	case len(here.members) > 0:
		return refuse(command.KindConflict, "place-holds-members", "%d members are in %s; nothing was changed", len(here.members), path)
	case len(here.places) > 1 || len(here.places) == 1 && here.places[0].Path != path:
		return refuse(command.KindConflict, "place-holds-places", "there are places below %s; nothing was changed", path)
	case len(here.places) == 0:
		return refuse(command.KindNotFound, "place-none", "there is no place %s", path)
	}
	if err := e.buryPlace(path); err != nil {
		return failed(err)
	}
	return done(0, "removed %s", path)
}

// movePlace gives a place another path, with all places and members in it: all of them, or nothing.
func (e Entry) movePlace(from audience.Path, to audience.Place) (command.Result, string, error) {
	imports, err := member.Imports.All(e.Txn)
	if err != nil {
		return failed(err)
	}
	if slices.ContainsFunc(imports, func(i member.Import) bool { return i.State == member.ImportActive }) {
		return refuse(command.KindConflict, "place-importing", "members are being imported; nothing was changed")
	}
	there, err := e.within(to.Path)
	if err != nil {
		return failed(err)
	}
	if len(there.places)+len(there.members) > 0 || to.Path.Under(from) {
		return refuse(command.KindConflict, "place-taken", "%s is a place already; nothing was changed", to.Path)
	}
	here, err := e.within(from)
	if err != nil {
		return failed(err)
	}
	moved, refusal, ok := here.at(from, to)
	if !ok {
		return refusal, "", nil
	}
	for _, p := range moved.places {
		if err := e.putPlace(p); err != nil {
			return failed(err)
		}
	}
	for i := range moved.members {
		if err := e.putMember(&moved.members[i]); err != nil {
			return failed(err)
		}
	}
	for _, p := range here.places {
		if err := e.buryPlace(p.Path); err != nil {
			return failed(err)
		}
	}
	return done(len(moved.members), "%s is %s now, with %d places and %d members", from, to.Path, len(moved.places), len(moved.members))
}

// contents are the places with details at a path and below it, and the members there.
type contents struct {
	places  []audience.Place
	members []audience.Member
	bytes   int // that the members take
}

// within reads what is at a path and below it; of more members than one entry may write it reads no more.
func (e Entry) within(path audience.Path) (out contents, err error) {
	for _, p := range e.Derived.Index.Places() { // by path
		if p.Path.Under(path) {
			out.places = append(out.places, p)
		}
	}
	for it := e.Derived.Index.Under(path).Iterator(); it.HasNext() && len(out.members) <= command.MaxMembers; {
		id, _ := e.Derived.Index.ID(it.Next())
		rec, ok, err := member.Get(e.Txn, id)
		if err != nil {
			return out, err
		}
		if ok && !rec.Removed {
			out.members = append(out.members, rec.Member)
			out.bytes += len(audience.EncodeMember(&rec.Member))
		}
	}
	return out, nil
}

// at is what is at from, as it is at to; false with the refusal where it may not be there.
func (c contents) at(from audience.Path, to audience.Place) (out contents, refusal command.Result, ok bool) {
	if len(c.members) > command.MaxMembers || len(c.places) > command.MaxPlaces || c.bytes > command.MaxBytes {
		return out, command.Refuse(command.KindInvalid, "place-holds-much", "more is in %s than one change may take along; nothing was changed: change what is below it first", from), false
	}
	out.places = []audience.Place{to}
	for _, p := range c.places {
		if p.Path == from {
			continue
		}
		p.Path = to.Path + p.Path[len(from):]
		if err := p.Validate(); err != nil {
			return out, command.Refuse(command.KindInvalid, "unchanged", "%v; nothing was changed", err), false
		}
		out.places = append(out.places, p)
	}
	for _, m := range c.members {
		m.Place = to.Path + m.Place[len(from):]
		if err := m.Validate(); err != nil {
			return out, command.Refuse(command.KindInvalid, "unchanged", "%v; nothing was changed", err), false
		}
		out.members = append(out.members, m)
	}
	return out, command.Result{}, true
}
