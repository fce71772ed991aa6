//go:build linux

package main

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"
)

// Bounds of the fault in which strangers take descriptors.
const (
	nodeDescriptors = 2048 // that a node may have open
	strangersEach   = 1500 // connections to each of its ports
	strangersAgain  = 20 * time.Millisecond
)

// doors are the addresses of a node that strangers reach.
func (n *node) doors() []string {
	addrs := []string{n.berth.listen[1]} // behind --internode
	for _, raw := range append([]string{n.berth.url}, n.berth.mqtt["screen"], n.berth.mqtt["speaker"], n.berth.mqtt["phone"]) {
		if u, err := url.Parse(raw); err == nil {
			addrs = append(addrs, u.Host)
		}
	}
	return addrs
}

// strangers open connections to every port of one node and say nothing, more than it has
// descriptors, and open another for each that is closed. Nothing that the district does
// may suffer from it.
func (x *nemesis) strangers(ctx context.Context, s Step, n *node) {
	defer x.rig.book.begin(n.number, string(Descriptors))()
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var all sync.WaitGroup
	for _, addr := range n.doors() {
		all.Go(func() { crowdIn(ctx, addr) })
	}
	all.Wait()
}

// crowdIn holds strangersEach connections until ctx ends.
func crowdIn(ctx context.Context, addr string) {
	var dialer net.Dialer
	open := make([]net.Conn, 0, strangersEach)
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	next := 0
	for ctx.Err() == nil {
		c, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil && len(open) < strangersEach {
			open = append(open, c)
			continue
		}
		if err == nil {
			_ = open[next].Close() // the node has closed the oldest ones
			open[next], next = c, (next+1)%strangersEach
		}
		_ = wait(ctx, strangersAgain)
	}
}
