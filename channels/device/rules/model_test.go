package rules

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

// world is a district in which everything goes wrong at random: nodes that know
// different things, a device that roams between them, messages that come late,
// twice or in another order, power cuts. It keeps its own simple record of what
// the device was told, and holds every effect against it.
type world struct {
	t      *testing.T
	random *rand.Rand
	now    time.Time
	nodes  []*node
	at     *node
	rules  *Rules
	mail   []any // what is on the way to the device

	starts map[string]int            // alert/revision: starts and replacements
	over   map[string]uint64         // alert: highest revision that the device was told is over
	top    map[string]uint64         // alert: highest revision that began
	shown  map[string]*contract.Body // what is on the screen
	heard  map[string]bool           // alert/revision listed to the device
	pages  map[string]map[int]bool   // node/version: pages that came on this connection
	whole  bool                      // all pages of some version came on this connection
	trace  []string
}

type node struct {
	name    string
	version uint64
	offset  time.Duration
	inForce map[string]uint64
	ended   map[string]uint64
}

const alerts = 4

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 7)), now: noon, rules: New(),
		starts: map[string]int{}, over: map[string]uint64{}, top: map[string]uint64{},
		shown: map[string]*contract.Body{}, heard: map[string]bool{}, pages: map[string]map[int]bool{},
	}
	for i, name := range []string{"A", "B", "C"} {
		w.nodes = append(w.nodes, &node{
			name: name, offset: time.Duration(i-1) * time.Second, inForce: map[string]uint64{}, ended: map[string]uint64{},
		})
	}
	w.roam()
	return w
}

func (w *world) step() {
	id := fmt.Sprintf("a%d", w.random.IntN(alerts))
	switch n := w.random.IntN(20); {
	case n < 3:
		w.nodes[w.random.IntN(3)].issue(id, uint64(1+w.random.IntN(5)))
	case n < 4:
		if w.random.IntN(4) == 0 {
			w.nodes[w.random.IntN(3)].end(id)
		}
	case n < 5:
		w.gossip(w.nodes[w.random.IntN(3)], w.nodes[w.random.IntN(3)])
	case n < 6:
		w.roam()
	case n < 7:
		w.cutPower()
	case n < 9:
		w.now = w.now.Add(time.Duration(w.random.IntN(20)) * time.Second)
		w.apply(w.rules.Tick(w.now))
	case n < 12:
		w.postManifest()
	case n < 15:
		w.postBody(id)
	default:
		w.deliver()
	}
}

func (n *node) issue(id string, revision uint64) { n.inForce[id] = max(n.inForce[id], revision) }

func (n *node) end(id string) { n.ended[id] = 1 }

// gossip is anti-entropy in one direction.
func (w *world) gossip(from, to *node) {
	for id, revision := range from.inForce {
		to.issue(id, revision)
	}
	for id := range from.ended {
		to.end(id)
	}
}

func (w *world) roam() {
	w.at = w.nodes[w.random.IntN(3)]
	w.rules.Connected()
	clear(w.pages)
	w.whole = false
	if w.random.IntN(2) == 0 {
		w.mail = nil // a clean session
	}
	w.postManifest()
}

func (w *world) cutPower() {
	raw, err := w.rules.Export()
	require.NoError(w.t, err)
	w.rules, err = Import(raw)
	require.NoError(w.t, err)
	clear(w.shown)
	w.mail = nil
	w.roam()
}

// lifetime is short enough that alerts run out while the schedule lasts.
func lifetime(id string) time.Time { return noon.Add(time.Duration(id[1]-'0'+1) * 4 * time.Minute) }

func (n *node) manifest(w *world) contract.Manifest {
	n.version++
	m := contract.Manifest{Time: w.now.Add(n.offset), Node: n.name, Version: n.version}
	for id, revision := range n.inForce {
		if n.ended[id] == 0 && w.now.Before(lifetime(id)) {
			m.InForce = append(m.InForce, contract.InForce{ID: id, Revision: revision, Digest: digest(revision), Expires: lifetime(id)})
		}
	}
	for id := range n.ended {
		m.Ended = append(m.Ended, contract.Ended{ID: id, Revision: n.inForce[id], At: w.now, Why: contract.WhyCancelled})
	}
	return m
}

