//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"time"

	"almenara/channels/contract"
)

// The names of what is measured.
const (
	floorName     = "floor"
	mosquittoName = "mosquitto"
	gatewayName   = "gateway"
	nodeName      = "node"
	olderName     = "older" // another build of the node, such as the one before a change
)

// setup is what a system is started with.
type setup struct {
	dir     string // its own folder, for logs and data
	program string // almenara
	pem     certificates
	devices int
	stalled int
	grown   bool   // the node has two others beside it
	files   int    // descriptors that a node may have, each alert comes over a new connection; 0: as many as we
	profile string // file; "" is none
}

// system is one server that is measured. Its methods are called from one goroutine.
type system interface {
	// start brings the server up, at rest, with n devices known to it.
	start(ctx context.Context, s setup) error
	// pid is the server's process.
	pid() int
	// reach says where devices connect, and with what.
	reach(secure bool) (addr, ca string)
	credentials() []credential
	// publish sends count alerts to all devices, one after the other and without
	// waiting for any, and returns the stamp just before the first.
	publish(ctx context.Context, count int, qos byte) (at int64, err error)
	// settle waits until the server has taken deliveries acknowledgements of what was
	// published last, as far as it keeps them. It returns the processor time that
	// asking took the server.
	settle(ctx context.Context, deliveries int, qos byte) (asking time.Duration, err error)
	// retire ends what was published, outside of what is measured.
	retire(ctx context.Context) error
	// flood fills the first so many devices, which do not read, until the server's
	// writes to them wait.
	flood(ctx context.Context, members int) error
	alive() error
	stop()
}

// profiled is a system of ours that was started with setup.profile. The profile ends
// when it is stopped.
type profiled interface {
	beginProfile() error
}

// errNotApplicable is returned by flood for a server that it would stop.
var errNotApplicable = errors.New("not measured")

// newSystem makes a system by name.
func newSystem(name string) system {
	switch name {
	case floorName:
		return &ownRole{role: floorName}
	case gatewayName:
		return &ownRole{role: gatewayName}
	case mosquittoName:
		return &mosquitto{}
	}
	return &almenara{}
}

// floodBody and floodCount fill the largest send buffer that a kernel gives
// unasked, 4 MiB, and every buffer behind it.
const (
	floodBody  = 60_000
	floodCount = 100
)

// anyCredentials are devices of servers that take every secret.
func anyCredentials(n int, filter func(device string) string) []credential {
	all := make([]credential, n)
	for i := range all {
		id := deviceName(i)
		all[i] = credential{ID: id, Secret: "secret", Filter: filter(id)}
	}
	return all
}

// ownRole is the floor or the gateway: this program in another process.
type ownRole struct {
	role  string
	setup setup
	*child
	ready reply
}

func (r *ownRole) start(ctx context.Context, s setup) (err error) {
	r.setup = s
	r.child, r.ready, err = spawnRole(ctx, filepath.Join(s.dir, r.role+".log"), r.role, "-cert", s.pem.certFile, "-key", s.pem.keyFile)
	return err
}

func (r *ownRole) beginProfile() error {
	_, err := r.ask(order{Do: "profile", Path: r.setup.profile})
	return err
}

func (r *ownRole) reach(secure bool) (addr, ca string) {
	if secure {
		return r.ready.TLS, r.setup.pem.cert
	}
	return r.ready.Addr, ""
}

func (r *ownRole) credentials() []credential {
	return anyCredentials(r.setup.devices, contract.AlertFilter)
}

func (r *ownRole) publish(_ context.Context, count int, qos byte) (int64, error) {
	a, err := r.ask(order{Do: "publish", Count: count, QoS: qos, Size: payloadSize, Members: r.setup.devices})
	return a.At, err
}

func (r *ownRole) settle(_ context.Context, deliveries int, qos byte) (time.Duration, error) {
	if qos == 0 {
		return 0, nil
	}
	_, err := r.ask(order{Do: "acked", Count: deliveries}) // a look at a counter each millisecond
	return 0, err
}

func (r *ownRole) retire(context.Context) error { return nil }

func (r *ownRole) flood(_ context.Context, members int) error {
	if r.role == floorName {
		return fmt.Errorf("the floor's writes wait for every device: %w", errNotApplicable)
	}
	_, err := r.ask(order{Do: "publish", Count: floodCount, Size: floodBody, Members: members})
	return err
}

func (r *ownRole) stop() {
	if r.child != nil && r.setup.profile != "" {
		_, _ = r.ask(order{Do: "profiled"})
	}
	r.child.stop()
}

// freePort is a port of loopback on which nothing listens now, below those that Linux gives to whoever connects
// (32768 on), of which the fleets take thousands.
func freePort() (port int, err error) {
	for range 1000 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			return l.Addr().(*net.TCPAddr).Port, l.Close()
		}
	}
	return 0, err
}

func freeAddresses(n int) ([]string, error) {
	var all []string
	for range n {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return all, nil
}
