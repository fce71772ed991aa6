package node

import (
	"context"

	"almenara/cluster/fact"
	"almenara/node/folder"
	"almenara/node/originals"
	"almenara/storage"
)

// openOriginals makes the keeper of large messages; it works once the cluster does.
func (n *Node) openOriginals() (err error) {
	n.originals, err = originals.Open(originals.Options{
		Dir: folder.OriginalsDir(n.options.Dir), Node: n.ID(), Clock: n.options.Clock, Logger: n.log,
		Understood: func(ctx context.Context) error { return n.proposer.Understood(ctx, storage.OriginalsSince) },
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

// recordable is the body of an alert's fact. Where the message is too large for one, it
// is on this disk beside the fact, until Done is called on large if no fact names it.
func (n *Node) recordable(ctx context.Context, in intake, issue storage.Issue) (body []byte, large *originals.Large, err error) {
	if body, err = issue.Encode(); err != nil || len(body) <= fact.MaxBody {
		return body, nil, err
	}
	if large, err = n.originals.Take(ctx, issue, in.alert, urgent(n.book, in.alert, n.options.Clock()), in.dryRun); err != nil {
		return nil, nil, err
	}
	return large.Body, large, nil
}
