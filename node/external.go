package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"iter"
	"net"
	"net/url"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/broker"
	"almenara/cluster/apply"
	"almenara/node/reachable"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
)

// External is a general-purpose MQTT broker through which devices are reached
// besides the node's own gateway. The zero value is none.
type External struct {
	URL                string // tcp://, ssl://, ws:// or wss://host:port
	Username, Password string // this node's at the broker; "" is none
	CA                 []byte // PEM of who signs the broker's certificate; nil is the system's roots
}

// validate says in one sentence what cannot work.
func (e External) validate() error {
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

// openExternal makes the way through the external broker, if there is one.
func (n *Node) openExternal() (err error) {
	e := n.options.Broker
	if e.URL == "" {
		return nil
	}
	if n.district.Isolated() {
		return fmt.Errorf("%w: %s; start it without a broker, where devices of the district may be", reachable.ErrOptions, n.district.Drill())
	}
	o := broker.Options{
		URL: e.URL, ClientID: "almenara-" + n.ID(), Username: e.Username, Password: e.Password,
		Directory: &n.brokerDirectory, Receipts: n.receipts, Elected: n.publishes, Clock: n.options.Clock, Logger: n.log, Registry: n.registry,
	}
	if len(e.CA) > 0 {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(e.CA)
		o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	n.brokerDirectory.node = n
	n.external, err = broker.New(o)
	return err
}

// publishes elects who hands alerts to the external broker: the leader, and a node
// that is alone, because nobody else may know of its alerts. Two that do so at once
// cost work only: a device begins a revision once.
func (n *Node) publishes() bool {
	return n.cluster.Leadership().Leader || !settler{n}.CanCommit()
}

// outlets are all ways to devices.
func (n *Node) outlets() []channels.Outlet {
	if n.external == nil {
		return []channels.Outlet{n.gateway}
	}
	return []channels.Outlet{n.gateway, n.external}
}

// runExternal keeps the link to the external broker until ctx ends.
func (n *Node) runExternal(ctx context.Context) {
	if n.external != nil {
		n.external.Run(ctx)
	}
}

// here lists the devices that this node reaches, through which way ever.
func (n *Node) here() []seen {
	out := n.presence.all()
	if n.external == nil {
		return out
	}
	for _, p := range n.external.Present() {
		out = append(out, seen{Device: p.Device, Member: p.Member, Since: p.Since.UTC(), State: p.State})
	}
	return out
}

// externalStatus is the link as the status shows it; nil without one.
func (n *Node) externalStatus() *wire.Broker {
	if n.external == nil {
		return nil
	}
	s := n.external.Status()
	return &wire.Broker{
		URL: s.URL, Connected: s.Connected, Since: s.Since.UTC(), Why: s.Error, Publisher: s.Publisher,
		Devices: s.Devices, Unanswered: s.Unanswered,
	}
}

// brokerDirectory is the directory of enrolled devices for the external broker, read anew when
// they change. Safe for concurrent use.
type brokerDirectory struct {
	node *Node

	mu       sync.Mutex
	read     bool
	byDevice map[string]channels.Endpoint
	byMember map[uint32][]channels.Endpoint
}

// changed hears what a commit touched.
func (r *brokerDirectory) changed(what apply.Change) {
	if what&(apply.ChangedDevices|apply.ChangedMembers) == 0 {
		return
	}
	r.mu.Lock()
	r.read = false
	r.mu.Unlock()
	if r.node != nil && r.node.external != nil {
		r.node.external.DevicesChanged()
	}
}

// Here implements broker.Directory.
func (r *brokerDirectory) Here(device string) bool {
	_, here := r.node.presence.of(device)
	return here
}

// Endpoint implements broker.Directory.
func (r *brokerDirectory) Endpoint(device string) (channels.Endpoint, bool) {
	byDevice, _ := r.tables()
	e, ok := byDevice[device]
	return e, ok
}

// Devices implements broker.Directory.
func (r *brokerDirectory) Devices(members *roaring.Bitmap) iter.Seq[channels.Endpoint] {
	_, byMember := r.tables()
	return func(yield func(channels.Endpoint) bool) {
		for i := members.Iterator(); i.HasNext(); {
			for _, e := range byMember[i.Next()] {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// tables gives both tables; they are not modified once made.
func (r *brokerDirectory) tables() (map[string]channels.Endpoint, map[uint32][]channels.Endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read {
		return r.byDevice, r.byMember
	}
	byDevice, byMember := map[string]channels.Endpoint{}, map[uint32][]channels.Endpoint{}
	err := r.node.store.View(func(t *storage.Txn) error {
		return storage.Devices.Each(t, func(d storage.Device) error {
			if d.Revoked {
				return nil
			}
			e := channels.Endpoint{Device: d.ID, Member: d.Ordinal, Kind: d.Kind, Loud: audience.Kind(d.Kind).Public()}
			byDevice[d.ID], byMember[d.Ordinal] = e, append(byMember[d.Ordinal], e)
			return nil
		})
	})
	if err != nil { // the tables before are better than none
		r.node.log.Error("reading the devices", "error", err)
		return r.byDevice, r.byMember
	}
	r.byDevice, r.byMember, r.read = byDevice, byMember, true
	return byDevice, byMember
}
