package status

import (
	"cmp"
	"time"

	"almenara/node/records"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// warnings are what an operator should know and do something about while the node works:
// one sentence each.
func (r *Reporter) warnings() why.Sentences {
	var out why.Sentences
	for _, say := range r.sentences {
		if sentence := say(); sentence.Text != "" {
			out = append(out, sentence)
		}
	}
	out = append(out, records.AssumedSystems(r.store)...)
	out = append(out, r.expirySentences()...)
	infos := r.nodeInfos(r.cluster.Status())
	return append(append(out, lostLogs(infos)...), silent(infos)...)
}

// silent names the nodes that do not answer this one.
func silent(infos []wire.NodeInfo) (sentences why.Sentences) {
	for _, node := range infos {
		name := cmp.Or(node.Name, node.ID)
		switch {
		case node.Reachable:
		case node.NeverSeen:
			sentences = append(sentences, why.Sayf("node %s was admitted and has never been seen: start it with almenara serve, or remove it with almenara node remove", name).Because(why.NodeNeverSeen, name))
		case node.LastAnswer.IsZero():
			sentences = append(sentences, why.Sayf("node %s has not answered this node since it was started", name).Because(why.NodeNeverAnswered, name))
		default:
			sentences = append(sentences, why.Sayf("node %s has not answered this node since %s", name, node.LastAnswer.Format(time.RFC3339)).Because(why.NodeSilent, name, node.LastAnswer))
		}
	}
	return sentences
}

// lostLogs names the nodes that came back with less than they had.
func lostLogs(infos []wire.NodeInfo) (sentences why.Sentences) {
	for _, node := range infos {
		if node.LostLog {
			name := cmp.Or(node.Name, node.ID)
			sentences = append(sentences, why.Sayf("node %s was started with less of what was agreed than it has had, and takes no part in agreeing; "+
				"let it come back under a new id with almenara rejoin", name).Because(why.NodeLostLog, name))
		}
	}
	return sentences
}
