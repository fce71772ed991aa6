// Package engine joins the command line to the node: it is what main hands to cli.
package engine

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"almenara/cluster/outcome"
	"almenara/node"
	"almenara/node/access"
	"almenara/node/cli/inprocess"
	"almenara/node/demo"
	"almenara/node/external"
	"almenara/node/simulation"
)

// exitHalt is what the process ends with when going on would be wrong: the service
// manager starts it again (sysexits.h EX_TEMPFAIL).
const exitHalt = 75

// Option changes what the nodes of an engine run with.
type Option func(*node.Options)

// WithClock gives served nodes another time of day than the machine's. It is for
// programs that try nodes out with clocks that are wrong; timers go on by the machine's
// monotonic clock. clock is called from many goroutines at once.
func WithClock(clock func() time.Time) Option {
	return func(o *node.Options) { o.Clock = clock }
}

// New is the engine of this program.
func New(version string, options ...Option) inprocess.Engine {
	return inprocess.Engine{
		Version: version, Init: initialize, Join: join, Recover: recoverNode, Rejoin: rejoin,
		BackupFolder: backupFolder(version), Restore: restore,
		Demo: demo.Run, Simulate: simulation.Run, Check: checkDevice,
		Serve: func(ctx context.Context, o inprocess.ServeOptions, ready func(inprocess.ServeInfo)) error {
			return serve(ctx, version, o, ready, options)
		},
	}
}

// addresses turns the command line's addresses into a node's options.
func addresses(data, name string, l inprocess.Listen) node.Options {
	return node.Options{
		Dir: data, Name: name, Internode: l.Internode, Advertise: l.Advertise, API: apiURL(l.API),
		MQTT: l.MQTT, MQTTS: l.MQTTTLS, WS: l.MQTTWS, WSS: l.MQTTWSS,
		TLSNames: l.TLSNames,
	}
}

// firstOptions are those of a new node: what is not said listens on loopback at the
// usual ports.
func firstOptions(data, name string, l inprocess.Listen) node.Options {
	fill := func(field *string, usual string) {
		if *field == "" {
			*field = usual
		}
	}
	fill(&l.Internode, "127.0.0.1:8470")
	fill(&l.API, "127.0.0.1:8480")
	fill(&l.MQTT, "127.0.0.1:1883")
	fill(&l.MQTTTLS, "127.0.0.1:8883")
	fill(&l.MQTTWS, "127.0.0.1:8083")
	return addresses(data, name, l)
}

// apiURL adds the scheme: tokens go in the clear on loopback only.
func apiURL(address string) string {
	if address == "" || strings.Contains(address, "://") {
		return address
	}
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return "http://" + address
	}
	return "https://" + address
}

func initialize(_ context.Context, o inprocess.InitOptions) (inprocess.InitResult, error) {
	opts := firstOptions(o.Data, o.Name, o.Listen)
	if _, err := node.Init(opts, o.District); err != nil {
		return inprocess.InitResult{}, err
	}
	n, err := node.New(opts)
	if err != nil {
		return inprocess.InitResult{}, err
	}
	return inprocess.InitResult{
		Node: n.ID(), Name: n.Name(), District: o.District, Data: o.Data,
		TokenFile: filepath.Join(o.Data, access.TokenFile), RootKey: base64.RawURLEncoding.EncodeToString(n.RootKey()),
	}, nil
}

func join(ctx context.Context, o inprocess.JoinOptions) (inprocess.JoinResult, error) {
	opts := firstOptions(o.Data, o.Name, o.Listen)
	if err := node.Join(ctx, opts, o.Token); err != nil {
		return inprocess.JoinResult{}, err
	}
	n, err := node.New(opts)
	if err != nil {
		return inprocess.JoinResult{}, err
	}
	return inprocess.JoinResult{Node: n.ID(), Name: n.Name(), District: n.District(), Data: o.Data}, nil
}

// serve runs a node until ctx ends, or until it learns that it was removed.
func serve(ctx context.Context, version string, o inprocess.ServeOptions, ready func(inprocess.ServeInfo), options []Option) error {
	tuneMemory()
	log, err := logger(o)
	if err != nil {
		return err
	}
	opts := addresses(o.Data, "", o.Listen)
	for _, option := range options {
		option(&opts)
	}
	opts.Broker = external.Broker(o.Broker)
	opts.Heartbeat, opts.Version, opts.Logger, opts.Peers, opts.FramedBy = o.Heartbeat, version, log, o.Peers, o.FramedBy
	opts.Residents, opts.ResidentsListen = o.Residents, o.ResidentsListen
	opts.Halt = func(err error) {
		log.Error("the node must stop at once", "error", err)
		os.Exit(exitHalt)
	}
	n, err := node.New(opts)
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	ready(inprocess.ServeInfo{
		Node: n.ID(), Name: n.Name(), District: n.District(), API: n.API(), MQTT: n.MQTT(), Internode: n.Internode(), Isolated: n.Isolated(),
	})
	var removed error
	select {
	case <-ctx.Done():
	case <-n.Removed():
		removed = fmt.Errorf("%w: this node was removed from the district; bring its box back with almenara rejoin", outcome.ErrNotMember)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), node.StopTime)
	defer cancel()
	if err := n.Stop(stop); err != nil {
		return err
	}
	return removed
}

func logger(o inprocess.ServeOptions) (*slog.Logger, error) {
	var level slog.Level
	if o.LogLevel != "" {
		if err := level.UnmarshalText([]byte(o.LogLevel)); err != nil {
			return nil, fmt.Errorf("log level %q is not debug, info, warn or error", o.LogLevel)
		}
	}
	var w io.Writer = o.Log
	handler := &slog.HandlerOptions{Level: level}
	if o.LogJSON {
		return slog.New(slog.NewJSONHandler(w, handler)), nil
	}
	return slog.New(slog.NewTextHandler(w, handler)), nil
}
