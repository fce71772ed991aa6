// Package personal applies the commands that erase what is known of persons, and that keep no more of it than
// the district wants. What a command does follows from the records, the command and its time alone. It may
// import nothing of ours but command, derived, fact and storage.
package personal

import (
	"bytes"
	"fmt"
	"slices"

	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audit"
	"almenara/storage/coded"
	"almenara/storage/member"
	"almenara/storage/personal"
	"almenara/storage/results"
)

// Entry is where a command stands in the log.
type Entry struct {
	Txn     *storage.Txn
	Derived *derived.State
	Index   uint64
	Speaks  uint64 // the highest version of the log up to here, this entry included
	At      int64  // ms since 1970, of the command
	Actor   string
}

// Touched says which kinds of records a command changed, besides those that are erased.
type Touched struct{ Members, Notices bool }

// Apply applies the payload if it is one of these commands; else known is false. The summary is for
// the audit; "" writes no line. An error is one of the store.
func (e Entry) Apply(payload command.Payload) (r command.Result, summary string, touched Touched, known bool, err error) {
	switch p := payload.(type) {
	case *command.ErasePerson:
		r, summary, err = e.erasePerson(p)
		touched.Members = true
	case *command.EraseTraces:
		r, summary, err = e.eraseTraces(p)
		touched.Notices = true
	case *command.PutRetention:
		r, summary, err = e.putRetention(p)
	case *command.RemoveOld:
		r, summary, err = e.removeOld(p)
		touched.Notices = p.What == personal.OldNotices
	case *command.Pad:
		r = command.OK(nil)
	default:
		return r, "", touched, false, nil
	}
	return r, summary, touched, true, err
}

// refuse is the answer to a command that changed nothing.
func refuse(kind command.Kind, code, format string, args ...any) (command.Result, string, error) {
	return command.Refuse(kind, code, format, args...), "", nil
}

// failed passes on a storage error.
func failed(err error) (command.Result, string, error) { return command.Result{}, "", err }

// erasePerson takes the member and its devices away. What else was recorded of it is searched later.
func (e Entry) erasePerson(p *command.ErasePerson) (command.Result, string, error) {
	if r, refused, err := e.refusal(p); err != nil || refused {
		return r, "", err
	}
	rec, _, err := member.Erase(e.Txn, p.Member, p.Pseudonym, e.Index)
	if err != nil {
		return failed(err)
	}
	rec.Member.ID = p.Member // a tombstone has no more
	e.Derived.Index.Remove(rec.Ordinal)
	devices, err := e.eraseDevices(p.Member)
	if err != nil {
		return failed(err)
	}
	words, err := e.wordsOf(rec.Member, devices)
	if err != nil {
		return failed(err)
	}
	x := personal.Erasure{
		Pseudonym: p.Pseudonym, Ordinal: rec.Ordinal, Kind: string(rec.Member.Kind), At: e.At, By: e.Actor, Devices: uint32(len(devices)),
		Words: words, Phase: personal.Reports,
	}
	x.Word, _ = personal.Replace(p.Word, words, p.Pseudonym)
	if err := e.eraseAnswers(words); err != nil {
		return failed(err)
	}
	if err := personal.Erasures.Put(e.Txn, x); err != nil {
		return failed(err)
	}
	return command.OK(command.CountResult{Count: uint64(len(devices))}),
		fmt.Sprintf("%s, kind %s, %d devices, on the word of %q", p.Pseudonym, x.Kind, x.Devices, x.Word), nil
}

