package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/api"
	"almenara/storage/alert"
)

// gates is where the device gateway listens; empty strings are closed gates.
type gates struct{ mqtt, mqtts, ws, wss string }

// urls lists the gates as devices are told them.
func (g gates) urls() []string {
	var out []string
	for _, gate := range []struct{ scheme, addr string }{
		{"tcp", g.mqtt}, {"ssl", g.mqtts}, {"ws", g.ws}, {"wss", g.wss},
	} {
		if gate.addr != "" {
			out = append(out, gate.scheme+"://"+gate.addr)
		}
	}
	return out
}

// openMQTT lets devices in on every address that is set.
func (n *Node) openMQTT() error {
	for _, gate := range []struct {
		addr  string
		bound *string
		serve func(addr string) (net.Addr, error)
	}{
		{n.settings.MQTT, &n.gates.mqtt, n.gateway.ListenTCP},
		{n.settings.MQTTS, &n.gates.mqtts, n.gateway.ListenTLS},
		{n.settings.WS, &n.gates.ws, n.gateway.ListenWS},
		{n.settings.WSS, &n.gates.wss, n.gateway.ListenWSS},
	} {
		if gate.addr == "" {
			continue
		}
		addr, err := gate.serve(gate.addr)
		if err != nil {
			return fmt.Errorf("opening the device gateway: %w", err)
		}
		*gate.bound = n.reachable(addr)
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
	handler := api.New(n, api.Options{Logger: n.log, Registry: n.registry, Version: n.options.Version})
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
	n.api = u.Scheme + "://" + n.reachable(n.server.Addr())
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

// hooks takes what the gateway sees besides receipts.
type hooks struct{ n *Node }

// Session implements mqtt.Hooks.
func (h hooks) Session(from channels.Endpoint, up bool) { h.n.presence.session(from, up) }

// State implements mqtt.Hooks.
func (h hooks) State(from channels.Endpoint, s contract.State) { h.n.presence.state(from, s) }

// Report implements mqtt.Hooks. Reports of people have no reader yet, so they are
// refused rather than taken and lost.
func (h hooks) Report(_ channels.Endpoint, _ []byte, done func(error)) { done(errNoReports) }

// Sent implements mqtt.Hooks.
func (h hooks) Sent(id alert.ID, revision alert.Revision, members []uint32) {
	h.n.collector.sent(id, revision, members, h.n.options.Clock())
}

var errNoReports = fmt.Errorf("this district takes no reports yet")

// Authenticate implements mqtt.Auth.
func (n *Node) Authenticate(_ context.Context, deviceID, secret string) (channels.Endpoint, error) {
	return n.credential(deviceID, secret)
}
