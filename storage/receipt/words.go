package receipt

// WordsErased stands where a person had answered in words of their own which were erased. It is one byte long, so
// that no block grows by it.
const WordsErased = "*"

// Chosen reports whether an answer is one that is offered to everybody, so that it tells nothing of who gave it, or
// has lost its words already. Replicas go by it: what it accepts changes with a new version of commands alone.
func Chosen(answer string) bool {
	switch answer {
	case "", "safe", "help", "done", WordsErased:
		return true
	}
	return false
}

// Reword gives each answer that is not Chosen the words that fn returns for it, which must not be longer, and
// reports whether any changed. Receipts, members, rungs and times stay: no count changes by it. Only of two answers
// that a member gave at the same tenth of a second it may decide which of them is the last.
func (b Block) Reword(fn func(member uint32, answer string) string) (changed bool) {
	for i := range b.Receipts {
		r := &b.Receipts[i]
		if Chosen(r.Answer) {
			continue
		}
		if words := fn(r.Member, r.Answer); words != r.Answer {
			r.Answer, changed = words, true
		}
	}
	return changed
}
