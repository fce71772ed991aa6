package stories

import (
	"almenara/node/alerts"
	"almenara/storage/alert/board"
)

// Approved is who has approved a message of the alert.
func (f *Finder) Approved(s *Story, m *alerts.Message) []board.Approval {
	if s.OnBook {
		return f.book.Approvers(m)
	}
	return s.Approved[m.Fact]
}
