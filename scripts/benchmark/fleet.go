//go:build linux

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// fleetConfig is what a fleet is told in a file.
type fleetConfig struct {
	Addr    string
	CA      string // PEM; "" is plain TCP
	QoS     byte   // of the first subscription
	Devices []credential
	// The first Stalled devices do not read and have a small window; the next Dead
	// ones neither read nor close, like a device without power.
	Stalled, Dead int
	// Storm devices are connected and left alone until the order to come back.
	Storm bool
}

// connectAtOnce is how many connections are opened at the same time.
const connectAtOnce = 32

// fleet is many devices in one loop: one goroutine reads all of them through epoll
// and acknowledges, so that the client costs little beside the server.
type fleet struct {
	devices []*device // by credential; live ones are read
	epoll   int
	lost    atomic.Int64 // connections that ended

	to     *net.TCPAddr
	secure *tls.Config // nil: plain TCP

	mu      sync.Mutex // guards what follows
	changed *sync.Cond
	total   tally
	base    tally // total at the last mark
}

// tally counts what all live devices got.
type tally struct {
	seen
	last int64 // stamp of the last packet that counted
}

// fleetRole connects the devices of a file and obeys.
func fleetRole(args []string) error {
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	file := flags.String("config", "", "file with a fleetConfig in JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	raw, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	var c fleetConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return fmt.Errorf("reading %s: %w", *file, err)
	}
	f := &fleet{}
	f.changed = sync.NewCond(&f.mu)
	if err := f.connectAll(c); err != nil {
		return err
	}
	go f.loop() // ends with the process
	return obey(reply{Count: f.live()}, f.handle)
}

func (f *fleet) connectAll(c fleetConfig) error {
	to, err := net.ResolveTCPAddr("tcp4", c.Addr)
	if err != nil {
		return err
	}
	var secure *tls.Config
	if c.CA != "" {
		// One ticket is good for all: a server does not look who comes with it.
		secure = &tls.Config{RootCAs: x509.NewCertPool(), ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		if !secure.RootCAs.AppendCertsFromPEM([]byte(c.CA)) {
			return errors.New("the certificate authority holds no certificate")
		}
	}
	f.to, f.secure = to, secure
	if f.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("creating an epoll: %w", err)
	}
	f.devices = make([]*device, len(c.Devices))
	var group errgroup.Group
	group.SetLimit(connectAtOnce)
	for i, credential := range c.Devices {
		group.Go(func() error {
			d, err := connect(to, i, credential, secure, c.QoS, i < c.Stalled)
			if err != nil {
				return err
			}
			f.devices[i] = d
			d.live = i >= c.Stalled+c.Dead
			if d.live && !c.Storm {
				return f.watch(i)
			}
			return nil
		})
	}
	return group.Wait()
}

// watch adds a live device to what the loop reads.
func (f *fleet) watch(i int) error {
	d := f.devices[i]
	if err := d.socket.unblock(); err != nil {
		return err
	}
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, d.socket.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)})
}

func (f *fleet) live() (n int) {
	for _, d := range f.devices {
		if d.live {
			n++
		}
	}
	return n
}

// loop reads devices until the process ends.
func (f *fleet) loop() {
	events := make([]unix.EpollEvent, 256)
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.EpollWait(f.epoll, events, -1)
		if err != nil && err != unix.EINTR {
			panic(fmt.Errorf("waiting for devices: %w", err))
		}
		var got tally
		for i := range max(n, 0) {
			f.look(int(events[i].Fd), buf, &got)
		}
		f.add(got)
	}
}

// look reads one device. The stamp is taken after its packets were read.
func (f *fleet) look(i int, buf []byte, got *tally) {
	d := f.devices[i]
	s, err := d.read(buf)
	if err != nil {
		_ = unix.EpollCtl(f.epoll, unix.EPOLL_CTL_DEL, d.socket.fd, nil)
		f.lost.Add(1)
		fmt.Fprintf(os.Stderr, "device %s lost: %v\n", d.ID, err)
	}
	if s.publishes+s.subacks+s.pubacks > 0 {
		got.last = stamp()
	}
	got.publishes += s.publishes
	got.subacks += s.subacks
	got.pubacks += s.pubacks
	got.payload = max(got.payload, s.payload)
}

func (f *fleet) add(got tally) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total.publishes += got.publishes
	f.total.subacks += got.subacks
	f.total.pubacks += got.pubacks
	f.total.payload = max(f.total.payload, got.payload)
	if got.last != 0 {
		f.total.last = got.last
	}
	f.changed.Broadcast()
}

// awaitTime bounds the wait for deliveries that do not come.
const awaitTime = 30 * time.Second

// await waits until count of something more has come since the last mark.
func (f *fleet) await(what func(tally) int, count int) (reply, error) {
	late := false
	timer := time.AfterFunc(awaitTime, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		late = true
		f.changed.Broadcast()
	})
	defer timer.Stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for what(f.total)-what(f.base) < count {
		if late || f.lost.Load() > 0 {
			return reply{}, fmt.Errorf("%d of %d came within %v, and %d connections were lost",
				what(f.total)-what(f.base), count, awaitTime, f.lost.Load())
		}
		f.changed.Wait()
	}
	return reply{At: f.total.last, Count: what(f.total) - what(f.base), Payload: f.total.payload}, nil
}

func (f *fleet) mark() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.base, f.total.payload = f.total, 0
}
