// Package shortid makes ids and finds what somebody means who typed the beginning of one. Only people
// do: devices and other nodes name things in full.
package shortid

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Least is the fewest characters that are taken for the beginning of an id: with fewer, what
// was meant could be something else an hour later.
const Least = 4

// Most is how many ids a search needs to find: with so many, the beginning is too short.
const Most = 20

// some is how many are named.
const some = 3

// New is a random id of 32 hexadecimal digits.
func New() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Pick gives the one id that begins with what was typed; a Problem where none does
// (not-found), or more than one (conflict). what is the thing, for the sentence.
func Pick[ID ~string](what, typed string, found []ID) (ID, error) {
	slices.Sort(found)
	found = slices.Compact(found)
	switch len(found) {
	case 0:
		return "", wire.Problemf(wire.KindNotFound, "no %s %s is known here", what, typed).Because(why.NoSuchID, typed)
	case 1:
		return found[0], nil
	}
	var names []string
	for _, id := range found[:min(some, len(found))] {
		names = append(names, string(id))
	}
	count, more := len(found), ""
	if count > some {
		more = " and more"
	}
	return "", wire.Problemf(wire.KindConflict, "%s is the beginning of %s%d %s ids (%s%s): write more of the one that is meant",
		typed, map[bool]string{true: "at least "}[count >= Most], count, what, strings.Join(names, ", "), more).Because(why.IDsMany, typed)
}
