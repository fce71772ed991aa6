package apitest

import (
	"context"
	"fmt"
	"io"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// people are the users and the audit.
type people struct {
	*asked
	Users    []wire.User
	Audit    []string // lines
	AuditErr error    // comes after the lines
	Lines    wire.AuditPage
}

// AddUser answers a user with a token.
func (f *people) AddUser(_ context.Context, by authority.Caller, in wire.AddUser) (wire.User, error) {
	return wire.User{Name: in.Name, Roles: append([]string{}, in.Roles...), Senders: in.Senders, Token: "new-token"}, f.note(&by, "AddUser %s", in.Name)
}

// SetUser notes what was said. It refuses another version than that of the user in Users.
func (f *people) SetUser(_ context.Context, by authority.Caller, name string, in wire.SetUser) error {
	for _, u := range f.Users {
		if u.Name == name && in.Version != "" && in.Version != u.Version {
			return wire.Problemf(wire.KindConflict, "somebody else has changed %s meanwhile", name).Because(why.UserChanged, name)
		}
	}
	return f.note(&by, "SetUser %s %t", name, in.System != nil && *in.System)
}

// ListUsers answers Users.
func (f *people) ListUsers(context.Context) ([]wire.User, error) {
	return f.Users, f.note(nil, "ListUsers")
}

// SetPassword notes the name; never the password.
func (f *people) SetPassword(_ context.Context, by authority.Caller, name, _ string, without bool) error {
	return f.note(&by, "SetPassword %s %t", name, without)
}

// RevokeUser notes the name.
func (f *people) RevokeUser(_ context.Context, by authority.Caller, name string) error {
	return f.note(&by, "RevokeUser %s", name)
}

// AuditLines answers Lines.
func (f *people) AuditLines(_ context.Context, q wire.AuditQuery) (wire.AuditPage, error) {
	return f.Lines, f.note(nil, "AuditLines %q %q %q %d %d", q.Who, q.About, q.Holds, q.Before, q.Limit)
}

// ExportAudit writes Audit and then ends with AuditErr.
func (f *people) ExportAudit(_ context.Context, w io.Writer, from, to uint64) error {
	if err := f.note(nil, "ExportAudit %d %d", from, to); err != nil {
		return err
	}
	for _, line := range f.Audit {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("writing audit: %w", err)
		}
	}
	return f.AuditErr
}
