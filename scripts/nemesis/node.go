//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/cluster/identity"
	"almenara/node/client"
	"almenara/node/wire"
)

// node is one node of the district: its process and a client of its API. In the
// history it goes by its number.
type node struct {
	number  int
	name    string
	dir     string // of everything that is this node's
	data    string // the folder that the node knows
	berth   *berth
	disk    *disk        // nil: the machine's
	disked  sync.RWMutex // guards disk; read-held while a fault of the disk lasts, so that it keeps its owner
	power   sync.Mutex   // held by whoever has taken the process down
	process *process
	client  *client.Client            // the administrator's
	sender  *client.Client            // of the central system that sends; set once it has a token
	people  map[string]*client.Client // of those who press and approve, by name
	id      string                    // raft server id; known once it has joined
}

// rig is the district under test.
type rig struct {
	bin, dir  string // of the program, for its commands; of the run
	serve     string // the program that the nodes run: the same, with a clock that can be set
	wires     *wires
	space     *space // nil: proxies are between the nodes
	berths    []*berth
	usedPorts map[int]bool
	disks     string // the program that is a disk; "" for the machine's own
	seed      uint64
	book      *book
	say       func(format string, args ...any)
	token     string
	people    map[string]string // tokens by name
	sending   string            // the central system's token; "" at first
	ca        []byte            // PEM; nil where the API speaks plain HTTP

	mu      sync.Mutex
	nodes   []*node // all that ever were, oldest first
	members []*node // of the district now, in the order of their berths
}

// newRig lays out berths; nothing runs yet but what is between them.
func newRig(bin, serve, dir string, berths int, namespaces bool, b *book, say func(string, ...any)) (*rig, error) {
	g := &rig{bin: bin, serve: serve, dir: dir, wires: newWires(berths), usedPorts: map[int]bool{}, people: map[string]string{}, book: b, say: say}
	if namespaces {
		var err error
		if g.space, err = newSpace(berths, g.wires); err != nil {
			return g, err
		}
	}
	for i := range berths {
		if err := g.newBerth(i); err != nil {
			return g, err
		}
	}
	return g, nil
}

// lay makes a node for a berth; it does not run yet.
func (g *rig) lay(b *berth) *node {
	n := &node{number: b.number(), name: nodeName(b.number()), berth: b}
	n.dir = filepath.Join(g.dir, n.name)
	n.data = n.dir
	if g.disks != "" {
		n.data = filepath.Join(n.dir, "data")
	}
	n.process = &process{
		bin: g.serve, args: []string{"serve", "--data", n.data}, env: []string{"NEMESIS_CLOCK=" + n.clock()}, log: n.dir + ".log", house: b.house, closing: make(chan struct{}),
		note: g.say, told: func(code int, err error) { g.exited(n, code, err) },
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	b.taken = true
	g.nodes = append(g.nodes, n)
	return n
}

// clock is the file that says by how much the node's clock is wrong.
func (n *node) clock() string { return n.dir + ".clock" }

// now are the members of this moment.
func (g *rig) now() []*node {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.members)
}

// all are the nodes that ever were.
func (g *rig) all() []*node {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.nodes)
}

// admit counts a node among the members.
func (g *rig) admit(n *node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members = append(g.members, n)
	slices.SortFunc(g.members, func(a, b *node) int { return a.berth.index - b.berth.index })
}

// whose says which node dialled a proxy.
func (g *rig) whose(conn net.Conn) int {
	members := g.now()
	pids := make([]int, len(members))
	for i, n := range members {
		pids[i] = n.process.pid()
	}
	if i := holder(conn, pids); i != outside {
		return members[i].berth.index
	}
	return outside
}

// exited notes an end that nobody ordered.
func (g *rig) exited(n *node, code int, err error) {
	g.say("%s ended by itself with code %d (%v)", n.name, code, err)
	g.book.note(func(h *History) {
		h.Exits = append(h.Exits, Exit{Node: n.number, Code: code, At: time.Now(), Why: fmt.Sprint(err)})
	})
}

// build makes the district: one node, then the others join, then all may vote.
func (g *rig) build(ctx context.Context, count int) error {
	for i, b := range g.berths[:count] {
		n := g.lay(b)
		if err := g.found(ctx, n, i == 0); err != nil {
			return fmt.Errorf("making %s: %w", n.name, err)
		}
		if err := g.await(ctx, n, func(s wire.Status) bool { return s.Ready && s.Quorum }); err != nil {
			return err
		}
	}
	for _, n := range g.now() {
		if err := g.await(ctx, n, func(s wire.Status) bool { return voters(s) == count }); err != nil {
			return err
		}
	}
	return g.carries()
}

