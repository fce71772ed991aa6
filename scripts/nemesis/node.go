//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
)

// node is one node of the district: its process, its proxy and a client of its API.
type node struct {
	index   int
	name    string
	dir     string
	listen  []string // flags of init and join
	url     string
	mqtt    map[string]string // by scheme of the device's connection
	process *process
	proxy   *proxy
	client  *client.Client
}

// rig is the district under test.
type rig struct {
	bin, dir string
	nodes    []*node
	wires    *wires
	ports    *ports
	book     *book
	say      func(format string, args ...any)
	token    string
}

// newRig lays out the nodes; nothing runs yet but the proxies.
func newRig(bin, dir string, count int, p *ports, b *book, say func(string, ...any)) (*rig, error) {
	g := &rig{bin: bin, dir: dir, wires: newWires(count), ports: p, book: b, say: say}
	for i := range count {
		if err := g.lay(i); err != nil {
			return g, err
		}
	}
	return g, nil
}

func (g *rig) lay(i int) error {
	n := &node{index: i, name: fmt.Sprintf("n%d", i+1)}
	n.dir = filepath.Join(g.dir, n.name)
	var free [5]string
	for f := range free {
		var err error
		if free[f], err = g.ports.free(); err != nil {
			return err
		}
	}
	n.url = "http://" + free[1]
	n.mqtt = map[string]string{"screen": "tcp://" + free[2], "speaker": "ssl://" + free[3], "phone": "ws://" + free[4]}
	n.process = &process{
		bin: g.bin, args: []string{"serve", "--data", n.dir}, log: n.dir + ".log", closing: make(chan struct{}),
		note: g.say, told: func(code int, err error) { g.exited(n, code, err) },
	}
	door, err := g.ports.listen()
	if err != nil {
		return err
	}
	n.proxy = newProxy(i, door, free[0], g.wires, g.whose)
	n.listen = []string{
		"--internode", free[0], "--advertise", n.proxy.addr(), "--listen", free[1],
		"--mqtt", free[2], "--mqtt-tls", free[3], "--mqtt-ws", free[4], "--name", n.name,
	}
	g.nodes = append(g.nodes, n)
	return nil
}

// whose says which node dialled a proxy.
func (g *rig) whose(conn net.Conn) int {
	pids := make([]int, len(g.nodes))
	for i, n := range g.nodes {
		pids[i] = n.process.pid()
	}
	return holder(conn, pids)
}

// exited notes an end that nobody ordered.
func (g *rig) exited(n *node, code int, err error) {
	g.say("%s ended by itself with code %d (%v)", n.name, code, err)
	g.book.note(func(h *History) {
		h.Exits = append(h.Exits, Exit{Node: n.index, Code: code, At: time.Now(), Why: fmt.Sprint(err)})
	})
}

// build makes the district: one node, then the others join, then all may vote.
func (g *rig) build(ctx context.Context) error {
	first := g.nodes[0]
	if _, err := g.run(ctx, append([]string{"init", "--data", first.dir, "--district", district}, first.listen...)...); err != nil {
		return err
	}
	token, err := os.ReadFile(filepath.Join(first.dir, "operator.token"))
	if err != nil {
		return fmt.Errorf("reading token: %w", err)
	}
	g.token = strings.TrimSpace(string(token))
	for i, n := range g.nodes {
		if n.client, err = client.New(client.Config{URL: n.url, Token: g.token, Timeout: callTime}); err != nil {
			return err
		}
		if i > 0 {
			if err := g.join(ctx, n); err != nil {
				return fmt.Errorf("joining %s: %w", n.name, err)
			}
		}
		if err := n.process.start(); err != nil {
			return err
		}
		if err := g.await(ctx, n, func(s wire.Status) bool { return s.Ready && s.Quorum }); err != nil {
			return err
		}
	}
	for _, n := range g.nodes {
		if err := g.await(ctx, n, func(s wire.Status) bool { return voters(s) == len(g.nodes) }); err != nil {
			return err
		}
	}
	return g.knowsWhose()
}

// knowsWhose makes sure that the proxies can tell the nodes apart: otherwise they
// would cut nothing, and nothing would be proven.
func (g *rig) knowsWhose() error {
	for _, n := range g.nodes {
		dialled := 0
		for _, other := range g.nodes {
			dialled += other.proxy.from(n.index)
		}
		if dialled == 0 {
			return fmt.Errorf("no connection of %s was recognized; the kernel does not say whose they are", n.name)
		}
	}
	return nil
}

// traffic is how many connections between nodes there were.
func (g *rig) traffic() (known, strange int) {
	for _, n := range g.nodes {
		strange += n.proxy.from(outside)
		for i := range g.nodes {
			known += n.proxy.from(i)
		}
	}
	return known, strange
}

// callTime bounds one call of the API.
const callTime = 6 * time.Second

func (g *rig) join(ctx context.Context, n *node) error {
	invited, err := g.nodes[0].client.Invite(ctx, wire.Invite{Name: n.name})
	if err != nil {
		return err
	}
	_, err = g.run(ctx, append(append([]string{"join", "--data", n.dir}, n.listen...), invited.Token)...)
	return err
}

// run runs the program once and returns what it prints.
func (g *rig) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, g.bin, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("running almenara %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

func voters(s wire.Status) (n int) {
	for _, peer := range s.Nodes {
		if peer.Voter {
			n++
		}
	}
	return n
}

// await asks a node until its status is as wanted.
func (g *rig) await(ctx context.Context, n *node, ok func(wire.Status) bool) error {
	for {
		s, err := n.status(ctx, time.Second)
		if err == nil && ok(s) {
			return nil
		}
		if wait(ctx, 100*time.Millisecond) != nil {
			last, _ := json.Marshal(s)
			return errors.Join(fmt.Errorf("waiting for %s: %w; last status %s", n.name, context.Cause(ctx), last), err)
		}
	}
}

func (n *node) status(ctx context.Context, limit time.Duration) (wire.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return n.client.Status(ctx, false)
}

// leader is the index of the node that says it leads; of several the one with the
// highest term, outside when none answers so.
func (g *rig) leader(ctx context.Context) int {
	found, term := outside, uint64(0)
	for i, n := range g.nodes {
		if s, err := n.status(ctx, 300*time.Millisecond); err == nil && s.Role == "leader" && s.Term >= term {
			found, term = i, s.Term
		}
	}
	return found
}

// stopTime bounds a planned stop: the node's own bound and some grace.
const stopTime = 20 * time.Second

// close ends all that runs.
func (g *rig) close() {
	g.wires.set(func(int, int) link { return link{} })
	done := make(chan struct{}, len(g.nodes))
	for _, n := range g.nodes {
		go func() {
			if err := n.process.close(stopTime); err != nil {
				g.say("stopping %s: %v", n.name, err)
			}
			done <- struct{}{}
		}()
	}
	for range g.nodes {
		<-done
	}
	for _, n := range g.nodes {
		n.proxy.close()
		if n.client != nil {
			n.client.Close()
		}
	}
}
