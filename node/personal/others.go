package personal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/coded"
	"almenara/storage/member"
	"almenara/storage/personal"
	"almenara/storage/rights"
)

// ofRecords is the form of ids by which the record names alerts, and facts.
var ofRecords = regexp.MustCompile(`^([a-z2-7]{26}|[0-9a-f]{32}|[0-9a-f]{64})$`)

// notOthers refuses to erase a person whose name or address is what the record calls something else by: the search for
// it would take that out of what others did. Whoever may import members could have an alert of their own taken out of
// the audit so, by an address that nobody looks at. What is also a user, a device or another member is not searched for.
func (p *Personal) notOthers(t *storage.Txn, id string) error {
	rec, _, err := member.Get(t, id)
	if err != nil {
		return fmt.Errorf("reading a member: %w", err)
	}
	words := personal.Names(rec.Member.Name)
	for _, end := range rec.Member.Endpoints {
		words = append(words, end.Address)
	}
	for _, word := range words {
		if word == id || len(word) < personal.LeastWord {
			continue
		}
		what, err := calledSo(t, strings.ToLower(word))
		if err != nil {
			return err
		}
		if what != nil {
			err := coded.Errorf("person-called-so", "nobody was erased: %.100q, a name or an address of the person, is also %w, and would be taken out of what others did; import the person without it, and erase it then", word, what)
			return wire.Problemf(wire.KindConflict, "%v", err).Because(why.RecordUnfit, err)
		}
	}
	return nil
}

// calledSo says what the record calls by a word, in small letters; nil is nothing that is known.
func calledSo(t *storage.Txn, word string) (what, err error) {
	if ofRecords.MatchString(word) {
		return coded.New("called-id", "in the form of the id of an alert or a record"), nil
	}
	if _, err := audience.ParsePath(word); err == nil {
		_, place, err := member.Places.Get(t, audience.Path(word))
		if err != nil || place || strings.Contains(word, "/") {
			return coded.New("called-place", "the path of a place"), err
		}
	}
	for _, known := range []func() (bool, error){
		func() (bool, error) { _, is, err := rights.Scenarios.Get(t, word); return is, err },
		func() (bool, error) { _, is, err := rights.Licences.Get(t, word); return is, err },
	} {
		if is, err := known(); err != nil || is {
			return coded.New("called-right", "the id of a scenario or a licence"), err
		}
	}
	users, err := storage.Users.All(t)
	for _, u := range users {
		if slices.ContainsFunc(u.Senders, func(s string) bool { return strings.EqualFold(s, word) }) {
			return coded.New("called-sender", "a CAP sender"), nil
		}
		if strings.Contains(word, "by "+strings.ToLower(u.Name)) {
			return coded.Errorf("called-act", "how the record says what %s did", u.Name), nil
		}
	}
	return nil, err
}
