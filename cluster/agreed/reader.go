package agreed

import (
	"almenara/cluster/derived"
	"almenara/storage"
	"almenara/storage/audience/lookup"
	"almenara/storage/noderecord"
)

// State is where agreed state is read; *fsm.FSM is one.
type State interface {
	// Store holds what is durable here.
	Store() *storage.Store
	// Derived is what is kept in memory beside it. It is asked for anew each time: an
	// installed snapshot brings another one.
	Derived() *derived.State
}

// Reader reads agreed state. Its methods may be called from any goroutine. Each call reads one
// consistent state of the store: what is durable here. Answers of the index, the board and
// tallies may already have the entries that are being committed. Errors are the store's:
// storage.ErrDamaged, storage.ErrClosed.
type Reader struct{ state State }

// New reads the state.
func New(state State) *Reader { return &Reader{state: state} }

// Index answers selections and targets. Ask for it anew each time: an installed snapshot
// brings another one.
func (r *Reader) Index() *lookup.Index { return r.state.Derived().Index }

// Device reads a device, also a revoked one: look at Revoked.
func (r *Reader) Device(id string) (storage.Device, bool, error) {
	return find(r, func(t *storage.Txn) (storage.Device, bool, error) { return storage.Devices.Get(t, id) })
}

// EachDevice calls fn for every device by id, also revoked ones, until it returns an
// error.
func (r *Reader) EachDevice(fn func(storage.Device) error) error {
	return r.state.Store().View(func(t *storage.Txn) error { return storage.Devices.Each(t, fn) })
}

// User reads a user by name, also a revoked one.
func (r *Reader) User(name string) (storage.User, bool, error) {
	return find(r, func(t *storage.Txn) (storage.User, bool, error) { return storage.Users.Get(t, name) })
}

// Node reads a node, also a removed one.
func (r *Reader) Node(id string) (noderecord.Node, bool, error) {
	return find(r, func(t *storage.Txn) (noderecord.Node, bool, error) { return noderecord.Nodes.Get(t, id) })
}

// Nodes reads all nodes by id, also removed ones.
func (r *Reader) Nodes() ([]noderecord.Node, error) { return read(r, noderecord.Nodes.All) }

// KeyRing reads the key ring; false before there is one.
func (r *Reader) KeyRing() (noderecord.KeyRing, bool, error) {
	return find(r, noderecord.KeyRingRecord.Get)
}

// read runs one reader in a transaction.
func read[T any](r *Reader, fn func(*storage.Txn) (T, error)) (out T, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		out, err = fn(t)
		return err
	})
	return out, err
}

// find is read for what may be absent.
func find[T any](r *Reader, fn func(*storage.Txn) (T, bool, error)) (out T, ok bool, err error) {
	err = r.state.Store().View(func(t *storage.Txn) error {
		out, ok, err = fn(t)
		return err
	})
	return out, ok, err
}
