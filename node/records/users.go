package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/known"
	"almenara/node/records/usernames"
	"almenara/node/secret"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience/lookup"
)

// Users answers service.Users. Its methods may be called from any goroutine.
type Users struct {
	proposer *Proposer
	store    *storage.Store
	sender   func() string // the district's own CAP sender
	audience func() *lookup.Index
	changing sync.Mutex // held from reading a user until the change is agreed
}

// NewUsers makes one; sender is the district's own CAP sender, which nobody is granted, and audience
// knows its places.
func NewUsers(p *Proposer, store *storage.Store, sender func() string, audience func() *lookup.Index) *Users {
	return &Users{proposer: p, store: store, sender: sender, audience: audience}
}

// AddUser implements service.Users. Users of some senders say what kind they are, which nodes
// that were not upgraded do not understand.
func (users *Users) AddUser(ctx context.Context, by authority.Caller, in wire.AddUser) (wire.User, error) {
	token, hash := secret.New()
	u := storage.User{Name: in.Name, Roles: in.Roles, Senders: in.Senders, Places: in.Places, TokenHash: hash}
	switch {
	case in.System:
		u.Kind = storage.UserSystem
	case len(in.Senders) > 0:
		u.Kind = storage.UserPerson
	}
	if err := checkUser(u, users.sender()); err != nil {
		return wire.User{}, err
	}
	if err := usernames.New(users.store, u.Name); err != nil {
		return wire.User{}, err
	}
	if err := known.Places(users.audience(), u.Places...); err != nil {
		return wire.User{}, err
	}
	if _, err := users.proposer.Change(ctx, by.Name, &command.PutUser{User: u}); err != nil {
		return wire.User{}, err
	}
	out := userOut(u)
	out.Token = token
	return out, nil
}

// checkUser refuses a user that could do nothing, or more than its kind may. own is the
// district's own CAP sender.
func checkUser(u storage.User, own string) error {
	if u.Name == "" || len(u.Roles) == 0 {
		return wire.Problemf(wire.KindMalformed, "a user needs a name and at least one role").Because(why.UserIncomplete)
	}
	for _, role := range u.Roles {
		if !slices.Contains(authority.Roles(), role) {
			return wire.Problemf(wire.KindRefused, "%q is no role; the roles are %s", role, strings.Join(authority.Roles(), ", ")).Because(why.RoleUnknown, role)
		}
	}
	for _, s := range u.Senders {
		if strings.EqualFold(s, own) || strings.EqualFold(s, alert.IncidentSender) {
			return wire.Problemf(wire.KindRefused, "the CAP sender %s is the district's own and cannot be granted", s).Because(why.SenderOwn, s)
		}
		if s == "" || strings.ContainsAny(s, " ,<&\t\n") {
			return wire.Problemf(wire.KindRefused, "%q is no CAP sender: it is empty, or holds a space, a comma, < or &", s).Because(why.SenderUnfit, s)
		}
	}
	if _, err := authority.Under(u.Places...); err != nil {
		return err
	}
	return checkKind(u)
}

// checkKind holds a central system to what it is for: it warns under its own senders, and
// decides nothing about people.
func checkKind(u storage.User) error {
	if u.Kind != storage.UserSystem {
		return nil
	}
	if len(u.Senders) == 0 {
		return wire.Problemf(wire.KindRefused, "a central system needs the CAP senders that it speaks for").Because(why.SystemSenders)
	}
	for _, role := range []string{authority.RoleAdministrator, authority.RoleApprover} {
		if slices.Contains(u.Roles, role) {
			return wire.Problemf(wire.KindRefused, "a central system cannot be %s: that takes a person", role).Because(why.SystemRole, why.Words{Of: "role.", Values: []string{role}})
		}
	}
	return nil
}

