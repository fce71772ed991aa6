package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"almenara/cluster/command"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
)

// newSecret makes a secret of 256 random bits and its SHA-256.
func newSecret() (text string, hash []byte) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	text = base64.RawURLEncoding.EncodeToString(raw[:])
	sum := sha256.Sum256([]byte(text))
	return text, sum[:]
}

// Identify implements api.Identifier. It reads this node's copy, so tokens work
// without quorum, and revocation holds as soon as it arrives here.
func (n *Node) Identify(_ context.Context, token string) (api.Caller, error) {
	sum := sha256.Sum256([]byte(token))
	var u storage.User
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		u, known, err = t.UserByToken(sum[:])
		return err
	})
	if err != nil {
		return api.Caller{}, fmt.Errorf("reading users: %w", err)
	}
	if !known {
		return api.Caller{}, wire.Problemf(wire.KindUnauthenticated, "the token is not known or was revoked")
	}
	return api.Caller{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places}, nil
}

// AddUser implements api.Users.
func (n *Node) AddUser(ctx context.Context, by api.Caller, in wire.AddUser) (wire.User, error) {
	if in.Name == "" || len(in.Roles) == 0 {
		return wire.User{}, wire.Problemf(wire.KindMalformed, "a user needs a name and at least one role")
	}
	for _, role := range in.Roles {
		if !slices.Contains(api.Roles(), role) {
			return wire.User{}, wire.Problemf(wire.KindRefused, "%q is no role; the roles are %s", role, strings.Join(api.Roles(), ", "))
		}
	}
	token, hash := newSecret()
	if _, err := underPlaces(in.Places); err != nil {
		return wire.User{}, err
	}
	u := storage.User{Name: in.Name, Roles: in.Roles, Senders: in.Senders, Places: in.Places, TokenHash: hash}
	if _, err := n.change(ctx, by.Name, &command.PutUser{User: u}); err != nil {
		return wire.User{}, err
	}
	return wire.User{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, Token: token}, nil
}

// ListUsers implements api.Users.
func (n *Node) ListUsers(context.Context) ([]wire.User, error) {
	var users []storage.User
	err := n.store.View(func(t *storage.Txn) (err error) {
		users, err = t.Users()
		return err
	})
	var out []wire.User
	for _, u := range users {
		out = append(out, wire.User{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, Revoked: u.Revoked})
	}
	return out, err
}

// RevokeUser implements api.Users.
func (n *Node) RevokeUser(ctx context.Context, by api.Caller, name string) error {
	_, err := n.change(ctx, by.Name, &command.RevokeUser{Name: name})
	return err
}

// ExportAudit implements api.Audit.
func (n *Node) ExportAudit(_ context.Context, w io.Writer, from, to uint64) error {
	err := n.store.ExportAudit(w, from, to)
	if errors.Is(err, storage.ErrNoAuditLine) {
		return wire.Problemf(wire.KindNotFound, "the audit has no line %d yet", from)
	}
	return err
}

// enrolAtOnce is how many devices one entry of the log enrols.
const enrolAtOnce = 500

// EnrolDevices implements api.Devices. Members that do not exist are made first; the
// secrets are in the answer and nowhere else. Everything is held against the rules
// before anything is enrolled.
func (n *Node) EnrolDevices(ctx context.Context, by api.Caller, in []wire.Enrol) ([]wire.Enrolled, error) {
	if err := n.space.refusal(); err != nil {
		return nil, err
	}
	if id, twice := repeated(in); twice {
		return nil, wire.Problemf(wire.KindRefused, "device %s is listed twice; nothing was enrolled", id)
	}
	if err := n.upToDate(ctx); err != nil { // or a member that is known elsewhere would be made anew
		return nil, err
	}
	var enrolments []enrolment
	for some := range slices.Chunk(in, enrolAtOnce) {
		e, err := n.enrolment(some)
		if err != nil {
			return nil, err
		}
		enrolments = append(enrolments, e)
	}
	var out []wire.Enrolled
	for _, e := range enrolments {
		if err := n.enrol(ctx, by, e); err != nil {
			return nil, err
		}
		out = append(out, e.answers...)
	}
	return out, nil
}

// repeated finds a device that is listed twice: only its last secret would be good.
func repeated(in []wire.Enrol) (id string, twice bool) {
	seen := make(map[string]bool, len(in))
	for _, e := range in {
		if seen[e.ID] {
			return e.ID, true
		}
		seen[e.ID] = true
	}
	return "", false
}

// enrolment is what enrols up to enrolAtOnce devices, and what is answered then.
type enrolment struct {
	members [][]byte // that are new
	devices []storage.Device
	answers []wire.Enrolled
}

