// Package reachable says where others reach a node: a listener on every interface has no
// address of its own that could be told to them.
package reachable

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
)

// Node is where one node listens, and what it is called there.
type Node struct {
	// Advertise is the host, or host:port, under which others reach the node; "" is where
	// it listens. A port is that of the internode listener.
	Advertise string
	Internode string   // host:port of its listener
	Doors     []Door   // the other listeners
	Names     []string // further hosts that the certificate names
}

// Door is a listener by its name for people.
type Door struct{ Name, Addr string }

// ErrEverywhere is wrapped where a listener is on every interface and nothing says how
// others reach it.
var ErrEverywhere = errors.New("a listener on every interface has no address that others could be told")

// Check says in one sentence what others could not use.
func (n Node) Check() error {
	host := n.host()
	_, port, err := net.SplitHostPort(n.Advertise)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	} else {
		err = nil
	}
	if n.Advertise != "" && (err != nil || !named(host)) {
		return fmt.Errorf("--advertise %q is no name or address at which others could reach this node", n.Advertise)
	}
	for _, name := range n.Names {
		if !named(name) || uuid.MatchString(name) {
			return fmt.Errorf("--tls-name %q is no host name or IP address", name)
		}
	}
	for _, d := range append([]Door{{"internode", n.Internode}}, n.Doors...) {
		if host == "" && d.Addr != "" && Unspecified(d.Addr) {
			return fmt.Errorf("%w: %s is at %s; say with --advertise HOST under which name or address this machine is reached", ErrEverywhere, d.Name, d.Addr)
		}
	}
	return nil
}

// host is the advertised one; "" where none is.
func (n Node) host() string {
	if host, _, err := net.SplitHostPort(n.Advertise); err == nil {
		return host
	}
	return n.Advertise
}

// InternodeAddr is host:port for the other nodes; its port is 0 where the listener's is
// not known before it is open. "" where nothing is known at all.
func (n Node) InternodeAddr() string {
	if _, _, err := net.SplitHostPort(n.Advertise); err == nil {
		return n.Advertise
	}
	host, port, err := net.SplitHostPort(n.Internode)
	if err != nil {
		return ""
	}
	if n.Advertise != "" {
		host = n.Advertise
	}
	return net.JoinHostPort(host, port)
}

// Addr is how others reach an open listener: under the advertised host where it listens on
// every interface.
func (n Node) Addr(listener string) string {
	_, port, err := net.SplitHostPort(listener)
	if err != nil || !Unspecified(listener) || n.host() == "" {
		return listener
	}
	return net.JoinHostPort(n.host(), port)
}

// Hosts are what the certificate has to name: the address for the other nodes first.
func (n Node) Hosts() []string {
	hosts := []string{n.InternodeAddr()}
	if hosts[0] == "" {
		hosts[0] = "127.0.0.1:0"
	}
	for _, d := range append([]Door{{"", n.Internode}}, n.Doors...) {
		if d.Addr != "" && !Unspecified(d.Addr) {
			host, _, _ := net.SplitHostPort(d.Addr)
			hosts = append(hosts, host)
		}
	}
	hosts = append(hosts, n.host())
	hosts = slices.DeleteFunc(append(hosts, n.Names...), func(h string) bool { return h == "" })
	first := hosts[0]
	rest := slices.Clone(hosts[1:])
	slices.Sort(rest)
	return append([]string{first}, slices.Compact(rest)...)
}

// Unspecified says that host:port is every interface: 0.0.0.0, [::] or no host at all.
func Unspecified(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

var (
	label = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+$`)
	uuid  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// named says that a host is a name or an address of one machine.
func named(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return !ip.IsUnspecified() && !ip.IsMulticast()
	}
	return len(host) <= 253 && label.MatchString(host)
}

// Guess is an address of this machine: the first one of an interface that is up and no
// loopback, IPv4 before IPv6; false where there is none.
func Guess() (string, bool) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", false
	}
	var six string
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		switch {
		case !ok || !n.IP.IsGlobalUnicast():
		case n.IP.To4() != nil:
			return n.IP.String(), true
		case six == "":
			six = n.IP.String()
		}
	}
	return six, six != ""
}
