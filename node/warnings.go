package node

// warnings are what an operator should know and do something about while the node works:
// one sentence each.
func (n *Node) warnings() []string {
	var out []string
	for _, sentence := range []string{n.space.sentence(), n.time.sentence(), n.spoolSentence()} {
		if sentence != "" {
			out = append(out, sentence)
		}
	}
	return out
}