// SetUser implements service.Users. Of two who change what they read before, the second is refused: at one node
// always, and at two unless both press within the time that agreeing takes.
func (users *Users) SetUser(ctx context.Context, by authority.Caller, name string, in wire.SetUser) error {
	users.changing.Lock()
	defer users.changing.Unlock()
	if err := users.proposer.AwaitAgreed(ctx); err != nil { // or what was changed elsewhere would be put back
		return err
	}
	var u storage.User
	var found bool
	err := users.store.View(func(t *storage.Txn) (err error) {
		u, found, err = storage.Users.Get(t, name)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("reading users: %w", err)
	case !found || u.Revoked:
		return wire.Problemf(wire.KindNotFound, "there is no user %s, or it was revoked", name).Because(why.NoUser, name)
	}
	before := u
	if err := changed(&u, in); err != nil {
		return err
	}
	if err := checkUser(u, users.sender()); err != nil {
		return err
	}
	if err := known.Places(users.audience(), added(before.Places, u.Places)...); err != nil {
		return err
	}
	_, err = users.proposer.Change(ctx, by.Name, &command.PutUser{User: u, Change: true})
	return err
}

// changed makes of the user what was asked for, unless that was said of what the user is no more. Who is granted senders is a person unless it says otherwise.
func changed(u *storage.User, in wire.SetUser) error {
	if in.Version != "" && in.Version != versionOf(*u) {
		return wire.Problemf(wire.KindConflict, "somebody else has changed %s meanwhile; nothing was changed: read the user again", u.Name).Because(why.UserChanged, u.Name)
	}
	if len(in.Roles) > 0 {
		u.Roles = in.Roles
	}
	if in.Places != nil {
		u.Places = *in.Places
	}
	if in.Senders != nil {
		if u.Senders = *in.Senders; u.Kind == "" && len(u.Senders) > 0 {
			u.Kind = storage.UserPerson
		}
	}
	if in.System != nil {
		if u.Kind = storage.UserPerson; *in.System {
			u.Kind = storage.UserSystem
		}
	}
	return nil
}

// added is what is in after and was not before: a place that is gone meanwhile may stay where it was.
func added(before, after []string) []string {
	return slices.DeleteFunc(slices.Clone(after), func(one string) bool { return slices.Contains(before, one) })
}

// ListUsers implements service.Users.
func (users *Users) ListUsers(context.Context) ([]wire.User, error) {
	all, err := UsersIn(users.store)
	var out []wire.User
	for _, u := range all {
		out = append(out, userOut(u))
	}
	return out, err
}

// RevokeUser implements service.Users.
func (users *Users) RevokeUser(ctx context.Context, by authority.Caller, name string) error {
	_, err := users.proposer.Change(ctx, by.Name, &command.RevokeUser{Name: name})
	return err
}

// versionOf tells what a user is and may do from what it was before. It says nothing of token and password.
func versionOf(u storage.User) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %t", u.Roles, u.Senders, u.Places, u.Kind, u.Revoked))
	return hex.EncodeToString(sum[:8])
}

func userOut(u storage.User) wire.User {
	return wire.User{
		Name: u.Name, Version: versionOf(u), Roles: u.Roles, Senders: u.Senders, Places: u.Places, Revoked: u.Revoked,
		System: u.System(), Assumed: u.System() && u.Kind == "",
	}
}

func UsersIn(store *storage.Store) (users []storage.User, err error) {
	err = store.View(func(t *storage.Txn) error {
		users, err = storage.Users.All(t)
		return err
	})
	return users, err
}

// AssumedSystems asks for a decision about users of some senders from before there were
// kinds of users.
func AssumedSystems(store *storage.Store) why.Sentences {
	users, err := UsersIn(store)
	if err != nil {
		return nil // whatever is wrong with the store says so itself
	}
	var names []string
	for _, u := range users {
		if !u.Revoked && u.System() && u.Kind == "" {
			names = append(names, u.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	const what = "may warn without a second person, because they have CAP senders from before there were central systems; " +
		"say for each what it is, with almenara user set --system or --person"
	first := strings.Join(names[:min(3, len(names))], ", ")
	if more := len(names) - 3; more > 0 {
		return why.Sentences{why.Sayf("%s and %d others %s", first, more, what).Because(why.SystemsAssumedMany, first, more)}
	}
	return why.Sentences{why.Sayf("%s %s", first, what).Because(why.SystemsAssumed, first)}
}

// Identify implements service.Identifier. It reads this node's copy, so tokens work
// without quorum, and revocation holds as soon as it arrives here.
func (users *Users) Identify(_ context.Context, token string) (authority.Caller, error) {
	var u storage.User
	var known bool
	var first []storage.User
	err := users.store.View(func(t *storage.Txn) (err error) {
		if u, known, err = storage.Users.ByToken(t, secret.Hash(token)); known || err != nil {
			return err
		}
		first, err = storage.Users.After(t, "", 1)
		return err
	})
	if err != nil {
		return authority.Caller{}, fmt.Errorf("reading users: %w", err)
	}
	switch {
	case known:
		return authority.Caller{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, System: u.System()}, nil
	case len(first) == 0: // the token may well be good: the node has its district's records in a moment
		return authority.Caller{}, wire.Problemf(wire.KindNotReady, "this node knows nobody yet: it was started just now, or has not reached its district; ask again in a moment").Because(why.NobodyYet)
	}
	return authority.Caller{}, wire.Problemf(wire.KindUnauthenticated, "the token is not known or was revoked").Because(why.TokenUnknown)
}
