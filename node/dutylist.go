package node

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/node/duties"
	"almenara/node/folder"
	"almenara/storage"
	"almenara/storage/audience"
)

// dutiesOf is what keeps the district's records true: every node announces its
// addresses, the leader begins the district, keeps the key ring and finishes imports and
// removals. Each is by itself: a removal may be refused for days while others are away,
// and an import may fail again and again.
func (n *Node) dutiesOf(c *cluster.Cluster) *duties.Duties {
	d := duties.New(c, n.log,
		duties.Duty{Name: "mark", Do: func(context.Context) error { return folder.MarkBegun(n.options.Dir, n.ID()) }},
		duties.Duty{Name: "district", Leader: true, Do: n.beginDistrict},
		duties.Duty{Name: "key ring", Leader: true, Do: n.keepKeyRing},
		duties.Duty{Name: "imports", Leader: true, Do: n.imports.FinishImports},
		duties.Duty{Name: "addresses", Do: n.announce},
		duties.Duty{Name: "former id", Do: n.replaceFormer},
		duties.Duty{Name: "removals", Leader: true, Do: n.finishRemovals},
	)
	n.duties.Store(d)
	return d
}

// duty calls them all. It never blocks.
func (n *Node) duty() {
	if d := n.duties.Load(); d != nil {
		d.Call()
	}
}

func (n *Node) beginDistrict(ctx context.Context) error {
	if err := n.begin(ctx); err != nil {
		return err
	}
	return n.incarnate(ctx)
}

// begin commits the district's own record, once in its life.
func (n *Node) begin(ctx context.Context) error {
	if n.settings.Genesis == nil || n.district().ID != "" {
		return nil
	}
	d := n.identity.District
	if _, err := n.proposer.Propose(ctx, n.Name(), &command.PutUser{User: storage.User{
		Name: "administrator", Roles: []string{"administrator"}, TokenHash: n.settings.Genesis.TokenHash,
	}}); err != nil {
		return err
	}
	if places := homePlaces(n.settings.Genesis.Place); len(places) > 0 {
		if _, err := n.proposer.Propose(ctx, n.Name(), &command.PutPlaces{Places: places}); err != nil {
			return err
		}
	}
	_, err := n.proposer.Propose(ctx, n.Name(), &command.PutDistrict{District: storage.District{
		ID: d.ID, Name: d.Name, RootPublicKey: n.rootPublic(), CACert: n.caPEM(), Incarnation: 1,
	}})
	return err
}

// homePlaces are the places that a district of Hong Kong begins with: the 18
// districts under the codes by which the Observatory's alerts cite them.
func homePlaces(district string) []audience.Place {
	places := audience.HongKongPlaces()
	home := audience.Path(district)
	if slices.ContainsFunc(places, func(p audience.Place) bool { return home.Under(p.Path) }) {
		return places
	}
	return nil
}

// announce commits where this node is reached, when that has changed.
func (n *Node) announce(ctx context.Context) error {
	want := n.self()
	var have storage.Node
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		have, known, err = t.Node(n.ID())
		return err
	})
	if err != nil || known && sameNode(have, want) {
		return err
	}
	want.Version = have.Version // what it was admitted with
	_, err = n.proposer.Propose(ctx, n.Name(), &command.PutNode{Node: want})
	return err
}

// self is this node as the others should know it.
func (n *Node) self() storage.Node {
	apiURL, mqttURLs := n.listeners.urls()
	return storage.Node{
		ID: n.ID(), Name: n.Name(), Internode: n.cluster.Advertised(), API: apiURL, MQTT: mqttURLs,
		KeyID: n.identity.KeyID, PublicKey: n.identity.SigningPublic(),
	}
}

func sameNode(a, b storage.Node) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Internode == b.Internode && a.API == b.API &&
		slices.Equal(a.MQTT, b.MQTT) && a.KeyID == b.KeyID && slices.Equal(a.PublicKey, b.PublicKey)
}

// keepKeyRing signs a new ring with the root key when the nodes' keys are not those
// in the ring.
func (n *Node) keepKeyRing(ctx context.Context) error {
	nodes, ring, err := n.keys()
	if err != nil {
		return err
	}
	want := ringOf(nodes, ring.Keys, n.options.Clock())
	if slices.EqualFunc(want, ring.Keys, sameKey) {
		return nil
	}
	signed, err := n.signRing(want)
	if err != nil {
		return err
	}
	_, err = n.proposer.Propose(ctx, n.Name(), &command.PutKeyRing{KeyRing: storage.KeyRing{Signed: signed, Keys: want}})
	return err
}

// How long a key is good, and from when on before its end it is made good for as
// long again: devices that were away for a year still know a key that is.
const (
	keyLife    = 2 * 365 * 24 * time.Hour
	keyRenewal = keyLife / 2
)

// ringOf lists the keys of the nodes that belong to the district, by node, with the
// times of the ring before as long as they last.
func ringOf(nodes []storage.Node, before []storage.PublicKey, now time.Time) []storage.PublicKey {
	var want []storage.PublicKey
	for _, node := range nodes {
		if node.Removed || len(node.PublicKey) == 0 {
			continue
		}
		key := storage.PublicKey{
			ID: node.KeyID, Node: node.ID, Key: node.PublicKey,
			NotBefore: now.Add(-24 * time.Hour).UnixMilli(), NotAfter: now.Add(keyLife).UnixMilli(),
		}
		for _, old := range before {
			if old.ID != key.ID {
				continue
			}
			key.NotBefore = old.NotBefore
			if old.NotAfter > now.Add(keyRenewal).UnixMilli() {
				key.NotAfter = old.NotAfter
			}
		}
		want = append(want, key)
	}
	return want
}

func sameKey(a, b storage.PublicKey) bool {
	return a.ID == b.ID && a.Node == b.Node && a.NotBefore == b.NotBefore && a.NotAfter == b.NotAfter
}

// keys reads the nodes and the key ring together.
func (n *Node) keys() (nodes []storage.Node, ring storage.KeyRing, err error) {
	err = n.store.View(func(t *storage.Txn) error {
		if nodes, err = t.Nodes(); err != nil {
			return err
		}
		ring, _, err = t.KeyRing()
		return err
	})
	return nodes, ring, err
}

// signRing writes the ring as devices get it.
func (n *Node) signRing(keys []storage.PublicKey) (string, error) {
	d := n.identity.District
	ring := contract.KeyRing{District: d.ID, Time: n.options.Clock().UTC()}
	for _, k := range keys {
		ring.Keys = append(ring.Keys, contract.Key{
			ID: k.ID, Node: k.Node, Public: base64.RawURLEncoding.EncodeToString(k.Key),
			NotBefore: time.UnixMilli(k.NotBefore).UTC(), NotAfter: time.UnixMilli(k.NotAfter).UTC(),
		})
	}
	signed, err := contract.Signer{KeyID: identity.KeyID(n.rootPublic()), Key: d.RootKey}.Sign(ring)
	if err != nil {
		return "", fmt.Errorf("signing the key ring: %w", err)
	}
	return string(signed), nil
}

// signedKeys is the ring for /keys; nil before there is one.
func (n *Node) signedKeys() []byte {
	_, ring, err := n.keys()
	if err != nil || ring.Signed == "" {
		return nil
	}
	return []byte(ring.Signed)
}
