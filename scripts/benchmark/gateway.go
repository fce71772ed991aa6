//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/mqtt"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// gateway is channels/mqtt alone: everybody may in, receipts are counted and
// durable at once. It is what delivery costs before anything is kept.
type gateway struct {
	*mqtt.Gateway
	held      []channels.Delivery // in force beside what is published next
	published []channels.Delivery // last, and held
	keys      alert.Key
	sequence  int
	taken     atomic.Int64 // delivered receipts
}

// Authenticate implements mqtt.Auth.
func (g *gateway) Authenticate(_ context.Context, device, _ string) (channels.Endpoint, error) {
	member, ok := memberOf(device)
	if !ok {
		return channels.Endpoint{}, mqtt.ErrCredential
	}
	return channels.Endpoint{Device: device, Member: member, Kind: "screen"}, nil
}

// Take implements channels.Receipts.
func (g *gateway) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	for i := range rs {
		if rs[i].Rung == receipt.Delivered {
			g.taken.Add(1)
		}
	}
	done(nil)
}

// gatewayRole serves TCP and TLS.
func gatewayRole(args []string) error {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	cert := flags.String("cert", "", "PEM file with the certificate")
	key := flags.String("key", "", "PEM file with its key")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		return fmt.Errorf("loading the certificate: %w", err)
	}
	g := &gateway{keys: alert.Key{Sender: "bench", Sent: alert.NewDateTime(time.Now().UTC())}}
	g.Gateway, err = mqtt.New(mqtt.Options{
		Auth: g, Receipts: g, TLS: &tls.Config{Certificates: []tls.Certificate{pair}},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	plain, err := g.Listen("127.0.0.1:0", mqtt.TCP)
	if err != nil {
		return err
	}
	secure, err := g.Listen("127.0.0.1:0", mqtt.TLS)
	if err != nil {
		return err
	}
	err = obey(reply{Addr: plain.String(), TLS: secure.String()}, g.handle)
	ctx, cancel := context.WithTimeout(context.Background(), awaitTime)
	defer cancel()
	if err := g.Stop(ctx); err != nil {
		return err
	}
	return err
}

func (g *gateway) handle(o order) (reply, error) {
	switch o.Do {
	case "publish":
		return g.publish(o), nil
	case "hold":
		g.held = g.published
		return reply{}, nil
	case "acked": // waits for the delivered receipts of Count deliveries since the last publish
		return reply{}, await(func() bool { return g.taken.Load() >= int64(o.Count) })
	case "profile":
		return reply{}, startProfile(o.Path)
	case "profiled":
		pprof.StopCPUProfile()
		return reply{}, nil
	}
	return reply{}, fmt.Errorf("unknown order %q", o.Do)
}

// publish makes Count alerts hold, one after the other, each for the first Members.
func (g *gateway) publish(o order) reply {
	to := roaring.New()
	to.AddRange(0, uint64(o.Members))
	body := bytes.Repeat([]byte{'x'}, o.Size)
	g.taken.Store(0)
	r := reply{At: stamp()}
	active := g.held
	for range o.Count {
		g.sequence++
		g.keys.Identifier = fmt.Sprint(g.sequence)
		active = append(active[:len(active):len(active)], channels.Delivery{
			Alert: g.keys.ID(), Revision: 1, Expires: time.Now().Add(time.Hour), Body: body, To: to,
		})
		g.Set(&channels.Now{Active: active})
	}
	g.published = active
	return r
}

// startProfile writes what the heap holds now beside path, and a CPU profile into path until pprof.StopCPUProfile.
func startProfile(path string) error {
	heap, err := os.Create(heapProfile(path))
	if err != nil {
		return err
	}
	defer heap.Close()
	runtime.GC() // the profile is as of the last collection
	if err := pprof.WriteHeapProfile(heap); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f)
}

// heapProfile is the file beside a CPU profile.
func heapProfile(path string) string { return strings.TrimSuffix(path, ".pprof") + ".heap.pprof" }
