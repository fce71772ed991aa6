package board

import (
	"time"

	"almenara/storage/alert"
)

// Family is all that is connected by any references: whoever stores it and adds its
// messages to a board again gets the same answers.
type Family struct {
	Keys  []alert.ID // of all messages, also of those never seen, in order
	Facts []string   // of all messages
	Cards []Card     // its alerts, each id once
	Over  time.Time  // the last message has run out by then; zero for Cancels alone
	Keep  time.Time  // Prune would forget it from then on
}

// Family gives what is connected with the key that has this id; false when there is no
// such key on the board.
func (b *Board) Family(id alert.ID) (out Family, ok bool) {
	n, ok := b.nodes[id]
	if !ok {
		return Family{}, false
	}
	f := n.family
	seen := make(map[alert.ID]bool)
	for _, c := range f.cards() {
		if !seen[c.id] {
			seen[c.id] = true
			out.Cards = append(out.Cards, c.display())
		}
	}
	for _, n := range f.nodes {
		out.Keys = append(out.Keys, n.id)
		for i := range n.versions {
			v := &n.versions[i]
			for _, c := range v.carriers {
				out.Facts = append(out.Facts, c.Fact)
			}
			if v.shows() {
				out.Over = alert.Later(out.Over, v.Expires)
			}
		}
	}
	out.Keep = f.keep()
	return out, true
}

// Has reports whether the key that has this id is on the board, seen or only referenced.
func (b *Board) Has(id alert.ID) bool {
	_, ok := b.nodes[id]
	return ok
}

// Forget drops the family of the key that has this id. Whoever adds a message that names
// any of its keys must add its messages again before.
func (b *Board) Forget(id alert.ID) {
	if n, ok := b.nodes[id]; ok {
		b.forget(n.family, nil)
	}
}