// postManifest sends what the node knows, on one page or on several, which overtake each
// other like everything.
func (w *world) postManifest() {
	m := w.at.manifest(w)
	pages := 1 + w.random.IntN(3)
	for i := range pages {
		page := m
		if page.InForce, page.Ended = nil, nil; pages > 1 {
			page.Page, page.Pages = i+1, pages
		}
		for n, in := range m.InForce {
			if n%pages == i {
				page.InForce = append(page.InForce, in)
			}
		}
		for n, end := range m.Ended {
			if n%pages == pages-1-i {
				page.Ended = append(page.Ended, end)
			}
		}
		w.post(page)
	}
}

// postBody sends what the node believes in, or any old body: backlog.
func (w *world) postBody(id string) {
	revision := w.at.inForce[id]
	if w.random.IntN(4) == 0 {
		revision = uint64(1 + w.random.IntN(5))
	}
	if revision == 0 {
		return
	}
	status := "Actual"
	if id == "a0" {
		status = "Exercise"
	}
	w.post(contract.Body{
		Alert: id, Revision: revision, Digest: digest(revision), Status: status, Tier: contract.TierEmergency,
		Sound: "siren", Time: w.now.Add(w.at.offset), Expires: lifetime(id),
	})
}

// post puts a message, sometimes twice, somewhere into what is on the way.
func (w *world) post(message any) {
	for range 1 + w.random.IntN(5)/4 {
		i := w.random.IntN(len(w.mail) + 1)
		w.mail = append(w.mail[:i:i], append([]any{message}, w.mail[i:]...)...)
	}
}

func (w *world) deliver() {
	if len(w.mail) == 0 {
		return
	}
	message := w.mail[0]
	w.mail = w.mail[1:]
	w.trace = append(w.trace, fmt.Sprintf("%s: %+v", w.now.Format("04:05"), message))
	switch message := message.(type) {
	case contract.Manifest:
		w.note(message)
		w.count(message)
		effects := w.rules.Manifest(message, w.now)
		w.checkSilence(message, effects)
		w.apply(effects)
	case contract.Body:
		w.apply(w.rules.Body(message, w.now))
	}
}

// note records what the device has now been told.
func (w *world) note(m contract.Manifest) {
	for _, end := range m.Ended {
		w.over[end.ID] = end.Covers()
	}
	for _, in := range m.InForce {
		w.heard[fmt.Sprintf("%s/%d", in.ID, in.Revision)] = true
	}
}

// count notes when a manifest is whole.
func (w *world) count(m contract.Manifest) {
	key := fmt.Sprintf("%s/%d", m.Node, m.Version)
	if w.pages[key] == nil {
		w.pages[key] = map[int]bool{}
	}
	w.pages[key][m.Page] = true
	w.whole = w.whole || len(w.pages[key]) == max(m.Pages, 1)
}

// checkSilence: a manifest that does not mention an alert stops it for one reason
// only, that its time gives the device a clock by which the alert has run out.
func (w *world) checkSilence(m contract.Manifest, effects []Effect) {
	mentioned := map[string]bool{}
	for _, end := range m.Ended {
		mentioned[end.ID] = true
	}
	for _, in := range m.InForce {
		mentioned[in.ID] = true
	}
	for _, e := range effects {
		if e.Action == Stop && !mentioned[e.Alert] && e.Reason == ReasonEnded {
			w.fail("a manifest that does not mention %s ended it", e.Alert)
		}
	}
}

func (w *world) apply(effects []Effect) {
	for _, e := range effects {
		w.trace = append(w.trace, fmt.Sprintf("    %s %s/%d %s%s", e.Action, e.Alert, e.Revision, e.Reason, e.Receipt.Rung))
		switch e.Action {
		case Start, Replace:
			w.began(e)
		case Resume:
			w.check(e)
			w.shown[e.Alert] = e.Body
		case Stop:
			w.stopped(e)
			w.tells(w.rules.Stopped(e.Alert, e.Revision, w.now))
		}
		w.tells([]Effect{e})
		if w.t.Failed() {
			return
		}
	}
	w.checkScreen()
}

