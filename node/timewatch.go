package node

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"almenara/cluster"
	"almenara/node/wire"
	"almenara/storage/durable"
)

const (
	pathTime      = "/node/time"
	timeFile      = "time" // the last time of day that the node is known to have had
	timeTick      = time.Second
	timeCall      = time.Second      // a peer's answer that takes longer says nothing
	timeKept      = time.Minute      // between two writes of timeFile
	timePlausible = 2 * time.Minute  // a node that was away for no longer need not ask the others first
	timePatience  = 2 * time.Second  // how long a node that was away for longer waits for the others' word
	timeMost      = 64               // bytes of a time in a call
	timeFormat    = time.RFC3339Nano // in files and calls
)

// lastTime reads timeFile; zero when it is missing or cannot be read as a time.
func lastTime(dir string) time.Time {
	raw, err := os.ReadFile(filepath.Join(dir, timeFile))
	if err != nil {
		return time.Time{}
	}
	at, err := time.Parse(timeFormat, strings.TrimSpace(string(raw)))
	if err != nil {
		return time.Time{}
	}
	return at
}

// keepLastTime writes timeFile. Without it a start takes up to timePatience longer.
func (n *Node) keepLastTime() {
	text := n.time.Now().UTC().Format(timeFormat) + "\n"
	if err := durable.WriteFile(filepath.Join(n.options.Dir, timeFile), []byte(text)); err != nil {
		n.log.Debug("the time was not kept", "error", err)
	}
}

// serveTime tells the other nodes what this machine's clock says.
func (n *Node) serveTime() {
	n.cluster.Handle("POST "+pathTime, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if raw, err := io.ReadAll(io.LimitReader(r.Body, timeMost)); err == nil {
			n.hearTime(cluster.PeerID(r.Context()), string(raw), 0)
		}
		_, _ = io.WriteString(w, n.time.raw().UTC().Format(timeFormat))
	}))
}

func (n *Node) hearTime(peer, text string, took time.Duration) {
	at, err := time.Parse(timeFormat, text)
	if err == nil && peer != "" {
		n.time.hear(peer, at, took)
	}
}

// watchTime asks the other nodes what time it is and says when this machine's clock is
// wrong. The first round, or timePatience, ends the wait in awaitTime.
func (n *Node) watchTime(ctx context.Context) {
	tick := time.NewTicker(timeTick)
	defer tick.Stop()
	first := sync.OnceFunc(func() { close(n.timely) })
	defer first()
	begun, kept := time.Now(), time.Now()
	before := clockOwn
	for {
		heard := n.askTime(ctx)
		n.time.review(n.electorate())
		if 2*(heard+1) > n.electorate() || time.Since(begun) > timePatience {
			first()
		}
		if source, off := n.time.state(); source != before {
			before = source
			n.sayTime(source, off)
		}
		if time.Since(kept) > timeKept {
			kept = time.Now()
			n.keepLastTime()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sayTime logs a change of the source and lets the devices hear of it.
func (n *Node) sayTime(source clockSource, off time.Duration) {
	if source == clockOwn {
		n.log.Info("the clock of this machine is right again")
	} else {
		n.log.Error(n.time.sentence(), "source", source.String(), "off", off)
	}
	n.changed()
}

// awaitTime returns when it is known what time it is: at once after a short absence,
// else when the majority of the others has said it or cannot be heard.
func (n *Node) awaitTime(ctx context.Context) {
	select {
	case <-n.timely:
	case <-ctx.Done():
	}
}

// askTime asks every other node at once and counts those that answered.
func (n *Node) askTime(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, timeCall)
	defer cancel()
	var asked sync.WaitGroup
	var mu sync.Mutex
	heard := 0
	for _, id := range n.peers() {
		asked.Go(func() {
			began := time.Now()
			raw, err := n.cluster.Call(ctx, id, pathTime, []byte(n.time.raw().UTC().Format(timeFormat)))
			if err != nil || len(raw) > timeMost {
				return
			}
			n.hearTime(id, string(raw), time.Since(began))
			mu.Lock()
			defer mu.Unlock()
			heard++
		})
	}
	asked.Wait()
	return heard
}

// electorate is how many nodes the district has.
func (n *Node) electorate() int { return len(n.peers()) + 1 }

// startTime makes the node's time of day. A node that was away for longer than
// timePlausible, or whose clock was set back meanwhile, asks the others before it tells
// its devices what time it is.
func (n *Node) startTime(wall func() time.Time) {
	since := lastTime(n.options.Dir)
	n.time = newTimekeeper(wall, since, n.desk.calm)
	n.timely = make(chan struct{})
	n.plausible = !since.IsZero() && wall().Sub(since) <= timePlausible && since.Sub(wall()) <= clockTolerance
	n.options.Clock = n.time.Now
}

// timed is work that needs the time of day.
func (n *Node) timed(work func(context.Context)) func(context.Context) {
	if n.plausible {
		return work
	}
	return func(ctx context.Context) {
		n.awaitTime(ctx)
		work(ctx)
	}
}

// clockStatus is the clock as /api/v1/status shows it.
func (n *Node) clockStatus() wire.Clock {
	source, off := n.time.state()
	return wire.Clock{Source: source.String(), OffSeconds: off.Seconds()}
}
