//go:build linux

// Command skewed is the program under test with a clock that can be set: it adds to the
// time of day what the file named by NEMESIS_CLOCK says, a duration such as -1h, from
// the moment it says so. Without the variable the time is right. Everything else is
// the real program's command line and node.
package main

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"almenara/node/cli"
	"almenara/node/cli/command"
	"almenara/node/engine"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var options []engine.Option
	if file := os.Getenv("NEMESIS_CLOCK"); file != "" {
		var c clock
		c.read(file)
		var following sync.WaitGroup
		defer following.Wait()
		defer stop() // before the wait, or it would not end
		following.Go(func() { c.follow(ctx, file) })
		options = append(options, engine.WithClock(c.now))
	}
	streams := command.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
	return cli.Run(ctx, os.Args[1:], streams, engine.New("skewed", options...))
}

// clock is a time of day that is wrong by whole seconds. Safe for concurrent use; the
// zero value is right.
type clock struct{ seconds atomic.Int64 }

// lookEvery is how often the file is read: a jump takes effect within it.
const lookEvery = 50 * time.Millisecond

func (c *clock) follow(ctx context.Context, file string) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.read(file)
		case <-ctx.Done():
			return
		}
	}
}

// read keeps the old offset when the file cannot be read or is half written.
func (c *clock) read(file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if offset, err := time.ParseDuration(strings.TrimSpace(string(raw))); err == nil {
		c.seconds.Store(int64(offset / time.Second))
	}
}

func (c *clock) now() time.Time { return jumped(time.Now(), c.seconds.Load()) }
