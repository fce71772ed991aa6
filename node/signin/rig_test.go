package signin_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/node/authority"
	"almenara/node/secret"
	"almenara/node/signin"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/noderecord"
)

// district is what two nodes have agreed on; whoever is alone changes nothing of it.
type district struct {
	t     *testing.T
	store *storage.Store
	state *derived.State

	mu    sync.Mutex
	index uint64
	now   time.Time
	keys  []noderecord.PublicKey // of the nodes
	looks int                    // at all credentials
}

func (d *district) Store() *storage.Store   { return d.store }
func (d *district) Derived() *derived.State { return d.state }

func (d *district) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *district) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func (d *district) change(actor string, payload command.Payload) (command.Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.index++
	txn, err := d.store.Write()
	require.NoError(d.t, err)
	defer txn.Discard()
	to := apply.Transaction{Txn: txn, Derived: d.state}
	raw, err := to.Apply(d.index, command.Command{Actor: actor, At: d.now.UnixMilli(), Version: command.Max(), Payload: payload})
	require.NoError(d.t, err)
	r, err := command.DecodeResult(raw)
	require.NoError(d.t, err)
	require.NoError(d.t, txn.Commit())
	return r, r.Error()
}

// records counts how often all credentials are read.
type records struct {
	*agreed.Reader
	d *district
}

func (r records) PasskeyUsers() (map[string]string, error) {
	r.d.mu.Lock()
	r.d.looks++
	r.d.mu.Unlock()
	return r.Reader.PasskeyUsers()
}

// node is one node of the district.
type node struct {
	*signin.SignIn
	d      *district
	alone  bool
	before func() // if set, happens elsewhere before this node's next change
}

func (n *node) agreed(context.Context) error {
	if n.alone {
		return wire.Problemf(wire.KindNoQuorum, "no majority")
	}
	return nil
}

func (n *node) Change(_ context.Context, actor string, payload command.Payload) (command.Result, error) {
	if n.alone {
		return command.Result{}, wire.Problemf(wire.KindNoQuorum, "no majority")
	}
	if n.before != nil {
		n.before()
		n.before = nil
	}
	r, err := n.d.change(actor, payload)
	switch r.Kind {
	case command.KindNone:
		return r, nil
	case command.KindNotFound:
		return r, wire.Problemf(wire.KindNotFound, "%v", err)
	case command.KindConflict:
		return r, wire.Problemf(wire.KindConflict, "%v", err)
	}
	return r, wire.Problemf(wire.KindRefused, "%v", err).Because(why.RecordUnfit, err)
}

const (
	password = "correct horse battery"
	home     = "10.0.0.7:4711"
)

// newDistrict has amy, who has a token and no password yet.
func newDistrict(t *testing.T) *district {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	store, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: silent})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	state, _, err := derived.Rebuild(store, silent)
	require.NoError(t, err)
	d := &district{t: t, store: store, state: state, now: time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)}
	_, err = d.change("init", &command.PutUser{User: amy()})
	require.NoError(t, err)
	return d
}

func amy() storage.User {
	return storage.User{Name: "amy", Roles: []string{authority.RoleComposer}, TokenHash: secret.Hash("amy's token")}
}

func (d *district) node() *node { return d.nodeIn("") }

// nodeIn is one whose data folder is dir.
func (d *district) nodeIn(dir string) *node {
	n := &node{d: d}
	public, key, err := ed25519.GenerateKey(nil)
	require.NoError(d.t, err)
	id := fmt.Sprint("key ", len(d.keys))
	d.keys = append(d.keys, noderecord.PublicKey{ID: id, Key: public})
	n.SignIn = signin.New(signin.Options{
		Records: records{agreed.New(d), d}, Changer: n, Agreed: n.agreed, Clock: d.clock, District: "Tuen Mun", HashKiB: 64, Dir: dir,
		KeyID: id, Key: key, Keys: func() ([]noderecord.PublicKey, error) { return d.keys, nil },
		Identify: func(_ context.Context, token string) (authority.Caller, error) {
			if token != "amy's token" {
				return authority.Caller{}, wire.Problemf(wire.KindUnauthenticated, "the token is not known or was revoked")
			}
			return authority.Caller{Name: "amy", Roles: amy().Roles}, nil
		},
	})
	return n
}

// signedUp is a district where amy has a password.
func signedUp(t *testing.T) (*district, *node) {
	t.Helper()
	d := newDistrict(t)
	n := d.node()
	name, err := n.First(t.Context(), "amy's token", password, home)
	require.NoError(t, err)
	require.Equal(t, "amy", name)
	return d, n
}

func (n *node) begin(t *testing.T, code string) (signin.Begun, error) {
	t.Helper()
	return n.Begin(t.Context(), signin.Attempt{Name: "amy", Password: password, Code: code, Address: home})
}

func (n *node) opens(t *testing.T, cookie string) bool {
	t.Helper()
	who, err := n.Find(cookie)
	if err != nil {
		refused(t, err, wire.KindUnauthenticated)
		return false
	}
	require.Equal(t, "amy", who.Caller.Name)
	return true
}

func refused(t *testing.T, err error, kind wire.Kind) *wire.Problem {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, kind, p.Kind, p.Sentence)
	return p
}
