package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"almenara/node/access"
	"almenara/node/api"
	"almenara/node/secret"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audit"
)

// Identify implements api.Identifier. It reads this node's copy, so tokens work
// without quorum, and revocation holds as soon as it arrives here.
func (n *Node) Identify(_ context.Context, token string) (api.Caller, error) {
	var u storage.User
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		u, known, err = storage.Users.ByToken(t, secret.Hash(token))
		return err
	})
	if err != nil {
		return api.Caller{}, fmt.Errorf("reading users: %w", err)
	}
	if !known {
		return api.Caller{}, wire.Problemf(wire.KindUnauthenticated, "the token is not known or was revoked")
	}
	return api.Caller{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, System: u.System()}, nil
}

// ExportAudit implements api.Audit.
func (n *Node) ExportAudit(_ context.Context, w io.Writer, from, to uint64) error {
	err := audit.Export(n.store, w, from, to)
	if errors.Is(err, audit.ErrNoLine) {
		return wire.Problemf(wire.KindNotFound, "the audit has no line %d yet", from)
	}
	return err
}

// forDevices is what every device must be given: all nodes' addresses, the root
// key, the authority.
func (n *Node) forDevices() (servers []string, root, ca string) {
	nodes, _, err := n.ring.Read()
	if err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	servers = append(servers, n.MQTT()...) // its own record may be about to follow a restart
	for _, node := range nodes {
		if !node.Removed && node.ID != n.ID() {
			servers = append(servers, node.MQTT...)
		}
	}
	return servers, base64.RawURLEncoding.EncodeToString(n.identity.District.RootPublic()), string(access.PEM(n.identity.District.CA.Raw))
}