// refusal says why the person cannot be erased.
func (e Entry) refusal(p *command.ErasePerson) (r command.Result, refused bool, err error) {
	imports, err := member.Imports.All(e.Txn)
	if err != nil {
		return r, false, err
	}
	for _, i := range imports {
		if i.State != member.ImportDone {
			return command.Refuse(command.KindConflict, "erase-importing", "a file of members is being imported, which may bring the person back; erase it once that is done"), true, nil
		}
	}
	rec, _, err := member.Get(e.Txn, p.Member)
	if err != nil {
		return r, false, err
	}
	if k := rec.Member.Kind; k == audience.KindScreen || k == audience.KindSpeaker {
		return command.Refuse(command.KindInvalid, "erase-no-person", "%s is a %s and no person", p.Member, coded.Kind(k)), true, nil
	}
	for _, id := range []string{p.Member, p.Pseudonym} {
		_, known, err := member.Head(e.Txn, id)
		if err != nil {
			return r, false, err
		}
		if _, erased, err := personal.Erasures.Get(e.Txn, id); err != nil || erased {
			return command.Refuse(command.KindConflict, "erased-before", "%s was erased before", id), true, err
		}
		switch {
		case id == p.Member && !known:
			return command.Refuse(command.KindNotFound, "erase-none", "there is no such member"), true, nil
		case id == p.Pseudonym && known:
			return command.Refuse(command.KindConflict, "erase-pseudonym", "the pseudonym is taken"), true, nil
		}
	}
	return r, false, nil
}

// eraseDevices takes the member's devices away. A device that is not enrolled is refused like one that
// was revoked.
func (e Entry) eraseDevices(id string) ([]string, error) {
	var ids []string
	err := storage.Devices.Each(e.Txn, func(d storage.Device) error {
		if d.Member == id {
			ids = append(ids, d.ID)
		}
		return nil
	})
	for _, device := range ids {
		if err == nil {
			err = storage.Devices.Delete(e.Txn, device)
		}
	}
	return ids, err
}

// wordsOf are the texts by which the person may stand in what was recorded: the longest first, so that
// none is hidden by a part of it. What is also somebody else's, or a word with which the audit is written, is not
// among them: erasing one person must take nothing out of what is said of others.
func (e Entry) wordsOf(m audience.Member, devices []string) (words []string, err error) {
	add := func(word string) {
		if len(word) < personal.LeastWord || len(words) == personal.MaxWords || personal.Common(word) || slices.Contains(words, word) {
			return
		}
		words = append(words, word)
	}
	for _, name := range personal.Names(m.Name) {
		add(name)
	}
	add(m.ID)
	for _, end := range m.Endpoints {
		add(end.Address)
	}
	for _, d := range devices {
		add(d)
	}
	words = slices.DeleteFunc(words, func(w string) bool {
		others, bad := e.others(w)
		if bad != nil {
			err = bad
		}
		return others
	})
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return words, err
}

// others reports whether a word is the name of a user, or the id of a member or a device that is left.
func (e Entry) others(word string) (bool, error) {
	_, user, err := storage.Users.Get(e.Txn, word)
	if err != nil || user {
		return user, err
	}
	_, device, err := storage.Devices.Get(e.Txn, word)
	if err != nil || device {
		return device, err
	}
	_, known, err := member.Head(e.Txn, word)
	return known, err
}

// eraseAnswers takes the words out of what was answered to requests, which repeats would get again.
func (e Entry) eraseAnswers(words []string) error {
	var found []results.Result
	var slots []uint32
	err := results.Each(e.Txn, func(slot uint32, r results.Result) {
		for _, w := range words {
			if bytes.Contains(r.Result, []byte(w)) {
				found, slots = append(found, r), append(slots, slot)
				return
			}
		}
	})
	for i, r := range found {
		if err != nil {
			return err
		}
		if r.Result, err = command.Refuse(command.KindExpired, "", "what was answered to this request was erased with a person's data").Encode(); err == nil {
			err = results.Set(e.Txn, slots[i], r)
		}
	}
	return err
}

// line appends an audit line of this entry.
func (e Entry) line(action, summary string, erases []audit.Sealed) error {
	_, err := audit.Append(e.Txn, audit.Entry{Index: e.Index, At: e.At, Actor: e.Actor, Action: action, Summary: summary, Outcome: audit.Done, Erases: erases})
	return err
}
