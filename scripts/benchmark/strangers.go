//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// The variants with strangers: connections to a port that say nothing, and are opened anew
// where the server closes them.
const (
	noStrangers    = "no strangers"
	manyStrangers  = "silent strangers"
	strangersCount = 5000
	strangersQuick = 500

	// reopenedMost is how many connections a second the strangers open anew for each port: silent is
	// what they are, so a flood of new ones is another attack.
	reopenedMost = 500

	// fewFiles is how many descriptors a node has where it meets strangers: what many
	// distributions give a service.
	fewFiles = 4096
)

// strangers are the connections to one port.
type strangers struct {
	to      *net.TCPAddr
	all     []*socket
	refused atomic.Int64 // connections that were not let in, and closed ones
}

// strangersRole opens Count connections to each of the addresses and keeps them open until
// its input ends.
func strangersRole(args []string) error {
	flags := flag.NewFlagSet("strangers", flag.ContinueOnError)
	at := flags.String("at", "", "addresses, with commas")
	count := flags.Int("count", 0, "connections to each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ready := reply{}
	for _, addr := range strings.Split(*at, ",") {
		to, err := net.ResolveTCPAddr("tcp4", addr)
		if err != nil {
			return err
		}
		s := &strangers{to: to, all: make([]*socket, *count)}
		for i := range s.all {
			s.open(i)
		}
		ready.Count += *count
		go s.run() // ends with the process
	}
	return obey(ready, func(o order) (reply, error) { return reply{}, fmt.Errorf("unknown order %q", o.Do) })
}

// open connects; where it is not let in it is tried again with the next round.
func (s *strangers) open(i int) {
	if s.all[i] != nil {
		s.all[i].Close()
	}
	var err error
	if s.all[i], err = dial(s.to, i, 0); err != nil {
		s.all[i] = nil
		s.refused.Add(1)
	}
}

// run opens anew what was closed.
func (s *strangers) run() {
	const rounds = 10 // a second
	for range time.Tick(time.Second / rounds) {
		left := reopenedMost / rounds
		for i := range s.all {
			if left > 0 && (s.all[i] == nil || s.all[i].hungUp()) {
				s.open(i)
				left--
			}
		}
	}
}

func (o options) strangers() int {
	if o.quick {
		return strangersQuick
	}
	return strangersCount
}

// meet starts strangers at the addresses.
func (c *cell) meet(ctx context.Context, name string, at ...string) (*child, error) {
	s, ready, err := spawnRole(ctx, filepath.Join(c.dir, name+".log"), "strangers", "-at", strings.Join(at, ","), "-count", fmt.Sprint(c.strangers()))
	if err == nil {
		c.say("%d strangers at %s", ready.Count, strings.Join(at, ", "))
	}
	return s, err
}

// besieged measures alerts without and with strangers at the API's port. Every alert comes
// over a connection of its own, which is a stranger's, too, before its token is read.
func (c *cell) besieged(ctx context.Context, units []*unit) error {
	for n := range c.runs {
		for _, u := range turned(units, n) {
			if err := c.seriesAs(ctx, u, noStrangers, n); err != nil {
				return err
			}
		}
	}
	for _, u := range units {
		node, ok := u.sys.(*almenara)
		if !ok {
			continue
		}
		there, err := c.meet(ctx, "strangers", node.api())
		if err != nil {
			return err
		}
		for n := range c.runs {
			if err = errors.Join(err, c.seriesAs(ctx, u, manyStrangers, n)); err != nil {
				break
			}
		}
		there.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// api is where the node's API listens.
func (a *almenara) api() string { return strings.TrimPrefix(a.url, "http://") }
