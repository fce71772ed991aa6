package signin

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/durable"
)

// signOutsName is the file in the data folder in which sessions are that ended here while there was no majority.
const signOutsName = "sign-outs.json"

// signOuts remember over a start of the node which sessions ended here and are not agreed on yet: they are on record as
// good ones until then, so that a node that forgot would open them again, to whoever has a copy of the cookie.
type signOuts struct {
	dir string // "" remembers nothing
	mu  sync.Mutex
}

// signOut is one of them.
type signOut struct {
	Hash  []byte    `json:"hash"` // of the cookie
	User  string    `json:"user"`
	Until time.Time `json:"until"` // when the session runs out at the latest
}

// read is what an earlier process left. A file that cannot be read says nothing.
func (o *signOuts) read() (out []signOut) {
	if raw, err := os.ReadFile(filepath.Join(o.dir, signOutsName)); o.dir == "" || err != nil || json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// keep writes down what is to be remembered now. Nothing is written where there was nothing and is nothing.
func (o *signOuts) keep(now func() []signOut) error {
	if o.dir == "" {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	path, all := filepath.Join(o.dir, signOutsName), now()
	if _, err := os.Stat(path); len(all) == 0 && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encoding sign-outs: %w", err)
	}
	if err := durable.WriteFile(path, raw); err != nil {
		return fmt.Errorf("remembering sign-outs: %w", err)
	}
	return nil
}

// recall takes up what an earlier process left.
func (h *here) recall(left []signOut) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range left {
		if len(o.Hash) != sha256.Size { // it cannot be told
			continue
		}
		h.untold[string(o.Hash)], h.over[string(o.Hash)] = o.User, o.Until
	}
	h.sweep()
}

// unagreed are the sessions that ended here and of which the district does not know yet, in one order.
func (h *here) unagreed() (out []signOut) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for hash, user := range h.untold {
		out = append(out, signOut{[]byte(hash), user, h.over[hash]})
	}
	slices.SortFunc(out, func(a, b signOut) int { return slices.Compare(a.Hash, b.Hash) })
	return out
}

// onlyHere is the problem of a session that has ended at this node, where the others could not be told why.
func onlyHere(err error) error {
	var p *wire.Problem
	if errors.As(err, &p) {
		return wire.Problemf(p.Kind, "the session has ended at this node; the others are told as soon as a majority can be reached, and until then it may be open there: %s", p.Sentence).Because(why.SignedOutHere)
	}
	return err
}
