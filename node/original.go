package node

import (
	"context"

	"almenara/cluster/fact"
	"almenara/node/folder"
	"almenara/node/originals"
	"almenara/storage/factbody"
)

// openOriginals makes the keeper of large messages; it works once the cluster does.
func (n *Node) openOriginals() (err error) {
	n.originals, err = originals.Open(originals.Options{
		Dir: folder.OriginalsDir(n.options.Dir), Node: n.ID(), Clock: n.options.Clock, Logger: n.log,
		Understood: func(ctx context.Context) error { return n.proposer.Understood(ctx, factbody.OriginalsSince) },
		Room:       n.disk.Refusal,
		Peers:      n.peers,
		Call:       n.callPeer,
		Listed: func(index uint64, at uint16) ([]originals.Listed, error) {
			kept, err := n.state.KeptFacts(fact.KindOriginals, index, at, listedAtOnce)
			page := make([]originals.Listed, len(kept))
			for i, k := range kept {
				page[i] = originals.Listed{Index: k.Index, N: k.N, Fact: k.Fact}
			}
			return page, err
		},
	})
	return err
}

// listedAtOnce bounds a page of facts, each of up to fact.MaxBody.
const listedAtOnce = 32
