package reachable

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// ErrOptions is wrapped by everything that cannot work as it was asked for.
var ErrOptions = errors.New("unusable option")

// Addresses are what people call a node and where it listens. The zero value of a field is
// what the folder remembers, or none.
type Addresses struct {
	Name      string   `json:"name"`
	Internode string   `json:"internode"`           // listen address of the internode port
	Advertise string   `json:"advertise,omitempty"` // host or host:port under which others reach it; "" is the listeners' own
	TLSNames  []string `json:"tls_names,omitempty"` // further hosts that the certificate names
	API       string   `json:"api"`                 // URL
	MQTT      string   `json:"mqtt,omitempty"`
	MQTTS     string   `json:"mqtts,omitempty"`
	WS        string   `json:"ws,omitempty"`
	WSS       string   `json:"wss,omitempty"`
}

// Validate says in one sentence what cannot work.
func (a Addresses) Validate() error {
	if err := validateAPI(a.API); err != nil {
		return err
	}
	for name, addr := range map[string]string{
		"internode": a.Internode, "mqtt": a.MQTT, "mqtts": a.MQTTS, "ws": a.WS, "wss": a.WSS,
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

// Reached is where others reach the node.
func (a Addresses) Reached() Node {
	doors := []Door{{Name: "mqtt", Addr: a.MQTT}, {Name: "mqtts", Addr: a.MQTTS}, {Name: "ws", Addr: a.WS}, {Name: "wss", Addr: a.WSS}}
	if u, err := url.Parse(a.API); err == nil && u.Host != "" {
		addr := u.Host
		if _, _, err := net.SplitHostPort(addr); err != nil {
			addr = net.JoinHostPort(u.Hostname(), "443")
		}
		doors = append(doors, Door{Name: "API", Addr: addr})
	}
	return Node{Advertise: a.Advertise, Internode: a.Internode, Doors: doors, Names: a.TLSNames}
}

// URL is where the API is reached; "" where it is off, or not known before it is open.
func (a Addresses) URL() string {
	u, err := url.Parse(a.API)
	switch {
	case err != nil || u.Host == "" || u.Port() == "0":
		return ""
	case u.Port() == "":
		return a.API
	}
	return u.Scheme + "://" + a.Reached().Addr(u.Host)
}

// CheckReached refuses what others would be told and could not use.
func (a Addresses) CheckReached() error {
	if err := a.Reached().Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return nil
}

// Advertised is how other nodes reach the internode port; "" when that is not known
// before it is open.
func (a Addresses) Advertised() string {
	addr := a.Reached().InternodeAddr()
	if _, port, err := net.SplitHostPort(addr); err != nil || port == "0" || Unspecified(addr) {
		return ""
	}
	return addr
}

// Hosts is where the node is reached, for its certificate; the internode address first.
func (a Addresses) Hosts() []string { return a.Reached().Hosts() }

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
