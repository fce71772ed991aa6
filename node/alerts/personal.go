package alerts

import (
	"slices"

	"almenara/storage/audience"
)

// Personal reports whether it says something of a member that the message addresses it: that
// it has a tag, a language or an address. Kinds, places and ids say what everybody with a token
// may read.
func (m *Message) Personal() bool {
	if m.texts != nil {
		return m.personal
	}
	return slices.ContainsFunc(m.Issue.Escalation.Everybody(m.Issue.Targets), func(t audience.Target) bool {
		if len(t.Addresses) > 0 || t.Select == "" {
			return len(t.Addresses) > 0
		}
		s, err := audience.Parse(t.Select)
		return err != nil || s.Personal()
	})
}
