//go:build linux

package main

import (
	"almenara/storage/durable"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// moveTime is how long the others may take, with a leader, to find a node at its new address.
const moveTime = 60 * time.Second

// Moving is a node that was started at another address, until the others found it.
type Moving struct {
	Node        int
	Asked, Done time.Time
	Why         string // why it was not found; "" when it was
}

// move stops a node and starts it at another internode address, as DHCP would, and waits
// until every other one says that it answers there.
func (x *nemesis) move(ctx context.Context, s Step, n *node) {
	end := x.rig.book.begin(n.number, string(s.Kind))
	n.power.Lock()
	x.report(n, n.process.kill())
	addr, err := x.rig.readdress(n)
	x.report(n, err)
	_ = wait(ctx, s.For)
	x.report(n, n.process.start())
	x.answers(n)
	n.power.Unlock()
	end()
	m := Moving{Node: n.number, Asked: time.Now()}
	if err == nil {
		err = x.awaitFound(ctx, n, addr)
	}
	if m.Done = time.Now(); err != nil {
		m.Why = err.Error()
	} else {
		x.rig.say("%s was found at %s after %.1f s", n.name, addr, m.Done.Sub(m.Asked).Seconds())
	}
	x.rig.book.note(func(h *History) { h.Movings = append(h.Movings, m) })
}

// awaitFound waits until every other node finds one at its new address, each for itself: two that find
// it at different moments between the faults have both found it. It names those that do not.
func (x *nemesis) awaitFound(ctx context.Context, n *node, addr string) error {
	ctx, cancel := whileLed(ctx, moveTime, x.rig.leader)
	defer cancel()
	var all errgroup.Group
	for _, other := range x.rig.now() {
		all.Go(func() error {
			for other != n && !other.finds(ctx, n.id, addr) {
				if wait(ctx, 200*time.Millisecond) != nil {
					return fmt.Errorf("%s does not find it at %s", other.name, addr)
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// finds says whether the node with that id answers this one at the address.
func (n *node) finds(ctx context.Context, id, addr string) bool {
	s, err := n.status(ctx, time.Second)
	if err != nil {
		return false
	}
	for _, other := range s.Nodes {
		if other.ID == id {
			return other.Reachable && other.Internode == addr
		}
	}
	return false
}

// readdress gives a node's berth another internode address, and tells the node's folder.
func (g *rig) readdress(n *node) (addr string, err error) {
	b := n.berth
	flag, field := "--internode", "internode"
	if b.proxy != nil {
		door, err := (&ports{used: g.usedPorts, pick: rand.IntN}).listen()
		if err != nil {
			return "", err
		}
		b.proxy.move(door)
		flag, field, addr = "--advertise", "advertise", b.proxy.addr()
	} else {
		b.moves++
		addr = fmt.Sprintf("%s:%d", addressAt(b.index), 8470+b.moves%2) // of the two, the one where it is not
	}
	b.listen[slices.Index(b.listen, flag)+1] = addr
	path := filepath.Join(n.data, "node.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		return addr, err
	}
	settings := map[string]any{}
	if err := json.Unmarshal(raw, &settings); err != nil {
		return addr, err
	}
	settings[field] = addr
	if raw, err = json.Marshal(settings); err != nil {
		return addr, err
	}
	return addr, durable.WriteFile(path, raw) // a power cut may follow
}

// move puts the proxy at another address; what was dialled at the old one ends.
func (p *proxy) move(listener net.Listener) {
	p.mu.Lock()
	old := p.listener
	p.listener = listener
	p.mu.Unlock()
	_ = old.Close()
	p.endIf(func(*pair) bool { return true })
	p.wg.Add(1)
	go p.accept(listener)
}

// movesHeld: a node that was given another address is found by all others, where every
// one of them could be reached for a while.
func movesHeld(e Evidence) (v Verdict) {
	for _, m := range e.Movings {
		if m.Why != "" && e.longestPeace(m.Asked, m.Done) < enoughPeace {
			v.Excused++
			continue
		}
		v.Judged++
		if m.Why != "" {
			v.breach("%s was given another address at %s and was not found within %v with a leader: %s", nodeName(m.Node), clock(m.Asked), moveTime, m.Why)
		}
	}
	return v
}
