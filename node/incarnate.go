package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/node/folder"
)

// incarnate puts the incarnation that this node carries on the district's record, so
// that the audit says that the district was begun anew, where, and from what.
func (n *Node) incarnate(ctx context.Context) error {
	carried := n.identity.Incarnation
	d := n.district()
	if d.ID == "" || carried.Count() <= d.Incarnation {
		return nil
	}
	d.Incarnation = carried.Count()
	actor := fmt.Sprintf("%s on %s after index %d", carried.Why, carried.By, carried.Index)
	_, err := n.proposer.Propose(ctx, actor, &command.PutDistrict{District: d})
	if err == nil {
		n.log.Warn("the district goes on from this node alone", "incarnation", d.Incarnation, "why", carried.Why)
	}
	return err
}

// Isolated reports whether this node is of a copy for a drill: it has an authority of its
// own, and the record that it was restored with is of another.
func (n *Node) Isolated() bool {
	record := n.district().ID
	return record != "" && record != n.identity.District.ID
}

// isolatedSentence says so where the copy is looked at.
func (n *Node) isolatedSentence() string {
	if !n.Isolated() {
		return ""
	}
	return "DRILL COPY: this is a copy of the district restored with --isolated, with keys of its own; the district does not hear it, and its alerts reach nobody there"
}

// former are the ids of all nodes on record that were not removed; none for a drill, which
// speaks to nobody of the district.
func (n *Node) former() []string {
	if n.Isolated() {
		return nil
	}
	nodes, _, err := n.keys()
	if err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	var ids []string
	for _, node := range nodes {
		if !node.Removed {
			ids = append(ids, node.ID)
		}
	}
	return ids
}

// replaceFormer removes the ids that this box had before, once its present one has a
// vote: until then the old one counts, dead as it is, or the district would have one
// vote less to lose.
func (n *Node) replaceFormer(ctx context.Context) error {
	if len(n.settings.Replaces) == 0 || !n.votes() {
		return nil
	}
	for _, id := range slices.Clone(n.settings.Replaces) {
		if err := n.removeFormer(ctx, id); err != nil {
			return err
		}
	}
	saved, err := folder.Load(n.options.Dir)
	if err != nil {
		return err
	}
	saved.Replaces = nil
	if err := saved.Save(n.options.Dir); err != nil {
		return err
	}
	n.settings.Replaces = nil
	return nil
}

func (n *Node) removeFormer(ctx context.Context, id string) error {
	_, err := n.proposer.Propose(ctx, n.Name(), &command.RemoveNode{ID: id})
	if err != nil && !errors.Is(err, command.ErrNotFound) {
		return err
	}
	if err := n.cluster.Remove(ctx, id); err != nil && !errors.Is(err, cluster.ErrNotMember) {
		return err
	}
	n.log.Info("the id that this box had before is removed", "id", id)
	return nil
}

// votes reports whether this node has a vote in the present configuration.
func (n *Node) votes() bool {
	return slices.ContainsFunc(n.cluster.Status().Peers, func(p cluster.Peer) bool { return p.ID == n.ID() && p.Voter })
}

// stillWarned is true of a quarantined node that has anything of the state left.
const stillWarned = "devices here are still warned"

// quarantined says what a person has to know and to do.
func quarantined(q *marks.Quarantine) string {
	if q.By == nil {
		return fmt.Sprintf("this node is quarantined since %s, because its disk does not hold what it wrote (%s); "+stillWarned+"; "+
			"replace the disk if it is old, and let the node come back under a new id with almenara rejoin", q.At.UTC().Format("2006-01-02 15:04 MST"), q.Reason)
	}
	since := q.By.Time().UTC().Format("2006-01-02 15:04 MST")
	if q.By.Why == identity.WhyRestore {
		return fmt.Sprintf("a backup of the district was restored without this node (incarnation %d, %s); "+stillWarned+"; "+
			"let it join that with almenara rejoin, or, where no such thing was meant, stop the copy, recover one of the old nodes with almenara recover, and rejoin the others",
			q.By.Number, since)
	}
	return fmt.Sprintf("the district was recovered without this node (incarnation %d, %s); "+stillWarned+"; "+
		"let it join anew with almenara rejoin", q.By.Number, since)
}
