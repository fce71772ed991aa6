package apitest

import (
	"context"
	"io"
	"strings"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/splits"
)

// nodes are the boxes of the district.
type nodes struct {
	*asked
	State  wire.Status
	Parted []splits.Split
}

// UpToDate answers Err.
func (f *nodes) UpToDate(context.Context) error { return f.note(nil, "UpToDate") }

// Status answers State.
func (f *nodes) Status(_ context.Context, withHash bool) (wire.Status, error) {
	return f.State, f.note(nil, "Status %t", withHash)
}

// Invite answers a token.
func (f *nodes) Invite(_ context.Context, by authority.Caller, in wire.Invite) (wire.Invited, error) {
	return wire.Invited{Token: "join-token"}, f.note(&by, "Invite %d", in.Minutes)
}

// RemoveNode notes the id.
func (f *nodes) RemoveNode(_ context.Context, by authority.Caller, id string) error {
	return f.note(&by, "RemoveNode %s", id)
}

// Backup answers a few bytes.
func (f *nodes) Backup(_ context.Context, by authority.Caller) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader("backup")), 6, f.note(&by, "Backup")
}

// Splits answers Parted.
func (f *nodes) Splits(_ context.Context, limit int) ([]splits.Split, error) {
	return f.Parted, f.note(nil, "Splits %d", limit)
}
