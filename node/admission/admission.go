// Package admission judges who may join the district with an invitation, beyond what the
// state machine itself refuses: the answer to a join holds the district's private keys,
// so a used invitation and a node's id, which are no secrets for long, must open nothing.
package admission

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"almenara/storage"
	"almenara/storage/noderecord"
)

// RepeatFor is how long after the first request its answer may be asked for again. A box
// asks again at once when an answer was lost, and a person who starts the command anew
// does it within minutes.
const RepeatFor = 10 * time.Minute

// ErrRefused is why a request is not admitted; the text names what to do instead.
var ErrRefused = errors.New("not admitted")

// Request is who asks.
type Request struct {
	TokenHash []byte            // SHA-256 of the invitation's secret
	Node      string            // server id
	Key       ed25519.PublicKey // signing key, for the key ring
	Proven    bool              // the request is signed with Key
}

// Viewer reads the agreed state, which must be up to date.
type Viewer interface {
	View(func(*storage.Txn) error) error
}

// Judge returns nil for a first request, and for a repeat that proves the very key of the
// first one within RepeatFor of it. An invitation that is unknown, used by another node,
// or expired is left to the state machine, which refuses it.
func Judge(state Viewer, r Request, now time.Time) error {
	var token noderecord.JoinToken
	var node noderecord.Node
	var invited, onRecord bool
	err := state.View(func(t *storage.Txn) (err error) {
		if token, invited, err = noderecord.JoinTokens.Get(t, r.TokenHash); err != nil {
			return err
		}
		node, onRecord, err = noderecord.Nodes.Get(t, r.Node)
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the invitation: %w", err)
	}
	used := invited && token.UsedBy == r.Node
	switch {
	case !invited || token.UsedBy != "" && !used:
		return nil // refused by the state machine
	case onRecord && node.Removed:
		return fmt.Errorf("%w: node %s was removed from the district for good; join from an empty folder", ErrRefused, r.Node)
	case onRecord && !bytes.Equal(node.PublicKey, r.Key):
		return fmt.Errorf("%w: node %s is on record with another key; ask for a new invitation and join from an empty folder", ErrRefused, r.Node)
	case (onRecord || used) && !r.Proven:
		return fmt.Errorf("%w: the repeated request is not signed; upgrade the software of the new node, or join from an empty folder with a new invitation", ErrRefused)
	case used && !within(now, time.UnixMilli(token.UsedAt)):
		return fmt.Errorf("%w: the invitation was used more than %d minutes ago; ask for a new one", ErrRefused, int(RepeatFor.Minutes()))
	}
	return nil
}

// within also refuses a use in the future, by a clock that was wrong.
func within(now, used time.Time) bool { return now.Sub(used).Abs() <= RepeatFor }