// found makes the data folder of a node and starts it.
func (g *rig) found(ctx context.Context, n *node, first bool) error {
	if !first {
		return g.arrive(ctx, n, g.now()[0])
	}
	if err := g.spool(ctx, n); err != nil {
		return err
	}
	if _, err := g.run(ctx, n.berth, append([]string{"init", "--data", n.data, "--name", n.name, "--district", district}, n.berth.listen...)...); err != nil {
		return err
	}
	token, err := os.ReadFile(filepath.Join(n.data, "operator.token"))
	if err != nil {
		return fmt.Errorf("reading token: %w", err)
	}
	g.token = strings.TrimSpace(string(token))
	return g.enter(n)
}

// enter starts a node that has a data folder and counts it among the members.
func (g *rig) enter(n *node) error {
	identity, err := identity.Load(filepath.Join(n.data, "identity"))
	if err != nil {
		return err
	}
	n.id = identity.NodeID
	if g.space != nil {
		g.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: identity.District.CA.Raw})
	}
	if n.client, err = g.clientOf(n, g.token); err != nil {
		return err
	}
	if g.sending != "" {
		if n.sender, err = g.clientOf(n, g.sending); err != nil {
			return err
		}
	}
	if err := g.equip(n); err != nil {
		return err
	}
	if err := n.process.start(); err != nil {
		return err
	}
	g.admit(n)
	return nil
}

func (g *rig) clientOf(n *node, token string) (*client.Client, error) {
	return client.New(client.Config{URL: n.berth.url, Token: token, CA: g.ca, Timeout: callTime})
}

// employ gives the central system a token, which may speak for its own sender alone:
// such a one is heard by a node that is alone as well.
func (g *rig) employ(ctx context.Context) error {
	made, err := g.now()[0].client.AddUser(ctx, wire.AddUser{Name: "centre", Roles: []string{"composer"}, Senders: []string{senderName}, System: true})
	if err != nil {
		return fmt.Errorf("adding the central system: %w", err)
	}
	g.sending = made.Token
	for _, n := range g.now() {
		if n.sender, err = g.clientOf(n, g.sending); err != nil {
			return err
		}
	}
	return nil
}

// carries makes sure that what is between the nodes passes through this process and
// can be told apart: otherwise cuts would cut nothing, and nothing would be proven.
func (g *rig) carries() error {
	members := g.now()
	for _, n := range members {
		sent := uint64(0)
		for _, other := range members {
			if other != n {
				sent += g.passed(n.berth.index, other.berth)
			}
		}
		if sent == 0 {
			return fmt.Errorf("nothing that %s sent to the others was recognized; its links cannot be cut", n.name)
		}
	}
	return nil
}

// passed is how much one berth has sent to another: packets, or connections through
// a proxy.
func (g *rig) passed(from int, to *berth) uint64 {
	if g.space != nil {
		return g.space.between(from, to.index)
	}
	return uint64(to.proxy.from(from))
}

// traffic says how much there was between the berths.
func (g *rig) traffic() string {
	between, from := uint64(0), uint64(0)
	for _, to := range g.berths {
		for _, b := range g.berths {
			between += g.passed(b.index, to)
		}
		from += g.passed(outside, to)
	}
	if g.space != nil {
		return fmt.Sprintf("%d packets passed between the nodes, %d came from devices and clients", between, from)
	}
	return fmt.Sprintf("the nodes dialled each other %d times, strangers %d times", between, from)
}

// callTime bounds one call of the API.
const callTime = 6 * time.Second

// run runs the program once, at a berth, and returns what it prints.
func (g *rig) run(ctx context.Context, at *berth, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, g.bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := at.house.start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return out.String(), fmt.Errorf("running almenara %s: %w: %s", args[0], err, out.String())
	}
	return out.String(), nil
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

// leader is the member that says it leads; of several the one with the highest term,
// nil when none answers so.
func (g *rig) leader(ctx context.Context) (found *node) {
	term := uint64(0)
	for _, n := range g.now() {
		if s, err := n.status(ctx, 300*time.Millisecond); err == nil && s.Role == "leader" && s.Term >= term {
			found, term = n, s.Term
		}
	}
	return found
}

// stopTime bounds a planned stop: the node's own bound and some grace.
const stopTime = 20 * time.Second

// close ends all that runs.
func (g *rig) close() {
	g.wires.set(func(int, int) link { return link{} })
	nodes := g.all()
	var ending sync.WaitGroup
	for _, n := range nodes {
		ending.Go(func() {
			if err := n.process.close(stopTime); err != nil {
				g.say("stopping %s: %v", n.name, err)
			}
		})
	}
	ending.Wait()
	for _, n := range nodes {
		for _, c := range append(slices.Collect(maps.Values(n.people)), n.client, n.sender) {
			if c != nil {
				c.Close()
			}
		}
		g.unmount(n)
	}
	for _, b := range g.berths {
		if b.proxy != nil {
			b.proxy.close()
		}
	}
	if g.space != nil {
		g.space.close()
	}
}
