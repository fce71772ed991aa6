package node

import (
	"cmp"
	"context"
	"time"

	"almenara/node/expiry"
)

// expiring is everything here that ends one day.
func (n *Node) expiring() ([]expiry.Thing, error) {
	id := n.cluster.Identity()
	things := []expiry.Thing{
		{Kind: expiry.Certificate, Name: "the certificate of this node", Ends: id.Cert.NotAfter, Then: "it should have been made anew long ago; look at the log, and at the clock"},
		{Kind: expiry.Authority, Name: "the district's authority", Ends: id.District.CA.NotAfter, Then: "begin a new district and enrol the devices there"},
	}
	nodes, ring, err := n.ring.Read()
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, node := range nodes {
		names[node.ID] = node.Name
	}
	for _, k := range ring.Keys {
		things = append(things, expiry.Thing{
			Kind: expiry.Key, Name: "the key of node " + cmp.Or(names[k.Node], k.Node), Ends: time.UnixMilli(k.NotAfter),
			Then: "the leader renews it a year before; look why it does not",
		})
	}
	rules, err := n.state.Authority()
	if err != nil {
		return nil, err
	}
	for _, l := range rules.Licences {
		ends := time.UnixMilli(l.Until)
		if !l.Revoked && n.options.Clock().Before(ends) {
			things = append(things, expiry.Thing{
				Kind: expiry.Licence, Name: "licence " + l.ID + " of " + l.Operator, From: time.UnixMilli(l.GrantedAt), Ends: ends,
				Then: "grant another one if it is needed",
			})
		}
	}
	return things, nil
}

// expirySentences are those of what ends soon.
func (n *Node) expirySentences() (sentences []string) {
	things, err := n.expiring()
	if err != nil {
		n.log.Error("reading what ends soon", "error", err)
	}
	now := n.options.Clock()
	for _, t := range expiry.Soon(things, now) {
		sentences = append(sentences, t.Sentence(now))
	}
	return sentences
}

// firstEnd is the first end of a kind, in seconds since 1970; 0 when there is none.
func (n *Node) firstEnd(kind string) float64 {
	things, err := n.expiring()
	if first := expiry.First(things, kind); err == nil && !first.IsZero() {
		return float64(first.Unix())
	}
	return 0
}

// logExpiry writes what ends soon into the log once a day.
func (n *Node) logExpiry(ctx context.Context) {
	ticker := time.NewTicker(24 * time.Hour)
	defer ticker.Stop()
	soon := time.After(time.Minute) // after the start, when the state is there
	for {
		select {
		case <-ctx.Done():
			return
		case <-soon:
		case <-ticker.C:
		}
		for _, sentence := range n.expirySentences() {
			n.log.Warn(sentence)
		}
	}
}
