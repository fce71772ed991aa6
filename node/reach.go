package node

import (
	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire"
	"almenara/storage/audience"
)

// placeDepth is how deep counts go in the place tree: district/estate/block.
const placeDepth = 3

// reach is whom a message addresses now, with the audience that this node knows.
type reach struct {
	perInfo   []*roaring.Bitmap // by info block
	members   *roaring.Bitmap   // their union
	unlocated uint64
}

// reach resolves the targets of a message, and of others whose audience it speaks to
// because they are of one incident. The shapes were fixed where the alert
// entered the district; the members are those of now, so that who joins later
// gets it too.
func (n *Node) reach(m *message, also ...*message) (reach, error) {
	r := reach{members: roaring.New()}
	for _, t := range m.issue.Targets {
		if err := n.widen(&r, t, len(r.perInfo)); err != nil {
			return reach{}, err
		}
	}
	for _, other := range also {
		for i, t := range other.issue.Targets {
			if err := n.widen(&r, t, min(i, len(m.issue.Targets)-1)); err != nil {
				return reach{}, err
			}
		}
	}
	return r, nil
}

// widen adds whom a target addresses to those of an info block.
func (n *Node) widen(r *reach, t audience.Target, info int) error {
	found, err := n.state.Index().Resolve(t)
	if err != nil {
		return err
	}
	r.members.Or(found.Members)
	r.unlocated = max(r.unlocated, found.Unlocated)
	switch {
	case info < 0:
	case info == len(r.perInfo):
		r.perInfo = append(r.perInfo, found.Members)
	default:
		r.perInfo[info].Or(found.Members)
	}
	return nil
}

// addressedBy is whom the targets of a message's info blocks address.
func (n *Node) addressedBy(targets []audience.Target) (reach, error) {
	r := reach{members: roaring.New()}
	for i, t := range targets {
		if err := n.widen(&r, t, i); err != nil {
			return reach{}, err
		}
	}
	return r, nil
}

// counts says how many members a set has, by kind and by block.
func (n *Node) counts(members *roaring.Bitmap) wire.Counts {
	c := n.state.Index().Count(members, placeDepth)
	return wire.Counts{Total: c.Total, ByKind: countLines(c.ByKind), ByPlace: countLines(c.ByPlace)}
}

func countLines(in []audience.Count) []wire.Count {
	out := make([]wire.Count, len(in))
	for i, c := range in {
		out[i] = wire.Count{Name: c.Name, Count: c.N}
	}
	return out
}
