package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"almenara/storage/durable"
)

// versionHeader carries, on every request and answer between nodes, the highest
// version of a command that the sender's state machine applies. Software of before it
// sends none and understands version 1. It is a header because older software takes a
// longer ping for a broken one.
const versionHeader = "Almenara-Command-Version"

// versionsFile remembers what the peers understood when they were last heard, so that
// a restart does not make those that are down now look old.
const versionsFile = "peers.versions"

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

// Understands returns nil when every member of the latest configuration is known to
// apply commands of the version, else a *NotUpgradedError. A member that cannot be
// reached counts with what it said last, one that was never heard as old; who counts
// as old is asked once more, for a second at most.
func (c *Cluster) Understands(ctx context.Context, version uint64) error {
	old := c.olderThan(version)
	if len(old) == 0 {
		return nil
	}
	var asked sync.WaitGroup
	for _, id := range old {
		if id != c.NodeID() {
			asked.Go(func() { c.askVersion(ctx, id) })
		}
	}
	asked.Wait()
	if old = c.olderThan(version); len(old) > 0 {
		return &NotUpgradedError{Version: version, Nodes: old}
	}
	return nil
}

// askVersion pings a member; the client notes the version. A member that has just been
// started anew breaks what was connected to the one before, so it is asked twice.
func (c *Cluster) askVersion(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	for range 2 {
		if _, err := c.rpc.call(ctx, id, "/cluster/ping", nil); err == nil {
			return
		}
	}
}

// olderThan lists the members that are not known to understand the version.
func (c *Cluster) olderThan(version uint64) []string {
	var old []string
	if version <= 1 {
		return nil
	}
	if c.options.Version < version {
		old = append(old, c.NodeID())
	}
	for _, id := range c.Members() {
		if c.peers.version(id) < version {
			old = append(old, id)
		}
	}
	slices.Sort(old)
	return old
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
func (c *Cluster) tooOld(version uint64) error {
	if c.options.Applied == nil {
		return nil
	}
	applied, err := c.options.Applied()
	if err != nil {
		return fmt.Errorf("reading the version of the state: %w", err)
	}
	if version < applied {
		return fmt.Errorf("%w: this district uses commands of version %d, and the software of the new node understands version %d; upgrade it, then join again with the same token",
			ErrRefused, applied, version)
	}
	return nil
}

// headerVersion reads versionHeader; 1 where there is none that can be read.
func headerVersion(h http.Header) uint64 {
	n, err := strconv.ParseUint(h.Get(versionHeader), 10, 32)
	if err != nil {
		return 1
	}
	return max(n, 1)
}

// loadVersions reads what an earlier run of this node knew of its peers. Without it, or
// when it cannot be read, they count as old until they are heard.
func (c *Cluster) loadVersions() {
	raw, err := os.ReadFile(filepath.Join(c.options.Dir, versionsFile))
	known := map[string]uint64{}
	if err == nil {
		err = json.Unmarshal(raw, &known)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.options.Logger.Warn("reading the peers' versions", "error", err)
		return
	}
	c.peers.remember(known)
}

// saveVersions writes them when they have changed. Only keepHouse calls it.
func (c *Cluster) saveVersions() {
	known, changed := c.peers.known()
	if !changed {
		return
	}
	raw, err := json.Marshal(known)
	if err == nil {
		err = durable.WriteFile(filepath.Join(c.options.Dir, versionsFile), raw)
	}
	if err != nil { // a restart would take peers that are down for old; nothing else
		c.options.Logger.Warn("writing the peers' versions", "error", err)
	}
}

// version is the highest command version that the peer said; 0 when it never did.
func (b *peerBook) version(id string) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.versions[id]
}

func (b *peerBook) remember(known map[string]uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.versions, known)
}

// known is a copy, and whether it differs from the one before.
func (b *peerBook) known() (versions map[string]uint64, changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed, b.versionsChanged = b.versionsChanged, false
	return maps.Clone(b.versions), changed
}
