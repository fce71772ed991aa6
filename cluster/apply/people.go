package apply

import (
	"bytes"
	"cmp"
	"slices"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/member"
)

// putDevices enrols all devices or, when a member is missing, none.
func (e *entry) putDevices(p *command.PutDevices) (command.Result, string, error) {
	for _, id := range p.New {
		old, known, err := storage.Devices.Get(e.Txn, id)
		if err != nil {
			return failed(err)
		}
		if known && !old.Revoked {
			return refuse(command.KindConflict, "device-enrolled", "device %q is enrolled already", id)
		}
	}
	for i := range p.Devices {
		m, ok, err := member.Head(e.Txn, p.Devices[i].Member)
		if err != nil {
			return failed(err)
		}
		if !ok || m.Removed {
			return refuse(command.KindNotFound, "member-of-device", "member %q of device %q does not exist", p.Devices[i].Member, p.Devices[i].ID)
		}
		p.Devices[i].Ordinal = m.Ordinal
	}
	for _, d := range p.Devices {
		d.EnrolledAt, d.By = e.c.At, e.c.Actor
		if err := storage.Devices.Put(e.Txn, d); err != nil {
			return failed(err)
		}
	}
	e.Changed |= ChangedDevices
	return done(command.CountResult{Count: uint64(len(p.Devices))}, "%d devices: %s", len(p.Devices), firstDevices(p.Devices))
}

// firstDevices names up to three devices for the audit.
func firstDevices(ds []storage.Device) string {
	var s string
	for i, d := range ds {
		if i == 3 {
			return s + ", …"
		}
		if i > 0 {
			s += ", "
		}
		s += d.ID
	}
	return s
}

func (e *entry) revokeDevice(p *command.RevokeDevice) (command.Result, string, error) {
	d, ok, err := storage.Devices.Get(e.Txn, p.ID)
	if err != nil {
		return failed(err)
	}
	if !ok {
		return refuse(command.KindNotFound, "device-not-enrolled", "device %q is not enrolled", p.ID)
	}
	d.Revoked = true
	if err := storage.Devices.Put(e.Txn, d); err != nil {
		return failed(err)
	}
	e.Changed |= ChangedDevices
	return done(nil, "%s", p.ID)
}

func (e *entry) putUser(p *command.PutUser) (command.Result, string, error) {
	if p.Change {
		return e.changeUser(p.User)
	}
	if len(p.User.TokenHash) > 0 {
		owner, err := storage.Users.TokenOwner(e.Txn, p.User.TokenHash)
		if err != nil {
			return failed(err)
		}
		if owner != "" && owner != p.User.Name {
			return refuse(command.KindConflict, "token-of-another", "the token belongs to another user")
		}
	}
	old, known, err := storage.Users.Get(e.Txn, p.User.Name)
	if err != nil {
		return failed(err)
	}
	if known && !old.Revoked && !bytes.Equal(old.TokenHash, p.User.TokenHash) {
		return refuse(command.KindConflict, "user-there", "user %q exists already; revoke it first", p.User.Name)
	}
	if p.User.Kind != "" && known && old.Revoked && bytes.Equal(old.TokenHash, p.User.TokenHash) {
		return refuse(command.KindConflict, "user-revoked", "user %q was revoked, and the token with it", p.User.Name)
	}
	if err := storage.Users.Put(e.Txn, p.User); err != nil {
		return failed(err)
	}
	e.Changed |= ChangedUsers
	if p.User.Kind != "" {
		return done(nil, "%s, a %s, roles %v, senders %v, places %v", p.User.Name, p.User.Kind, p.User.Roles, p.User.Senders, p.User.Places)
	}
	return done(nil, "%s, roles %v", p.User.Name, p.User.Roles)
}

// changeUser gives a user other roles, senders, places and kind.
func (e *entry) changeUser(to storage.User) (command.Result, string, error) {
	u, known, err := storage.Users.Get(e.Txn, to.Name)
	switch {
	case err != nil:
		return failed(err)
	case !known || u.Revoked:
		return refuse(command.KindNotFound, "user-gone", "user %q does not exist, or was revoked", to.Name)
	case !bytes.Equal(u.TokenHash, to.TokenHash):
		return refuse(command.KindConflict, "user-other-token", "user %q has another token now", to.Name)
	}
	if !slices.Contains(to.Roles, roleAdministrator) {
		last, err := e.lastAdministrator(u)
		if err != nil {
			return failed(err)
		}
		if last {
			return refuse(command.KindConflict, "last-administrator-role", "%q is the last administrator; make another one first", to.Name)
		}
	}
	u.Roles, u.Senders, u.Places, u.Kind = to.Roles, to.Senders, to.Places, to.Kind
	if err := storage.Users.Put(e.Txn, u); err != nil {
		return failed(err)
	}
	e.Changed |= ChangedUsers
	return done(nil, "%s, a %s, roles %v, senders %v, places %v", u.Name, cmp.Or(u.Kind, storage.UserPerson), u.Roles, u.Senders, u.Places)
}

func (e *entry) revokeUser(p *command.RevokeUser) (command.Result, string, error) {
	u, ok, err := storage.Users.Get(e.Txn, p.Name)
	if err != nil {
		return failed(err)
	}
	if !ok {
		return refuse(command.KindNotFound, "user-none", "user %q does not exist", p.Name)
	}
	last, err := e.lastAdministrator(u)
	if err != nil {
		return failed(err)
	}
	if last {
		return refuse(command.KindConflict, "last-administrator", "%q is the last administrator; add another one first", p.Name)
	}
	u.Revoked = true
	if err := storage.Users.Put(e.Txn, u); err != nil {
		return failed(err)
	}
	e.Changed |= ChangedUsers
	return done(nil, "%s", p.Name)
}

// roleAdministrator is the role that may add users: without anybody who has it,
// nobody could ever be added again.
const roleAdministrator = "administrator"

// lastAdministrator reports whether u is the only one left who may add users.
func (e *entry) lastAdministrator(u storage.User) (bool, error) {
	if !slices.Contains(u.Roles, roleAdministrator) || u.Revoked {
		return false, nil
	}
	users, err := storage.Users.All(e.Txn)
	return !slices.ContainsFunc(users, func(other storage.User) bool {
		return other.Name != u.Name && !other.Revoked && slices.Contains(other.Roles, roleAdministrator)
	}), err
}
