package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"almenara/channels/pages"
	"almenara/cluster/command"
	"almenara/cluster/connlimit"
	"almenara/node/external"
	"almenara/node/folder"
	"almenara/node/machine"
	"almenara/node/reachable"
)

// Options says how a node runs. The zero value of every field but Dir works.
type Options struct {
	// Dir is the data folder, made by Init or Join. One node per folder.
	Dir string
	// Name is what people call the node; "" is what Init or Join was told.
	Name string
	// Internode is the address that the other nodes reach; "" is what Init or Join
	// was told. Port 0 takes a free port and tells the district.
	Internode string
	// Advertise is the host, or host:port, under which the other nodes reach Internode, and
	// everybody the listeners that are on every interface. "" is what Init or Join was told,
	// or where the node listens.
	Advertise string
	// TLSNames are further hosts that the node's certificate names; none is what Init or
	// Join was told.
	TLSNames []string
	// Peers are internode addresses at which nodes of the district may be met. They are
	// asked while there is no leader, where all nodes were given other addresses at once.
	Peers []string
	// API is the URL that the HTTP API listens on, for example http://127.0.0.1:8480
	// or https://0.0.0.0:8480. Plain HTTP is refused on any address but loopback.
	API string
	// MQTT, MQTTS, WS and WSS are the addresses of the device gateway; "" is off.
	MQTT, MQTTS, WS, WSS string
	// Broker is a general-purpose MQTT broker through which devices are reached besides
	// the gateway; the zero value is none.
	Broker external.Broker
	// FramedBy are the origins of signage systems whose pages may show the pages of devices in a
	// frame, such as https://signage.example; none where it is empty.
	FramedBy []string
	// Residents is the address under which residents' phones reach this node, such as https://host:port, or
	// http://host:port of ResidentsListen; "" shows no codes beside alerts.
	Residents string
	// ResidentsListen is host:port where the pages of residents, and nothing else, are served without TLS, for
	// phones that do not know the district's authority; "" is off.
	ResidentsListen string
	// Heartbeat is raft's heartbeat and election timeout; 0 is 300 ms (wired LAN).
	// Use 1 s on radio links.
	Heartbeat time.Duration
	// Stabilization is how long a new node must keep up before it may vote; 0 is 10 s.
	Stabilization time.Duration
	// JournalBytes and SpoolBytes are the preallocated sizes of the fact journal and
	// the receipt spool; 0 is 64 MiB and 256 MiB, and 4 MiB each is the least.
	JournalBytes, SpoolBytes int64
	// Space says how the node deals with a disk that fills up.
	Space machine.DiskOptions
	// Scrub is how often everything on the disk is read and checked; 0 is once a day.
	Scrub time.Duration
	// Logger takes the node's log; nil is slog.Default().
	Logger *slog.Logger
	// Halt is told when the node must stop at once because going on would be
	// wrong (a state machine that cannot apply, a disk that stalls). It must not
	// return control to normal work; main exits with code 75. nil panics.
	Halt func(error)
	// Dial replaces the TCP dialler of connections to the other nodes; tests cut links
	// with it. nil is net.Dialer.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Clock is the time of day; nil is time.Now.
	Clock func() time.Time
	// Version is shown in status.
	Version string
	// CommandVersion lowers the version of log entries that the node understands, as if
	// it ran older software, for drills of a rolling upgrade; 0 is command.Max.
	CommandVersion uint64
	// Descriptors is how many files and connections this node may have open; 0 is what the
	// process may, whose soft limit is raised to the hard one.
	Descriptors int
}

// DefaultOptions are the options of a node on one machine: everything on
// loopback, free ports, no ballast.
func DefaultOptions(dir string) Options {
	return Options{
		Dir: dir, Internode: "127.0.0.1:0", API: "http://127.0.0.1:0",
		MQTT: "127.0.0.1:0", MQTTS: "127.0.0.1:0", WS: "127.0.0.1:0",
		Space: machine.DiskOptions{Ballast: -1},
	}
}

// Validate says in one sentence what cannot work.
func (o Options) Validate() error {
	if o.Dir == "" {
		return fmt.Errorf("%w: a data folder is needed", reachable.ErrOptions)
	}
	if err := o.Addresses().Validate(); err != nil {
		return err
	}
	if err := o.Broker.Validate(); err != nil {
		return err
	}
	if o.Residents != "" {
		o.FramedBy = append(slices.Clone(o.FramedBy), o.Residents) // an origin, too
	}
	for _, origin := range o.FramedBy {
		if err := pages.CheckOrigin(origin); err != nil {
			return fmt.Errorf("%w: %w", reachable.ErrOptions, err)
		}
	}
	for _, addr := range o.Peers {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
			return fmt.Errorf("%w: the peer %q is not host:port", reachable.ErrOptions, addr)
		}
	}
	return nil
}

// Addresses are those of the options that the data folder remembers.
func (o Options) Addresses() reachable.Addresses {
	return reachable.Addresses{
		Name: o.Name, Internode: o.Internode, Advertise: o.Advertise, TLSNames: o.TLSNames, API: o.API,
		MQTT: o.MQTT, MQTTS: o.MQTTS, WS: o.WS, WSS: o.WSS,
	}
}

// segmentBytes makes the journal's files small enough that a small journal or spool
// still has four, and never smaller than the largest fact needs; 0 is the usual size.
func (o Options) segmentBytes() int64 {
	const usual, least, files = 4 << 20, 1 << 20, 4
	segment := int64(usual)
	for _, total := range []int64{o.JournalBytes, o.SpoolBytes} {
		if total > 0 {
			segment = min(segment, max(total/files, least))
		}
	}
	if segment == usual {
		return 0
	}
	return segment
}

// withDefaults fills what is unset.
func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Halt == nil {
		o.Halt = func(err error) { panic(err) }
	}
	if o.CommandVersion == 0 || o.CommandVersion > command.Max() {
		o.CommandVersion = command.Max()
	}
	if o.Descriptors <= 0 {
		o.Descriptors = connlimit.Descriptors()
	}
	return o
}

// Init makes the data folder of a district's first node and returns the first
// administrator's token (folder.Create). Nothing runs.
func Init(o Options, district string) (token string, err error) {
	if err := o.Validate(); err != nil {
		return "", err
	}
	return folder.Create(o.Dir, o.Addresses(), district)
}

// Join makes the data folder of a further node with the token of an invitation
// (folder.Join). The node must be started to take part.
func Join(ctx context.Context, o Options, token string) error {
	if err := o.Validate(); err != nil {
		return err
	}
	return folder.Join(ctx, o.Dir, o.Addresses(), token, o.withDefaults().CommandVersion)
}
