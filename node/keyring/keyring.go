// Package keyring keeps the public keys of the district's nodes: the key ring that the root key
// signs, by which devices believe nodes, and the keys by which nodes believe each other's facts.
//
//	nodes on record ─> Keep (leader) ─> ring, signed with the root key ─> Signed ─> devices
//	facts ─> Key <─ nodes on record, rings of other incarnations (Learn)
//
// It decides nothing about who belongs to the district: that is membership. It never imports
// api, channels but for the ring's form, or another part of node but access.
package keyring

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"almenara/channels/contract"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/node/access"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// Proposer has a change agreed on; *records.Proposer is one.
type Proposer interface {
	Propose(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
}

// Options say what a Ring needs. None may be nil.
type Options struct {
	Identity *identity.Identity // of this node, with the district's root key
	Name     string             // of this node, for the audit
	Store    *storage.Store
	Proposer Proposer
	Clock    func() time.Time
	Logger   *slog.Logger
}

// Ring is the key ring as this node knows it. Its methods may be called from any goroutine.
type Ring struct {
	identity *identity.Identity
	name     string
	store    *storage.Store
	proposer Proposer
	clock    func() time.Time
	log      *slog.Logger
	holds    atomic.Bool
	foreign  foreignKeys
}

// New makes one; Reread comes before Holds.
func New(o Options) *Ring {
	return &Ring{identity: o.Identity, name: o.Name, store: o.Store, proposer: o.Proposer, clock: o.Clock, log: o.Logger}
}

// Reread looks into the ring as this node knows it, after each change and before anybody asks
// Holds.
func (r *Ring) Reread() error {
	_, ring, err := r.Read()
	if err != nil {
		return fmt.Errorf("reading the key ring: %w", err)
	}
	r.holds.Store(slices.ContainsFunc(ring.Keys, func(k noderecord.PublicKey) bool {
		return k.Node == r.identity.NodeID && k.ID == r.identity.KeyID
	}))
	return nil
}

// Holds reports whether this node's key is in the ring, so that devices take its word.
func (r *Ring) Holds() bool { return r.holds.Load() }

// Keep signs a new ring with the root key when the nodes' keys are not those
// in the ring.
func (r *Ring) Keep(ctx context.Context) error {
	nodes, ring, err := r.Read()
	if err != nil {
		return err
	}
	want := ringOf(nodes, ring.Keys, r.clock())
	if slices.EqualFunc(want, ring.Keys, sameKey) {
		return nil
	}
	signed, err := r.sign(want)
	if err != nil {
		return err
	}
	_, err = r.proposer.Propose(ctx, r.name, &command.PutKeyRing{KeyRing: noderecord.KeyRing{Signed: signed, Keys: want}})
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
func ringOf(nodes []noderecord.Node, before []noderecord.PublicKey, now time.Time) []noderecord.PublicKey {
	var want []noderecord.PublicKey
	for _, node := range nodes {
		if node.Removed || len(node.PublicKey) == 0 {
			continue
		}
		key := noderecord.PublicKey{
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

func sameKey(a, b noderecord.PublicKey) bool {
	return a.ID == b.ID && a.Node == b.Node && a.NotBefore == b.NotBefore && a.NotAfter == b.NotAfter
}

// Read reads the nodes and the key ring together.
func (r *Ring) Read() (nodes []noderecord.Node, ring noderecord.KeyRing, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		if nodes, err = noderecord.Nodes.All(t); err != nil {
			return err
		}
		ring, _, err = noderecord.KeyRingRecord.Get(t)
		return err
	})
	return nodes, ring, err
}

// sign writes the ring as devices get it.
func (r *Ring) sign(keys []noderecord.PublicKey) (string, error) {
	d := r.identity.District
	ring := contract.KeyRing{District: d.ID, Time: r.clock().UTC()}
	for _, k := range keys {
		ring.Keys = append(ring.Keys, contract.Key{
			ID: k.ID, Node: k.Node, Public: base64.RawURLEncoding.EncodeToString(k.Key),
			NotBefore: time.UnixMilli(k.NotBefore).UTC(), NotAfter: time.UnixMilli(k.NotAfter).UTC(),
		})
	}
	signed, err := contract.Signer{KeyID: identity.KeyID(d.RootPublic()), Key: d.RootKey}.Sign(ring)
	if err != nil {
		return "", fmt.Errorf("signing the key ring: %w", err)
	}
	return string(signed), nil
}

// Signed is the ring for /keys; nil before there is one.
func (r *Ring) Signed() []byte {
	_, ring, err := r.Read()
	if err != nil || ring.Signed == "" {
		return nil
	}
	return []byte(ring.Signed)
}

// ForDevices is what every device must be given: the addresses of all nodes, this one's own first,
// because its record may be about to follow a restart; the root key; the authority.
func (r *Ring) ForDevices(own []string) (servers []string, root, ca string) {
	nodes, _, err := r.Read()
	if err != nil {
		r.log.Error("reading the nodes", "error", err)
	}
	servers = append(servers, own...)
	for _, node := range nodes {
		if !node.Removed && node.ID != r.identity.NodeID {
			servers = append(servers, node.MQTT...)
		}
	}
	d := r.identity.District
	return servers, base64.RawURLEncoding.EncodeToString(d.RootPublic()), string(access.PEM(d.CA.Raw))
}
