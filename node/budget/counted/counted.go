// Package counted tells a budget what there is to count: the messages of the book, whom they
// address now, and what sort of user wrote them. It decides nothing.
package counted

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/agreed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/members"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
)

// Source implements budget.Source. All fields are required; its methods may be called from any
// goroutine.
type Source struct {
	Book  *alerts.Book
	State *agreed.Reader
	Clock func() time.Time
}

// Standing implements budget.Source.
func (s Source) Standing(fact string, now time.Time) (board.Standing, alert.ID) {
	if m := s.Book.Message(fact); m != nil {
		return s.Book.Standing(m, now)
	}
	return board.Unknown, ""
}

// AlertOf implements budget.Source.
func (s Source) AlertOf(k alert.Key) (alert.ID, bool) {
	m, _ := s.Book.First(k, "")
	if m == nil {
		return "", false
	}
	_, id := s.Book.Standing(m, s.Clock())
	return id, true
}

// Blocks implements budget.Source.
func (s Source) Blocks(fact string) []string {
	m := s.Book.Message(fact)
	if m == nil {
		return nil
	}
	targets, err := m.EveryTarget()
	if err != nil {
		return nil // an error of the store stops the node elsewhere
	}
	return Blocks(s.State.Index(), targets)
}

// Blocks lists the blocks that targets address; what cannot be resolved reaches nobody.
func Blocks(index *lookup.Index, targets []audience.Target) (names []string) {
	set := roaring.New()
	for _, t := range targets {
		if found, err := index.Resolve(t); err == nil {
			set.Or(found.Members)
		}
	}
	for _, of := range index.Count(set, members.PlaceDepth).ByPlace {
		names = append(names, of.Name)
	}
	return names
}

// ClassOf implements budget.Source. Who is no user any more counts as a person.
func (s Source) ClassOf(author string) budget.Class {
	u, _, err := s.State.User(author)
	if err != nil {
		return budget.Person
	}
	return Class(u.Roles, u.System())
}

// Class tells administrators, central systems and persons apart.
func Class(roles []string, system bool) budget.Class {
	switch {
	case slices.Contains(roles, authority.RoleAdministrator):
		return budget.Administrator
	case system:
		return budget.System
	}
	return budget.Person
}
