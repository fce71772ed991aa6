package node

import "fmt"

// warnings are what an operator should know and do something about while the node works:
// one sentence each.
func (n *Node) warnings() []string {
	var out []string
	for _, sentence := range []string{n.space.sentence(), n.time.sentence(), n.spoolSentence()} {
		if sentence != "" {
			out = append(out, sentence)
		}
	}
	return append(out, n.lostLogs()...)
}

// lostLogs names the nodes that came back with less than they had.
func (n *Node) lostLogs() (sentences []string) {
	for _, node := range n.nodeInfos(n.cluster.Status()) {
		if node.LostLog {
			sentences = append(sentences, fmt.Sprintf("node %s was started with less of what was agreed than it has had, and takes no part in agreeing; "+
				"let it come back under a new id with almenara rejoin", orText(node.Name, node.ID)))
		}
	}
	return sentences
}
