package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/hashicorp/raft"

	"almenara/cluster/connlimit"
	"almenara/cluster/hclogs"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/raftlog"
)

// Options is what a node hands to Start. Dir, Identity, Listen, FSM and Snapshots
// are needed; the zero of every other field is usable.
type Options struct {
	Dir       string             // data directory of this package: log, term, vote, marker
	Identity  *identity.Identity // from identity.New, Join or identity.Load
	Listen    string             // internode port, host:port; port 0 picks one
	Advertise string             // host:port for the other nodes; empty means the listener's address, port 0 its port
	// Names are further hosts, or host:port, that the certificate names; asked again every
	// minute. Nil is none.
	Names func() []string

	// Conns is the internode port's share of the process's descriptors; nil takes 128
	// strangers and 4,096 connections, whatever others of the process hold.
	Conns *connlimit.Port

	FSM       raft.FSM           // owned by the caller, used from raft's goroutine
	Snapshots raft.SnapshotStore // its List says what the FSM already holds

	// Clock is the time of day; nil is the machine's. It judges and makes certificates, ends
	// invitations, and stands on marks; durations are measured by the monotonic clock.
	Clock func() time.Time

	// Version is the highest version of a command that this node's state machine
	// applies; zero means 1. The other nodes are told.
	Version uint64
	// VersionOf is the version of a command, as Propose gets it; nil means that all
	// have version 1.
	VersionOf func(cmd []byte) uint64

	// Bootstrap makes this node the first and only voter. It is ignored when the
	// node already has a log: the same command line may be repeated.
	Bootstrap bool
	// HeartbeatTimeout is also the election timeout; three times as much while
	// starting. Zero means 300 ms, for a wired LAN; 1 s suits radio links.
	HeartbeatTimeout time.Duration
	// Stabilization is how long a new node must keep up before it may vote. Zero
	// means 10 s (raft-autopilot's default).
	Stabilization time.Duration

	// Applied is the highest version of a command that the state machine has applied: a
	// node that understands less is not admitted. Nil admits every version.
	Applied func() (uint64, error)

	// Recorded is the version of commands that a member said it understands when it was
	// admitted; 0 where that is not known. It counts for a member that was never heard. Nil
	// is never known.
	Recorded func(nodeID string) uint64

	// Admit decides about a node that holds a join token, on the leader: it commits
	// the use of the token, the node and its signing key. It must answer a repeat
	// with the same token, server id and keys as it did the first time, because the
	// first answer may have been lost, and refuse every other use of either: the answer
	// holds the district's private keys. Its error's text is shown to the person
	// who joins. Nil refuses everybody.
	Admit func(context.Context, joining.Request) error
	// Invited commits a join token's hash and expiry; nil makes Invite fail.
	Invited func(ctx context.Context, hash string, expires time.Time) error
	// Address names a node's address where the caller knows a newer one than the
	// raft configuration, for example from discovery. Nil means none.
	Address func(nodeID string) (addr string, ok bool)

	// AdmittedBy is where the nodes were reached that admitted this one, host:port by server
	// id: they are asked while there is no configuration. Nil is not known.
	AdmittedBy map[string]string

	// Seek are addresses at which nodes of the district may be met, host:port: they are
	// asked while there is no leader, for a district whose nodes have all moved at once.
	Seek []string

	// Former names nodes that the district may have had before it was begun anew, and
	// has not removed: they are greeted every few seconds where they are no members, so
	// that one of another incarnation learns of it though it does not look for us, and
	// we of it. Nil means none.
	Former func() []string

	// Halt is called at most once, from a goroutine of this package, when the process
	// must end at once without writing: a stalled disk. Main exits with 75. Nil
	// panics, because going on would silence the district.
	Halt func(error)
	// Stalled is how long the caller's own writes that are running take, of the state
	// machine and of what it keeps beside; the watchdog treats
	// it as a write to the log. Nil is never.
	Stalled func() time.Duration
	Logger  *slog.Logger // nil discards
	// Dial replaces the TCP dialler of outgoing connections; tests cut links with it.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// OpenLog replaces raft-wal; tests inject faults with it.
	OpenLog func(dir string) (raftlog.Store, error)
}

const (
	defaultHeartbeat     = 300 * time.Millisecond
	defaultStabilization = 10 * time.Second
	startingFactor       = 3
)

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Dir == "":
		return o, errors.New("starting cluster: no data directory")
	case o.Identity == nil || o.Identity.District == nil || o.Identity.Cert == nil:
		return o, errors.New("starting cluster: no identity")
	case o.FSM == nil || o.Snapshots == nil:
		return o, errors.New("starting cluster: no state machine")
	}
	if o.HeartbeatTimeout == 0 {
		o.HeartbeatTimeout = defaultHeartbeat
	}
	if o.HeartbeatTimeout < 50*time.Millisecond {
		return o, fmt.Errorf("starting cluster: heartbeat timeout %s is under 50 ms", o.HeartbeatTimeout)
	}
	o.Version = max(o.Version, 1)
	if o.VersionOf == nil {
		o.VersionOf = func([]byte) uint64 { return 1 }
	}
	if o.Stabilization == 0 {
		o.Stabilization = defaultStabilization
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("component", "cluster", "node", o.Identity.NodeID)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.OpenLog == nil {
		o.OpenLog = func(dir string) (raftlog.Store, error) { return raftlog.OpenWAL(dir, hclogs.New(o.Logger)) }
	}
	if o.Halt == nil {
		o.Halt = func(err error) { panic(err) }
	}
	return o, nil
}

// raftConfig holds the settings of DESIGN.md, "Settings".
func (o Options) raftConfig(notify chan<- bool) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(o.Identity.NodeID)
	c.HeartbeatTimeout = startingFactor * o.HeartbeatTimeout
	c.ElectionTimeout = startingFactor * o.HeartbeatTimeout
	c.LeaderLeaseTimeout = o.HeartbeatTimeout * 2 / 3 // cannot be reloaded, so it is short from the start
	c.CommitTimeout = 50 * time.Millisecond
	c.MaxAppendEntries = 64
	c.BatchApplyCh = true
	c.SnapshotInterval = 60 * time.Second
	c.SnapshotThreshold = 2048
	c.TrailingLogs = 4096
	c.NoSnapshotRestoreOnStart = true
	c.ShutdownOnRemove = true
	c.NoLegacyTelemetry = true
	c.LogLevel = "WARN"
	c.Logger = hclogs.New(o.Logger)
	c.NotifyCh = notify
	return c
}
