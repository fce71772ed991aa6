package board

import (
	"slices"

	"almenara/storage/alert"
)

// Sources lists the facts of all messages that belong or belonged to the alert which has
// this id, in every status: whoever any of them addressed may show it. complete says that
// a message is known for every key of the alert: none that somebody else has, and that may
// have addressed others, is missing here.
func (b *Board) Sources(id alert.ID) (facts []string, complete bool) {
	n, ok := b.nodes[id]
	if !ok {
		return nil, false
	}
	complete = true
	b.eachSource(n, func(n *node) {
		if len(n.versions) == 0 && !n.root {
			complete = false
		}
		for i := range n.versions {
			for _, c := range n.versions[i].carriers {
				facts = append(facts, c.Fact)
			}
		}
	})
	return facts, complete && len(facts) > 0
}

// SourceCount grows whenever Sources may answer differently; 0 where nothing is known of
// the id. It allocates nothing.
func (b *Board) SourceCount(id alert.ID) (count int) {
	n, ok := b.nodes[id]
	if !ok {
		return 0
	}
	b.eachSource(n, func(n *node) {
		count++
		for i := range n.versions {
			count += len(n.versions[i].carriers)
		}
	})
	return count
}

// eachSource calls f for every key of the alerts in which the node takes part, perhaps
// more than once.
func (b *Board) eachSource(n *node, f func(*node)) {
	cards := n.family.cards()
	for _, c := range cards {
		if len(cards) == 1 || slices.Contains(c.nodes, n) {
			for _, other := range c.nodes {
				f(other)
			}
		}
	}
}
