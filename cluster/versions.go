package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"almenara/cluster/internode"
	"almenara/cluster/peers"
)

// NotUpgradedError names the members that are not known to understand a command. It
// is ErrNotUpgraded.
type NotUpgradedError struct {
	Version uint64   // of the command
	Nodes   []string // server ids, sorted
}

// Error says what is needed of whom.
func (e *NotUpgradedError) Error() string {
	verb := "is"
	if len(e.Nodes) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("%v to version %d; %s %s not", ErrNotUpgraded, e.Version, strings.Join(e.Nodes, ", "), verb)
}

// Is makes it ErrNotUpgraded.
func (e *NotUpgradedError) Is(target error) bool { return target == ErrNotUpgraded }

// upgrades is which commands may be made, while a district is upgraded node by node.
type upgrades struct {
	self    string
	peers   *peers.Peers
	rpc     *internode.RPC
	applied func() (uint64, error) // highest version in the state; nil is none
}

// understood is Cluster.Understands.
func (u *upgrades) understood(ctx context.Context, version uint64) error {
	old := u.peers.OlderThan(version)
	if len(old) == 0 {
		return nil
	}
	var asked sync.WaitGroup
	for _, id := range old {
		if id != u.self {
			asked.Go(func() { u.askVersion(ctx, id) })
		}
	}
	asked.Wait()
	if old = u.peers.OlderThan(version); len(old) > 0 {
		return &NotUpgradedError{Version: version, Nodes: old}
	}
	return nil
}

// askVersion pings a member; the client notes the version. A member that has just been
// started anew breaks what was connected to the one before, so it is asked twice.
func (u *upgrades) askVersion(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	for range 2 {
		if _, err := u.rpc.Call(ctx, id, "/cluster/ping", nil); err == nil {
			return
		}
	}
}

// asOld writes the error for the node that forwarded a command, and readOld reads it.
func asOld(err error) (text string, ok bool) {
	var old *NotUpgradedError
	if !errors.As(err, &old) {
		return "", false
	}
	return strconv.FormatUint(old.Version, 10) + " " + strings.Join(old.Nodes, " "), true
}

func readOld(text string) error {
	parts := strings.Fields(text)
	if len(parts) < 2 {
		return ErrNotUpgraded
	}
	version, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil {
		return ErrNotUpgraded
	}
	return &NotUpgradedError{Version: version, Nodes: parts[1:]}
}

// tooOld refuses a new node that would not understand what this one has applied.
func (u *upgrades) tooOld(version uint64) error {
	if u.applied == nil {
		return nil
	}
	applied, err := u.applied()
	if err != nil {
		return fmt.Errorf("reading the version of the state: %w", err)
	}
	if version < applied {
		return fmt.Errorf("%w: this district uses commands of version %d, and the software of the new node understands version %d; upgrade it, then join again with the same token",
			ErrRefused, applied, version)
	}
	return nil
}
