package node

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/cluster/fsm"
	"almenara/node/api"
	"almenara/storage/alert"
)

// gates is where devices and people are let in, as they are told it. Safe for
// concurrent use; the zero value is closed.
type gates struct {
	mu   sync.Mutex
	mqtt []string // URLs, in the order in which devices should try them
	api  string   // URL; "" is off
}

func (g *gates) openMQTT(url string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mqtt = append(g.mqtt, url)
}

func (g *gates) openAPI(url string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.api = url
}

// urls lists the open gates.
func (g *gates) urls() (api string, mqtt []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.api, slices.Clone(g.mqtt)
}

// openMQTT lets devices in on every address that is set.
func (n *Node) openMQTT() error {
	for _, gate := range []struct {
		scheme, addr string
		serve        func(addr string) (net.Addr, error)
	}{
		{"tcp", n.settings.MQTT, n.gateway.ListenTCP},
		{"ssl", n.settings.MQTTS, n.gateway.ListenTLS},
		{"ws", n.settings.WS, n.gateway.ListenWS},
		{"wss", n.settings.WSS, n.gateway.ListenWSS},
	} {
		if gate.addr == "" {
			continue
		}
		addr, err := gate.serve(gate.addr)
		if err != nil {
			return fmt.Errorf("opening the device gateway: %w", err)
		}
		n.gates.openMQTT(gate.scheme + "://" + n.reachable(addr))
	}
	return nil
}

// reachable is how others reach a listener: the advertised host where it listens on
// all interfaces.
func (n *Node) reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if advertised, _, err := net.SplitHostPort(n.cluster.Advertised()); err == nil {
			host = advertised
		}
	}
	return net.JoinHostPort(host, port)
}

// openAPI lets people and systems in.
func (n *Node) openAPI() error {
	if n.settings.API == "" {
		return nil
	}
	u, err := url.Parse(n.settings.API)
	if err != nil {
		return fmt.Errorf("reading the API address: %w", err)
	}
	n.registerMetrics()
	handler := api.New(n, api.Options{Logger: n.log, Trust: n.trust, Registry: n.registry, Version: n.options.Version, Sender: n.sender()})
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("/mqtt", n.gateway.Handler())
	options := api.ServerOptions{Address: u.Host, Handler: mux, EndStreams: handler.EndStreams, Logger: n.log}
	if u.Scheme == "https" {
		if options.TLS, err = n.serverTLS(); err != nil {
			return err
		}
	}
	n.server = api.NewServer(options)
	if err := n.server.Start(); err != nil {
		return err
	}
	n.stop.add("API", n.server.Stop)
	n.gates.openAPI(u.Scheme + "://" + n.reachable(n.server.Addr()))
	n.duty()
	return nil
}

// serverTLS is what devices and people see: the node's certificate of the
// district's authority.
func (n *Node) serverTLS() (*tls.Config, error) {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			id := n.identity
			if n.cluster != nil {
				id = n.cluster.Identity() // it renews itself
			}
			return &tls.Certificate{
				Certificate: [][]byte{id.Cert.Raw, id.District.CA.Raw}, PrivateKey: id.Key, Leaf: id.Cert,
			}, nil
		},
	}, nil
}

// ticketSecret is what devices' TLS sessions are resumed with. It follows from the
// node's key, so that they are after a restart, too, and nothing more has to be kept.
func (n *Node) ticketSecret() []byte {
	sum := sha256.Sum256(slices.Concat([]byte("almenara session tickets"), n.identity.SigningKey.Seed()))
	return sum[:]
}

// hooks takes what the gateway sees besides receipts.
type hooks struct{ n *Node }

// Session implements mqtt.Hooks. A credential, or devices' belief in this node, that ended
// after it was checked and before the session was known is noticed here.
func (h hooks) Session(from channels.Endpoint, up bool) {
	h.n.presence.session(from, up)
	if !up {
		return
	}
	if !h.n.believed.Load() {
		h.n.tallies.touchRecords(fsm.ChangedKeys)
	}
	record, ok, err := h.n.state.Device(from.Device)
	if d, here := h.n.presence.of(from.Device); err != nil || !ok || here && !d.sameAs(record) {
		h.n.tallies.touchRecords(fsm.ChangedDevices)
	}
}

// State implements mqtt.Hooks.
func (h hooks) State(from channels.Endpoint, s contract.State) { h.n.presence.state(from, s) }

// Report implements mqtt.Hooks. Reports of people have no reader yet, so they are
// refused for good rather than taken and lost.
func (h hooks) Report(_ channels.Endpoint, _ []byte, done func(error)) { done(errNoReports) }

// Sent implements mqtt.Hooks.
func (h hooks) Sent(id alert.ID, revision alert.Revision, members []uint32) {
	h.n.collector.sent(id, revision, members, h.n.options.Clock())
}

var errNoReports = fmt.Errorf("%w: this district takes no reports yet", mqtt.ErrUnwanted)

// Authenticate implements mqtt.Auth.
func (n *Node) Authenticate(_ context.Context, deviceID, secret string) (channels.Endpoint, error) {
	return n.credential(deviceID, secret)
}