// enrolment makes the secrets and checks what the state machine would refuse.
func (n *Node) enrolment(in []wire.Enrol) (out enrolment, err error) {
	if out.members, err = n.enrolMembers(in); err != nil {
		return out, err
	}
	servers, root, ca := n.forDevices()
	for _, e := range in {
		secret, hash := newSecret()
		d := storage.Device{ID: e.ID, Member: e.Member, Kind: e.Kind, SecretHash: hash}
		if d.Member == "" {
			d.Member = e.ID
		}
		if d.Kind == "" {
			d.Kind = n.kindOf(d.Member)
		}
		out.devices = append(out.devices, d)
		out.answers = append(out.answers, wire.Enrolled{
			ID: e.ID, Kind: d.Kind, Place: e.Place, Secret: secret, Servers: servers, RootKey: root, CA: ca,
		})
	}
	if _, err := (command.Command{Payload: &command.PutDevices{Devices: out.devices}}).Encode(); err != nil {
		return out, n.problem(err)
	}
	return out, nil
}

func (n *Node) enrol(ctx context.Context, by api.Caller, e enrolment) error {
	if len(e.members) > 0 {
		if _, err := n.change(ctx, by.Name, &command.PutMembers{Members: e.members}); err != nil {
			return err
		}
	}
	_, err := n.change(ctx, by.Name, &command.PutDevices{Devices: e.devices})
	return err
}

// enrolMembers makes the members for devices whose kind and place are given and
// that have none yet.
func (n *Node) enrolMembers(in []wire.Enrol) ([][]byte, error) {
	var out [][]byte
	for _, e := range in {
		id := e.Member
		if id == "" {
			id = e.ID
		}
		if _, known := n.state.Index().Ordinal(id); known {
			continue
		}
		if e.Kind == "" || e.Place == "" {
			return nil, wire.Problemf(wire.KindRefused, "device %s: there is no member %s; give kind and place to make one; nothing was enrolled", e.ID, id)
		}
		m := audience.Member{
			ID: id, Kind: audience.Kind(e.Kind), Place: audience.Path(e.Place),
			Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: e.ID}},
		}
		if err := m.Validate(); err != nil {
			return nil, wire.Problemf(wire.KindRefused, "device %s: %v; nothing was enrolled", e.ID, err)
		}
		out = append(out, audience.EncodeMember(&m))
	}
	return out, nil
}

// forDevices is what every device must be given: all nodes' addresses, the root
// key, the authority.
func (n *Node) forDevices() (servers []string, root, ca string) {
	nodes, _, err := n.keys()
	if err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	servers = append(servers, n.MQTT()...) // its own record may be about to follow a restart
	for _, node := range nodes {
		if !node.Removed && node.ID != n.ID() {
			servers = append(servers, node.MQTT...)
		}
	}
	return servers, base64.RawURLEncoding.EncodeToString(n.rootPublic()), n.caPEM()
}

// kindOf is the kind of a member; "" where it is not known.
func (n *Node) kindOf(id string) string {
	var kind string
	_ = n.store.View(func(t *storage.Txn) error { // an unknown member is refused when the device is put
		rec, _, err := t.Member(id)
		kind = string(rec.Member.Kind)
		return err
	})
	return kind
}

// rootPublic is the key that devices trust the key ring by.
func (n *Node) rootPublic() ed25519.PublicKey {
	return n.identity.District.RootKey.Public().(ed25519.PublicKey)
}

func (n *Node) caPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.identity.District.CA.Raw}))
}

// ListDevices implements api.Devices: what was agreed, and where each is connected.
func (n *Node) ListDevices(ctx context.Context, after string, limit int) ([]wire.Device, error) {
	var devices []storage.Device
	err := n.store.View(func(t *storage.Txn) (err error) {
		devices, err = t.Devices(after, pageSize(limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading devices: %w", err)
	}
	here := n.connected(ctx)
	out := make([]wire.Device, 0, len(devices))
	for _, d := range devices {
		w := wire.Device{ID: d.ID, Member: d.Member, Kind: d.Kind, Revoked: d.Revoked, Place: n.placeOf(d.Member)}
		if at, ok := here[d.ID]; ok {
			w.Connected, w.Node, w.Since, w.State = true, at.node, at.Since, at.State
		}
		out = append(out, w)
	}
	return out, nil
}

func (n *Node) placeOf(id string) string {
	var place string
	_ = n.store.View(func(t *storage.Txn) error { // a device without a member has no place
		rec, _, err := t.Member(id)
		place = string(rec.Member.Place)
		return err
	})
	return place
}

// RevokeDevice implements api.Devices. Every node drops the device as soon as the
// revocation arrives there.
func (n *Node) RevokeDevice(ctx context.Context, by api.Caller, id string) error {
	_, err := n.change(ctx, by.Name, &command.RevokeDevice{ID: id})
	return err
}
