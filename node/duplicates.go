package node

import (
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/alert"
)

// duplicateWithin is how far apart two alerts about the same may have been accepted.
const duplicateWithin = time.Hour

func unixMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// duplicates are other alerts that may be about the same: two operators at two isolated
// nodes gave them different incidents, or none. They are shown to people and never
// merged by their texts.
func (n *Node) duplicates(s *story, members *roaring.Bitmap) (ids []string) {
	m := s.current()
	if m == nil || !s.onDesk || len(s.cancels) > 0 || !n.holds(m) {
		return nil
	}
	for _, id := range n.desk.ids() {
		other := n.deskStory(id)
		if other == nil || other.id == s.id || other.status != s.status || len(other.cancels) > 0 {
			continue
		}
		if o := other.current(); o != nil && n.holds(o) && alike(m, o) && n.overlaps(o, members) {
			ids = append(ids, string(other.id))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// holds reports whether the message is shown, or will be.
func (n *Node) holds(m *message) bool {
	standing, _ := n.desk.standing(m, n.options.Clock())
	return standing == alert.InForce || standing == alert.Future || standing == alert.Pending
}

// alike reports whether two messages may be about the same.
func alike(a, b *message) bool {
	apart := a.entry.Accepted.Sub(b.entry.Accepted).Abs()
	if apart > duplicateWithin || a.issue.Incident != "" && a.issue.Incident == b.issue.Incident && a.issue.Scenario != b.issue.Scenario {
		return false
	}
	if a.issue.Scenario != "" && a.issue.Scenario == b.issue.Scenario {
		return true
	}
	return slices.ContainsFunc(a.alert.Infos, func(x alert.Info) bool {
		return slices.ContainsFunc(b.alert.Infos, func(y alert.Info) bool { return x.Event != "" && strings.EqualFold(x.Event, y.Event) })
	})
}

func (n *Node) overlaps(m *message, members *roaring.Bitmap) bool {
	r, err := n.reach(m)
	return err == nil && r.members.Intersects(members)
}
