package present

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// roamWorld is a district in which everything goes wrong at random: links between
// nodes break and heal, devices roam, nodes and devices lose power, clocks are
// wrong, operators warn, correct and cancel wherever they are. The nodes decide with
// the real book and dispatcher, the devices with the real rules; the world carries
// messages between them and holds what the devices do against its own record of
// what is true. Everything follows from the seed and the list of steps.
type roamWorld struct {
	seed    uint64
	random  *rand.Rand // of the running step
	now     time.Time  // the true time
	skew    time.Duration
	partial bool             // updates reference only what came last
	page    int              // bytes of a manifest's page
	places  *channels.Places // who shares a manifest
	nodes   []*roamNode
	devices []*roamDevice
	tales   []*roamTale
	stories map[alert.ID]int // the story of every key that exists

	trace   []string
	failure string
	count   roamCount
}

// roamCount is what the schedules were worth.
type roamCount struct{ starts, replaces, resumes, ended, expired, superseded, musts, dead int }

// roamTale is one message as the world made it, and what it is in truth.
type roamTale struct {
	story  int
	m      *alerts.Message
	to     []uint32 // the members addressed
	expire time.Time
}

// roamNode is a node with its journal, which survives power cuts.
type roamNode struct {
	w          *roamWorld
	i          int
	up         bool
	stale      bool // nobody was there to hear what has changed
	half       int  // nodes in one half reach each other
	offset     time.Duration
	journal    []*roamTale
	has        map[*roamTale]bool
	book       *alerts.Book
	situations *Builder[roamAudience]
	dispatcher *channels.Dispatcher
	plan       *channels.Now
	hybrid     roamClock
	dead       map[int]bool // stories cancelled, as far as this node knows; replaced, never changed
	wake       time.Time    // when the book's picture changes by itself
	refresh    time.Time    // when the next manifest is due
}

var roamKeys = func() (keys []ed25519.PrivateKey) {
	for i := range 3 {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i)
		keys = append(keys, ed25519.NewKeyFromSeed(seed))
	}
	return keys
}()

var quiet = slog.New(slog.DiscardHandler)

func newRoamWorld(seed uint64) *roamWorld {
	w := &roamWorld{seed: seed, now: noon, stories: map[alert.ID]int{}}
	w.random = rand.New(rand.NewPCG(seed, 0))
	w.skew = []time.Duration{time.Second, time.Second, 20 * time.Second, 55 * time.Second}[w.random.IntN(4)]
	w.partial = w.random.IntN(8) == 0
	w.page = []int{channels.MaxBody, 700}[w.random.IntN(2)]
	for i := range 3 {
		n := &roamNode{w: w, i: i, up: true, has: map[*roamTale]bool{}}
		w.nodes = append(w.nodes, n)
		n.boot()
	}
	for i := range 2 {
		d := newRoamDevice(w, uint32(i+1))
		w.devices = append(w.devices, d)
		d.connect(w.nodes[w.random.IntN(3)])
	}
	return w
}

func (w *roamWorld) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%7.1fs ", w.now.Sub(noon).Seconds())+fmt.Sprintf(format, args...))
}

func (w *roamWorld) fail(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf(format, args...)
		w.note("FAILED: %s", w.failure)
	}
}

func (w *roamWorld) within(most time.Duration) time.Duration {
	return time.Duration(w.random.Int64N(int64(most)))
}

// boot starts the node from its journal, with whatever time its clock has.
func (n *roamNode) boot() {
	n.offset = n.w.within(2*n.w.skew) - n.w.skew
	n.book = alerts.NewBook(nil)
	n.situations = NewBuilder(BuilderOptions[roamAudience]{
		Audience: func() roamAudience { return roamAudience{} }, Messages: n.book, Logger: quiet,
		Told: func(alert.ID, alerts.Addressing) (*roaring.Bitmap, error) { return roaring.New(), nil },
	})
	n.dispatcher, _ = channels.NewDispatcher(channels.Options{
		Signer: contract.Signer{KeyID: fmt.Sprint("k", n.i), Key: roamKeys[n.i]}, Node: fmt.Sprint("N", n.i),
		Clock: n.clock, Version: func(last uint64, _ time.Time) uint64 {
			n.hybrid.wall = n.clock()
			version, _ := NextVersion(&n.hybrid, last)
			return version
		},
		Outlets: []channels.Outlet{n}, Logger: quiet, MaxPage: n.w.page,
	})
	for _, t := range n.journal {
		n.book.Add(t.m)
	}
	n.present()
}

// roamClock is a hybrid clock whose ceiling is always on disk.
type roamClock struct {
	wall time.Time
	last uint64
}

func (c *roamClock) Now() (uint64, error) {
	c.last = max(c.last+1, fact.HLC(c.wall))
	return c.last, nil
}

func (c *roamClock) Observe(hlc uint64) bool {
	c.last = max(c.last, hlc)
	return true
}

func (n *roamNode) clock() time.Time { return n.w.now.Add(n.offset) }

// Proves implements channels.Outlet.
func (*roamNode) Proves() []receipt.Rung { return nil }

// Set implements channels.Outlet.
func (n *roamNode) Set(now *channels.Now) { n.plan = now }

// learn is a fact that is durable here.
func (n *roamNode) learn(t *roamTale) bool {
	if n.has[t] {
		return false
	}
	n.has[t] = true
	n.journal = append(n.journal, t)
	_, fresh := n.book.Add(t.m)
	return fresh
}

