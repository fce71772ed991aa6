package admission_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/admission"
	"almenara/storage"
	"almenara/storage/noderecord"
)

func TestJudge_ARepeatProvesTheFirstKeyWithinMinutes(t *testing.T) {
	store, err := storage.Open(t.TempDir(), storage.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	key, other := make(ed25519.PublicKey, ed25519.PublicKeySize), make(ed25519.PublicKey, ed25519.PublicKeySize)
	other[0] = 1
	hash := func(name string) []byte { return append(make([]byte, 31), name[0]) }
	used := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	require.NoError(t, store.Update(func(w *storage.Txn) error {
		for name, by := range map[string]string{"new": "", "used": "node", "half": "half", "away": "away"} {
			if err := noderecord.JoinTokens.Put(w, noderecord.JoinToken{Hash: hash(name), UsedBy: by, UsedAt: used.UnixMilli()}); err != nil {
				return err
			}
		}
		if err := noderecord.Nodes.Put(w, noderecord.Node{ID: "away", PublicKey: key, Removed: true}); err != nil {
			return err
		}
		return noderecord.Nodes.Put(w, noderecord.Node{ID: "node", PublicKey: key})
	}))
	for _, c := range []struct {
		name, token, node string
		key               ed25519.PublicKey
		proven            bool
		after             time.Duration
		refused           string
	}{
		{"first", "new", "fresh", key, true, 0, ""},
		{"first, by software of before", "new", "fresh", key, false, 0, ""},
		{"a fresh invitation for the id of a node on record", "new", "node", other, true, 0, "another key"},
		{"the same by who knows its key", "new", "node", key, false, 0, "not signed"},
		{"the box itself with a fresh invitation", "new", "node", key, true, 24 * time.Hour, ""},
		{"repeat", "used", "node", key, true, time.Minute, ""},
		{"repeat with another key", "used", "node", other, true, time.Minute, "another key"},
		{"repeat without proof", "used", "node", key, false, time.Minute, "not signed"},
		{"late repeat", "used", "node", key, true, 11 * time.Minute, "10 minutes ago"},
		{"repeat before the use", "used", "node", key, true, -11 * time.Minute, "10 minutes ago"},
		{"repeat of who was not put on record yet", "half", "half", key, true, time.Minute, ""},
		{"the same without proof", "half", "half", key, false, time.Minute, "not signed"},
		{"the same late", "half", "half", key, true, time.Hour, "10 minutes ago"},
		{"who was removed", "away", "away", key, true, time.Minute, "was removed"},
		{"another's invitation: the state machine says no", "used", "else", key, true, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := admission.Judge(store, admission.Request{TokenHash: hash(c.token), Node: c.node, Key: c.key, Proven: c.proven}, used.Add(c.after))
			if c.refused == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, admission.ErrRefused)
			require.ErrorContains(t, err, c.refused)
		})
	}
}