// tells holds that nothing is told as shown no more while it is shown.
func (w *world) tells(effects []Effect) {
	for _, e := range effects {
		if b := w.shown[e.Alert]; e.Action == Tell && e.Receipt.Rung == contract.RungCancelled && b != nil && b.Revision == e.Revision {
			w.fail("%s/%d is told as stopped, and is shown", e.Alert, e.Revision)
		}
	}
}

func (w *world) began(e Effect) {
	w.check(e)
	key := fmt.Sprintf("%s/%d", e.Alert, e.Revision)
	if w.starts[key]++; w.starts[key] > 1 {
		w.fail("%s started twice", key)
	}
	if w.higherHeard(e) {
		w.fail("%s began below a revision that was listed", key)
	}
	if e.Revision <= w.top[e.Alert] {
		w.fail("%s began after a higher revision", key)
	}
	w.top[e.Alert] = e.Revision
	if (e.Action == Replace) != (w.shown[e.Alert] != nil) {
		w.fail("%s: %s, but shown is %v", key, e.Action, w.shown[e.Alert])
	}
	if e.Body.Status == "Exercise" && (e.Look.Tier != contract.TierDrill || e.Look.Sound == "siren") {
		w.fail("%s is a drill that looks real", key)
	}
	w.shown[e.Alert] = e.Body
}

// check holds for everything that appears on the screen.
func (w *world) check(e Effect) {
	if !w.whole {
		w.fail("%s/%d appeared before a whole manifest of this connection", e.Alert, e.Revision)
	}
	if e.Revision <= w.over[e.Alert] {
		w.fail("%s/%d appeared after its end was told", e.Alert, e.Revision)
	}
	if !w.rules.Corrected(w.now).Before(e.Body.Expires) {
		w.fail("%s/%d appeared after its expiry", e.Alert, e.Revision)
	}
}

func (w *world) stopped(e Effect) {
	b := w.shown[e.Alert]
	delete(w.shown, e.Alert)
	switch {
	case b == nil || b.Revision != e.Revision:
		w.fail("stopped %s/%d, which was not shown", e.Alert, e.Revision)
	case e.Reason == ReasonEnded && w.over[e.Alert] < e.Revision:
		w.fail("%s stopped as ended without being told", e.Alert)
	case e.Reason == ReasonExpired && w.rules.Corrected(w.now).Before(b.Expires):
		w.fail("%s stopped as expired before its time", e.Alert)
	case e.Reason == ReasonSuperseded && !w.higherHeard(e):
		w.fail("%s/%d stopped as superseded without a higher one", e.Alert, e.Revision)
	}
}

func (w *world) higherHeard(e Effect) bool {
	for revision := e.Revision + 1; revision <= 5; revision++ {
		if w.heard[fmt.Sprintf("%s/%d", e.Alert, revision)] {
			return true
		}
	}
	return false
}

// checkScreen: nothing dead is on the screen after the rules were asked.
func (w *world) checkScreen() {
	for id, b := range w.shown {
		if b.Revision <= w.over[id] {
			w.fail("%s is still shown after its end was told", id)
		}
	}
	require.Len(w.t, w.rules.Presenting(), len(w.shown))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	from := max(0, len(w.trace)-60)
	for _, line := range w.trace[from:] {
		w.t.Log(line)
	}
	w.t.Fatalf(format, args...)
}

func TestRules_HoldUnderAnySchedule(t *testing.T) {
	starts, resumed := 0, 0
	for seed := range uint64(400) {
		w := newWorld(t, seed)
		for range 300 {
			w.step()
		}
		starts += len(w.starts)
		resumed += len(w.shown)
	}
	require.Greater(t, starts, 800, "the schedules are worth something")
	require.Greater(t, resumed, 30)
}