// present does what the presenter does, for an audience that the message names.
func (n *roamNode) present() {
	n.stale = !n.up || !slices.ContainsFunc(n.w.devices, func(d *roamDevice) bool { return d.at == n })
	if n.stale { // whoever comes next sees what holds then
		return
	}
	p := n.book.At(n.clock())
	for todo := (Todo{Missing: 1}); todo.Missing > 0; {
		var s channels.Situation
		s, todo = n.situations.Build(p.InForce, p.Ended)
		s.Places = n.w.places
		if err := n.dispatcher.Set(s); err != nil {
			n.w.fail("node %d: %v", n.i, err)
		}
	}
	n.wake = time.Time{}
	if !p.Next.IsZero() {
		n.wake = p.Next.Add(-n.offset)
	}
	n.dead = map[int]bool{}
	for _, t := range n.journal {
		if t.cancels(n.w) && (t.m.Entry.Status == alert.StatusActual || n.knows(t.story)) {
			n.dead[t.story] = true
		}
	}
	n.refresh = n.w.now.Add(channels.ManifestEvery)
	for _, d := range n.w.devices {
		d.push(n)
	}
}

// knows reports whether the node has a message of the story: a drill's Cancel has no effect
// before, because it might name a real alert.
func (n *roamNode) knows(story int) bool {
	return slices.ContainsFunc(n.journal, func(t *roamTale) bool {
		return t.story == story && t.m.Entry.MsgType != alert.MsgTypeCancel
	})
}

// roamAudience is the members that a selection names: sets of them, by the name of the set.
type roamAudience struct{}

func (roamAudience) Generation() uint64           { return 0 }
func (roamAudience) Groups(int) []*roaring.Bitmap { return nil }
func (roamAudience) Resolve(t audience.Target) (lookup.Resolution, error) {
	members := roaring.New()
	for _, member := range t.Addresses {
		members.Add(uint32(member[0] - '0'))
	}
	return lookup.Resolution{Members: members}, nil
}

// cancels is the world's own opinion of what ends a story: a Cancel of its status, or
// a real one.
func (t *roamTale) cancels(w *roamWorld) bool {
	e := t.m.Entry
	return e.MsgType == alert.MsgTypeCancel && (e.Status == alert.StatusActual || e.Status == w.statusOf(t.story))
}

func (w *roamWorld) statusOf(story int) alert.Status {
	for _, t := range w.tales {
		if t.story == story {
			return t.m.Entry.Status
		}
	}
	return ""
}

// gossip is anti-entropy between all that reach each other.
func (w *roamWorld) gossip() {
	for _, to := range w.nodes {
		fresh := false
		for _, from := range w.nodes {
			if from == to || !from.up || !to.up || from.half != to.half {
				continue
			}
			for _, t := range from.journal {
				fresh = to.learn(t) || fresh
			}
		}
		if fresh {
			w.note("node %d learns", to.i)
			to.present()
		}
	}
}

// tell makes a message at a node. A zero key is a new one.
func (w *roamWorld) tell(n *roamNode, story int, key alert.Key, status alert.Status, kind alert.MsgType, refs []alert.Key) {
	if key.Identifier == "" {
		key = alert.Key{Sender: "w", Identifier: fmt.Sprint("m", len(w.tales)), Sent: alert.NewDateTime(n.clock())}
	}
	t := &roamTale{story: story}
	a := &alert.Alert{
		Identifier: key.Identifier, Sender: key.Sender, Sent: key.Sent, Status: status, MsgType: kind,
		Scope: alert.ScopePublic, References: refs,
	}
	if kind != alert.MsgTypeCancel {
		t.expire = n.clock().Add(20*time.Second + w.within([]time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute}[w.random.IntN(3)]))
		info := alert.Info{
			Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed",
			Headline: fmt.Sprint("h", len(w.tales)), Expires: alert.NewDateTime(t.expire.Truncate(time.Second)),
		}
		t.expire = t.expire.Truncate(time.Second)
		if w.random.IntN(8) == 0 {
			info.Effective = alert.NewDateTime(n.clock().Add(w.within(time.Minute)))
		}
		a.Infos = []alert.Info{info}
		t.to = [][]uint32{{1, 2}, {1, 2}, {1}, {2}, {}}[w.random.IntN(5)]
	}
	fact := fmt.Sprint("f", len(w.tales))
	var targets []audience.Target
	for range a.Infos {
		var to audience.Target
		for _, member := range t.to {
			to.Addresses = append(to.Addresses, fmt.Sprint(member))
		}
		targets = append(targets, to)
	}
	t.m = &alerts.Message{Fact: fact, Issue: factbody.Issue{Targets: targets}, Alert: a, Entry: board.EntryOf(a, a.Digest().String(), n.clock(), fact)}
	w.tales = append(w.tales, t)
	w.stories[key.ID()] = story
	w.note("node %d: %s %s %s of story %d, rev %d, to %v, expires %.0fs", n.i, status, kind, key.Identifier, story,
		t.m.Entry.Revision, t.to, t.expire.Sub(noon).Seconds())
	n.learn(t)
	n.present()
}

// payload reads what was signed. The signature is for other tests.
func payload[T any](jws []byte) (v T) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(string(jws), ".")[1])
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		panic(err)
	}
	return v
}
