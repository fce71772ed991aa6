package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"almenara/cluster/command"
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
	// Advertise is how the other nodes reach Internode when that differs from the
	// listen address; "" is what Init or Join was told, or the listen address.
	Advertise string
	// API is the URL that the HTTP API listens on, for example http://127.0.0.1:8480
	// or https://0.0.0.0:8480. Plain HTTP is refused on any address but loopback.
	API string
	// MQTT, MQTTS, WS and WSS are the addresses of the device gateway; "" is off.
	MQTT, MQTTS, WS, WSS string
	// Broker is a general-purpose MQTT broker through which devices are reached besides
	// the gateway; the zero value is none.
	Broker External
	// Heartbeat is raft's heartbeat and election timeout; 0 is 300 ms (wired LAN).
	// Use 1 s on radio links.
	Heartbeat time.Duration
	// Stabilization is how long a new node must keep up before it may vote; 0 is 10 s.
	Stabilization time.Duration
	// JournalBytes and SpoolBytes are the preallocated sizes of the fact journal and
	// the receipt spool; 0 is 64 MiB and 256 MiB, and 4 MiB each is the least.
	JournalBytes, SpoolBytes int64
	// Space says how the node deals with a disk that fills up.
	Space SpaceOptions
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
}

// DefaultOptions are the options of a node on one machine: everything on
// loopback, free ports, no ballast.
func DefaultOptions(dir string) Options {
	return Options{
		Dir: dir, Internode: "127.0.0.1:0", API: "http://127.0.0.1:0",
		MQTT: "127.0.0.1:0", MQTTS: "127.0.0.1:0", WS: "127.0.0.1:0",
		Space: SpaceOptions{Ballast: -1},
	}
}

// ErrOptions is wrapped by everything that Validate finds.
var ErrOptions = errors.New("unusable option")

// Validate says in one sentence what cannot work.
func (o Options) Validate() error {
	if o.Dir == "" {
		return fmt.Errorf("%w: a data folder is needed", ErrOptions)
	}
	if err := validateAPI(o.API); err != nil {
		return err
	}
	if err := o.Broker.validate(); err != nil {
		return err
	}
	for name, addr := range map[string]string{
		"internode": o.Internode, "mqtt": o.MQTT, "mqtts": o.MQTTS, "ws": o.WS, "wss": o.WSS,
	} {
		if addr == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return fmt.Errorf("%w: %s address %q is not host:port", ErrOptions, name, addr)
		}
	}
	return nil
}

// validateAPI refuses plain HTTP where others could read the bearer tokens.
func validateAPI(api string) error {
	if api == "" {
		return nil
	}
	u, err := url.Parse(api)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%w: API address %q is not a URL such as https://0.0.0.0:8480", ErrOptions, api)
	}
	if u.Scheme == "https" {
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%w: %s would send tokens in the clear; use https:// on any address but loopback", ErrOptions, api)
	}
	return nil
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
	return o
}
