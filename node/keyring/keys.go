package keyring

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"

	"almenara/channels/contract"
	"almenara/storage"
	"almenara/storage/noderecord"
)

const maxForeign = 1024 // keys of nodes that are on no record here

// Key is the key with which a node signs its facts. Facts of a node that was
// removed since are still facts: it cannot bring new ones, because its certificate
// opens no connection any more.
func (r *Ring) Key(keyID, origin string) (ed25519.PublicKey, bool) {
	if origin == r.identity.NodeID && keyID == r.identity.KeyID {
		return r.identity.SigningPublic(), true
	}
	var node noderecord.Node
	var ok bool
	err := r.store.View(func(t *storage.Txn) (err error) {
		node, ok, err = noderecord.Nodes.Get(t, origin)
		return err
	})
	if err != nil || !ok || node.KeyID != keyID || len(node.PublicKey) != ed25519.PublicKeySize {
		return r.foreign.get(keyID, origin)
	}
	return node.PublicKey, true
}

// Learn believes a key ring that the district's root key signed, of another incarnation of the
// district: facts of its nodes are still facts. Nothing is learnt from no bytes.
func (r *Ring) Learn(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	ring, err := contract.OpenKeyRing(r.identity.District.RootPublic(), raw)
	if err != nil {
		return fmt.Errorf("reading the key ring: %w", err)
	}
	if ring.District != r.identity.District.ID {
		return errors.New("reading the key ring: it is of another district")
	}
	for _, k := range ring.Keys {
		public, err := k.PublicKey()
		if err != nil {
			return err
		}
		r.foreign.put(k.Node, k.ID, public)
	}
	return nil
}

// foreignKeys are the keys of nodes that the district had in another incarnation and
// that are not on this one's record. The root key signed each of them.
type foreignKeys struct {
	mu   sync.Mutex
	keys map[string]ed25519.PublicKey // by node and key id
}

func (f *foreignKeys) get(keyID, node string) (ed25519.PublicKey, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, ok := f.keys[node+" "+keyID]
	return key, ok
}

func (f *foreignKeys) put(node, keyID string, key ed25519.PublicKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys == nil {
		f.keys = map[string]ed25519.PublicKey{}
	}
	if len(f.keys) < maxForeign {
		f.keys[node+" "+keyID] = key
	}
}

// Members are the keys of the nodes that belong to the district now, this one's own also before it is on record.
func (r *Ring) Members() (keys []noderecord.PublicKey, err error) {
	nodes, _, err := r.Read()
	own := noderecord.PublicKey{ID: r.identity.KeyID, Node: r.identity.NodeID, Key: r.identity.SigningPublic()}
	onRecord := false
	for _, node := range nodes {
		onRecord = onRecord || node.ID == own.Node
		if !node.Removed && len(node.PublicKey) == ed25519.PublicKeySize {
			keys = append(keys, noderecord.PublicKey{ID: node.KeyID, Node: node.ID, Key: node.PublicKey})
		}
	}
	if !onRecord {
		keys = append(keys, own)
	}
	return keys, err
}
