// Package external is the way to devices through a general-purpose MQTT broker, besides the node's
// own gateway.
//
//	record of devices ─> directory ─> channels/broker ─> the broker ─> devices
//
// It keeps nothing. It never imports api, cluster but for what a commit touched, or another part
// of node but health, reachable and wire.
package external

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels"
	"almenara/channels/broker"
	"almenara/channels/contract"
	"almenara/channels/ledger"
	"almenara/cluster/apply"
	"almenara/node/reachable"
	"almenara/node/wire"
	"almenara/node/wire/devicehealth"
	"almenara/storage"
)

// Broker is a general-purpose MQTT broker through which devices are reached
// besides the node's own gateway. The zero value is none.
type Broker struct {
	URL                string // tcp://, ssl://, ws:// or wss://host:port
	Username, Password string // this node's at the broker; "" is none
	CA                 []byte // PEM of who signs the broker's certificate; nil is the system's roots
}

// Validate says in one sentence what cannot work.
func (e Broker) Validate() error {
	if e.URL == "" {
		return nil
	}
	if err := broker.CheckURL(e.URL); err != nil {
		return fmt.Errorf("%w: %w", reachable.ErrOptions, err)
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return fmt.Errorf("%w: broker address: %w", reachable.ErrOptions, err)
	}
	ip := net.ParseIP(u.Hostname())
	here := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if plain := u.Scheme == "tcp" || u.Scheme == "ws"; plain && e.Password != "" && !here {
		return fmt.Errorf("%w: %s would send the broker's password in the clear; use ssl:// or wss:// on any address but loopback", reachable.ErrOptions, e.URL)
	}
	if len(e.CA) > 0 && !x509.NewCertPool().AppendCertsFromPEM(e.CA) {
		return fmt.Errorf("%w: the broker's authority is not a PEM certificate", reachable.ErrOptions)
	}
	return nil
}

// Options say what a Link needs. None may be nil.
type Options struct {
	Broker   Broker
	Node     string // id of this node
	Store    *storage.Store
	Present  func(device string) bool // it is connected to the node's own gateway
	Receipts channels.Receipts
	State    func(from channels.Endpoint, s contract.State) // hears what devices say of themselves
	Elected  func() bool                                    // this node hands alerts to the broker
	Clock    func() time.Time
	Logger   *slog.Logger
	Registry *prometheus.Registry
}

// Link is the way through a broker; nil is none, and its methods work all the same. They may be
// called from any goroutine.
type Link struct {
	broker    *broker.Broker
	directory *directory
	said      *said
}

// Open makes a link; nil where no broker is set. Nothing is connected before Run.
func Open(opts Options) (*Link, error) {
	e := opts.Broker
	if e.URL == "" {
		return nil, nil
	}
	d := &directory{store: opts.Store, present: opts.Present, log: opts.Logger}
	words := &said{clock: opts.Clock, of: map[string]*devicehealth.DeviceHealth{}}
	o := broker.Options{
		URL: e.URL, ClientID: "almenara-" + opts.Node, Username: e.Username, Password: e.Password,
		Directory: d, Receipts: opts.Receipts, Elected: opts.Elected, Clock: opts.Clock, Logger: opts.Logger, Registry: opts.Registry,
		State: func(from channels.Endpoint, s contract.State) {
			words.hear(from.Device, s)
			opts.State(from, s)
		},
	}
	if len(e.CA) > 0 {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(e.CA)
		o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	b, err := broker.New(o)
	if err != nil {
		return nil, err
	}
	return &Link{broker: b, directory: d, said: words}, nil
}

// Run keeps the link until ctx ends.
func (l *Link) Run(ctx context.Context) {
	if l != nil {
		l.broker.Run(ctx)
	}
}

// Outlets are all ways to devices, the node's own gateway first.
func (l *Link) Outlets(gateway channels.Outlet) []channels.Outlet {
	if l == nil {
		return []channels.Outlet{gateway}
	}
	return []channels.Outlet{gateway, l.broker}
}

// Changed hears what a commit touched.
func (l *Link) Changed(what apply.Change) {
	if l == nil || what&(apply.ChangedDevices|apply.ChangedMembers) == 0 {
		return
	}
	l.directory.changed()
	l.said.forget(func(device string) bool { _, enrolled := l.directory.Endpoint(device); return enrolled })
	l.broker.DevicesChanged()
}

// Device is one that is reached through the broker.
type Device struct {
	ledger.Presence
	Health *devicehealth.DeviceHealth // as it said last to this node; nil: it said nothing
}

// Present are the devices that are reached through the broker, by this node; nothing where another
// one publishes.
func (l *Link) Present() (out []Device) {
	if l == nil {
		return nil
	}
	for _, p := range l.broker.Present() {
		out = append(out, Device{p, l.said.last(p.Device)})
	}
	return out
}

// Devices lists the ids of those.
func (l *Link) Devices() (ids []string) {
	for _, d := range l.Present() {
		ids = append(ids, d.Device)
	}
	return ids
}

// Command hands a command to the broker, as broker.Broker does.
func (l *Link) Command(ctx context.Context, device string, payload []byte) error {
	if l == nil {
		return ErrNotThere
	}
	return l.broker.Command(ctx, device, payload)
}

// ErrNotThere says that a device is not reached through the broker, or not by this node.
var ErrNotThere = broker.ErrNotThere

// Reaching counts the devices of members that are reached through the broker.
func (l *Link) Reaching(members *roaring.Bitmap) int {
	if l == nil {
		return 0
	}
	return l.broker.Reaching(members)
}

// Status is the link as the status shows it; nil without one.
func (l *Link) Status() *wire.Broker {
	if l == nil {
		return nil
	}
	s := l.broker.Status()
	return &wire.Broker{
		URL: s.URL, Connected: s.Connected, Since: s.Since.UTC(), Why: s.Error, Publisher: s.Publisher,
		Devices: s.Devices, Unanswered: s.Unanswered,
	}
}
