package apitest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"almenara/node/authority"
	"almenara/node/wire"
)

// asked is what was asked, and how it ends.
type asked struct {
	// Err, when set, is what every method but Identify returns.
	Err error
	// Refuse, when set, is asked instead what a call is answered with.
	Refuse func(call string) error
	// Panic, when set, is what every method but Identify panics with.
	Panic any

	mu      sync.Mutex // guards all below
	calls   []string
	by      authority.Caller
	revoked bool
}

// Calls lists what was asked, oldest first, as "Method arguments".
func (f *asked) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// By is the caller of the latest call that had one.
func (f *asked) By() authority.Caller {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by
}

// note records a call and says how it ends.
func (f *asked) note(by *authority.Caller, format string, args ...any) error {
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	if by != nil {
		f.by = *by
	}
	f.mu.Unlock()
	if f.Panic != nil {
		panic(f.Panic)
	}
	if f.Refuse != nil {
		return f.Refuse(fmt.Sprintf(format, args...))
	}
	return f.Err
}

// Revoke makes every token unknown.
func (f *asked) Revoke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = true
}

// Identify knows the tokens of Token. The empty token is a trap: it may everything,
// so that a test sees an API that asks for it.
func (f *asked) Identify(_ context.Context, token string) (authority.Caller, error) {
	role, ok := cut(token)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case token == "":
		return authority.Caller{Name: "trap", Roles: []string{authority.RoleAdministrator}}, nil
	case !ok || f.revoked:
		return authority.Caller{}, wire.Problemf(wire.KindUnauthenticated, "this token is not known")
	case role == "none":
		return authority.Caller{Name: "nobody"}, nil
	}
	return authority.Caller{Name: role, Roles: []string{role}}, nil
}

// Note records a call of a fake that stands beside this one.
func (f *asked) Note(format string, args ...any) { _ = f.note(nil, format, args...) }
