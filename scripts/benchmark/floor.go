//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"almenara/channels/contract"
)

// floor is the least that a Go server can do: one goroutine with a 512-byte buffer per connection, and on command one write of a ready
// frame to each. It checks nothing and knows nobody. Alerts back to back it writes one by one, too, which a server that puts several into
// one write can do for less.
type floor struct {
	mu    sync.Mutex // guards conns
	conns []net.Conn
	acked atomic.Int64 // bytes of PUBACKs
	id    uint16
}

// floorRole serves TCP, and TLS with the certificate in two files.
func floorRole(args []string) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	cert := flags.String("cert", "", "PEM file with the certificate")
	key := flags.String("key", "", "PEM file with its key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return fmt.Errorf("loading the certificate: %w", err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13,
	})
	if err != nil {
		return err
	}
	f := &floor{}
	go f.accept(plain) // these end with the process
	go f.accept(secure)
	return obey(reply{Addr: plain.Addr().String(), TLS: secure.Addr().String()}, f.handle)
}

func (f *floor) accept(from net.Listener) {
	for {
		c, err := from.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "accepting:", err)
			return
		}
		go f.serve(c)
	}
}

// serve answers what a device says; each packet comes with one read.
func (f *floor) serve(c net.Conn) {
	defer c.Close()
	buf, joined := make([]byte, payloadSize), false
	for {
		n, err := c.Read(buf)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(os.Stderr, "reading:", err)
			}
			return
		}
		switch got := buf[:n]; got[0] {
		case typePuback:
			f.acked.Add(int64(n))
		case typeConnect:
			_, err = c.Write([]byte{typeConnack, 2, 0, 0})
		case typeSubscribe:
			if !joined { // a later one asks for another QoS
				f.join(c)
				joined = true
			}
			_, err = c.Write([]byte{typeSuback, 3, got[2], got[3], got[n-1]})
		}
		if err != nil {
			return
		}
	}
}

func (f *floor) join(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, c)
}

func (f *floor) handle(o order) (reply, error) {
	switch o.Do {
	case "publish":
		return f.publish(o)
	case "hold": // it knows nothing of what is in force
		return reply{}, nil
	case "acked": // waits for the PUBACKs of Count deliveries since the last publish
		return reply{}, await(func() bool { return f.acked.Load() >= 4*int64(o.Count) })
	}
	return reply{}, fmt.Errorf("unknown order %q", o.Do)
}

// await waits until a condition that another goroutine makes true holds.
func await(ok func() bool) error {
	end := time.Now().Add(awaitTime)
	for !ok() {
		if time.Now().After(end) {
			return errors.New("the acknowledgements do not come")
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// publish writes Count frames to every connection, one write each.
func (f *floor) publish(o order) (reply, error) {
	var frames [][]byte
	for range o.Count {
		f.id++
		topic := contract.TopicAlert(deviceName(0), alertName(int(f.id)))
		frames = append(frames, publishPacket(topic, o.QoS, max(f.id, 1), bytes.Repeat([]byte{'x'}, o.Size)))
	}
	f.acked.Store(0)
	f.mu.Lock()
	defer f.mu.Unlock()
	r := reply{At: stamp()}
	return r, f.writeAll(frames)
}

// writeAll shares the connections among as many writers as there are processors.
func (f *floor) writeAll(frames [][]byte) error {
	writers := runtime.GOMAXPROCS(0)
	errs := make([]error, writers)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			part := f.conns[len(f.conns)*w/writers : len(f.conns)*(w+1)/writers]
			for _, frame := range frames {
				for _, c := range part {
					if _, err := c.Write(frame); err != nil {
						errs[w] = err
					}
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// deviceName is the i-th device where the benchmark chooses.
func deviceName(i int) string { return fmt.Sprintf("bench-%05d", i) }

// memberOf is the i of deviceName; ok is false for other names.
func memberOf(device string) (i uint32, ok bool) {
	_, err := fmt.Sscanf(device, "bench-%05d", &i)
	return i, err == nil
}

// alertName has the length of an alert id.
func alertName(i int) string {
	var b [13]byte
	binary.BigEndian.PutUint32(b[:], uint32(i))
	return fmt.Sprintf("%x", b)
}
