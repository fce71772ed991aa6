//go:build conformance

// Command conformance serves device gateways whose topics are open, one for each
// test of a public suite, so that tests can run side by side. It takes the number of
// gateways, prints the port of each, and serves until its standard input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"almenara/channels"
	"almenara/channels/mqtt"
	"almenara/storage/receipt"
)

// closed is the filter that the suites expect to be refused.
const closed = "test/nosubscribe"

// nobody knows no device and keeps no receipt: the suites' clients have none.
type nobody struct{}

func (nobody) Authenticate(context.Context, string, string) (channels.Endpoint, error) {
	return channels.Endpoint{}, mqtt.ErrCredential
}

func (nobody) Take(_ channels.Endpoint, _ []receipt.Receipt, done func(error)) { done(nil) }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: conformance NUMBER")
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return fmt.Errorf("reading the number of gateways: %w", err)
	}
	for range n {
		g, err := open()
		if err != nil {
			return err
		}
		defer stop(g)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// open serves one gateway. Two limits are lower than the product's, because the
// suites ask what happens at them and would not get there otherwise.
func open() (*mqtt.Gateway, error) {
	limits := mqtt.Limits{MaxKeepAlive: time.Minute, MaxPacket: 32 << 10}
	g, err := mqtt.New(mqtt.Options{
		Auth: nobody{}, Receipts: nobody{}, Limits: limits,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, err
	}
	g.OpenTestTopics(closed)
	addr, err := g.ListenTCP("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, fmt.Errorf("reading the address: %w", err)
	}
	fmt.Println(port)
	return g, nil
}

func stop(g *mqtt.Gateway) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := g.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
