// Package usernames refuses names of new users that people could not tell from others. A name stands in the audit, on
// alerts and on approvals, and is all that anybody sees of who it was. It imports no other room but wire.
package usernames

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
)

// New refuses, with a *wire.Problem, a name of a new user that is not what it looks like, or looks like that of another
// one who was not revoked. That somebody has just this name is for the log to refuse. Names that there are stay.
func New(store *storage.Store, name string) error {
	if !plain(name) {
		return wire.Problemf(wire.KindRefused, "%q cannot be the name of a user: it has letters that can be seen, one space at most between words, and none of another alphabet that look like its own", name).Because(why.UserNameUnfit)
	}
	var all []storage.User
	err := store.View(func(t *storage.Txn) (err error) {
		all, err = storage.Users.All(t)
		return err
	})
	if err != nil {
		return fmt.Errorf("reading users: %w", err)
	}
	for _, u := range all {
		if !u.Revoked && u.Name != name && look(u.Name) == look(name) {
			return wire.Problemf(wire.KindConflict, "the user %q has a name that looks the same as %q; choose one that nobody mistakes for it", u.Name, name).Because(why.UserNameAlike, u.Name)
		}
	}
	return nil
}

// alphabets are those of which letters look like one another.
var alphabets = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee}

// plain reports whether all of a name is seen, written in the one way in which programs write it, so that the same is
// typed when its person signs in.
func plain(name string) bool {
	used := map[int]bool{}
	for _, r := range name {
		if !unicode.IsPrint(r) || r == utf8.RuneError || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return false // also spaces but that of ASCII, and marks of direction
		}
		for i, a := range alphabets {
			if unicode.Is(a, r) {
				used[i] = true
			}
		}
	}
	first := strings.IndexFunc(name, func(r rune) bool { return !unicode.Is(unicode.M, r) })
	return len(used) <= 1 && first == 0 && norm.NFC.IsNormalString(name) && strings.Join(strings.Fields(name), " ") == name
}

// look is what somebody remembers of a name: neither how wide its letters are, nor capitals, nor spaces.
func look(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(strings.ToUpper(name))), ""))
}
