package apply_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/storage"
	"almenara/storage/audit"
)

// begun is a transaction on an empty store, which is never committed.
func begun(t *testing.T) *apply.Transaction {
	t.Helper()
	silent := slog.New(slog.DiscardHandler)
	store, err := storage.Open(t.TempDir(), storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: silent})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	memory, _, err := derived.Rebuild(store, silent)
	require.NoError(t, err)
	txn, err := store.Write()
	require.NoError(t, err)
	t.Cleanup(txn.Discard)
	return &apply.Transaction{Txn: txn, Derived: memory}
}

func result(t *testing.T, raw []byte, err error) command.Result {
	t.Helper()
	require.NoError(t, err)
	r, err := command.DecodeResult(raw)
	require.NoError(t, err)
	return r
}

// A repeat of a request gets the first answer and changes nothing, and a refused one changes
// nothing but the audit.
func TestApply_AnswersARequestOnce(t *testing.T) {
	to := begun(t)
	amy := command.Command{RequestID: "r1", Actor: "amy", At: 1, Version: command.Max(),
		Payload: &command.PutUser{User: storage.User{Name: "amy", Roles: []string{"administrator"}, TokenHash: []byte("0123456789abcdef0123456789abcdef")}}}
	raw, err := to.Apply(1, amy)
	require.Equal(t, command.KindNone, result(t, raw, err).Kind)
	require.Equal(t, apply.ChangedUsers, to.Changed)

	to.Changed = 0
	amy.Payload = &command.RevokeUser{Name: "nobody"}
	again, err := to.Apply(2, amy)
	require.NoError(t, err)
	require.Equal(t, raw, again)
	require.Zero(t, to.Changed)

	amy.RequestID = "r2"
	raw, err = to.Apply(3, amy)
	first := result(t, raw, err)
	require.Equal(t, "user-none", first.Why.Code)
	require.Zero(t, to.Changed)
	again, err = to.Apply(4, amy)
	require.NoError(t, err)
	kept, err := command.Result{Kind: first.Kind, Err: first.Err}.Encode()
	require.NoError(t, err)
	require.Equal(t, kept, again, "what is kept is what older software keeps, too: codes are no part of it")
	u, ok, err := storage.Users.Get(to.Txn, "amy")
	require.NoError(t, err)
	require.True(t, ok)
	require.False(t, u.Revoked)
}

// The words of a library may differ between versions of it: replicas must agree all the same.
func TestUnreadable_SaysTheSameInEveryAudit(t *testing.T) {
	heads := map[string]bool{}
	for _, cause := range []error{errors.New("cbor: old words"), errors.New("cbor: new words")} {
		to := begun(t)
		raw, err := to.Unreadable(7, cause)
		require.Equal(t, command.KindMalformed, result(t, raw, err).Kind)
		head, err := audit.End(to.Txn)
		require.NoError(t, err)
		heads[fmt.Sprint(head)] = true
	}
	require.Len(t, heads, 1)
}
