// Package channeltest is the conformance suite of channels: every Outlet passes
// Run, so that the dispatcher need not know which ones there are.
package channeltest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// patience bounds every wait for an endpoint.
const patience = 10 * time.Second

// Rig is an outlet under test and the world of its endpoints.
type Rig interface {
	channels.Outlet

	// Connect brings up the endpoint of a member and returns when the outlet would
	// give it what holds. It ends with the test.
	Connect(t testing.TB, member uint32) Endpoint

	// Stall brings up the endpoint of a member that takes nothing.
	Stall(t testing.TB, member uint32)

	// Told are the rungs of all receipts that the outlet has handed over.
	Told() []receipt.Rung
}

// Record keeps the rungs of what an outlet hands over; it is the channels.Receipts of a rig.
type Record struct {
	mu    sync.Mutex
	rungs []receipt.Rung
}

// Take implements channels.Receipts.
func (k *Record) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	k.mu.Lock()
	for _, r := range rs {
		k.rungs = append(k.rungs, r.Rung)
	}
	k.mu.Unlock()
	done(nil)
}

// Told implements Rig.
func (k *Record) Told() []receipt.Rung {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.rungs)
}

// Endpoint is one connected endpoint. Its methods may be called at any time.
type Endpoint interface {
	// Got returns the bodies and manifests that arrived, in order.
	Got() [][]byte
	// Close ends the connection.
	Close()
}

// Clock is a time of day.
type Clock func() time.Time

// Run holds an outlet to the contract. factory makes a fresh rig for each rule, whose outlet
// goes by clock.
func Run(t *testing.T, factory func(t *testing.T, clock Clock) Rig) {
	for name, rule := range map[string]func(*testing.T, Rig){
		"what holds goes to who is connected":       toConnected,
		"what holds goes to who connects later":     toLateComers,
		"what holds no more goes to nobody":         notWhatIsOver,
		"who is not addressed gets nothing":         notToOthers,
		"the same again sends no body again":        notTwice,
		"who is added later gets it, others do not": toAdded,
		"a stalled endpoint delays nobody":          notDelayed,
		"it tells no rung that it does not prove":   provesWhatItTells,
	} {
		t.Run(name, func(t *testing.T) { rule(t, factory(t, time.Now)) })
	}
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run("a node's time is not the machine's, which is an hour "+name, func(t *testing.T) {
			clock := func() time.Time { return time.Now().Round(0).Add(-off) }
			byItsOwnClock(t, factory(t, clock), clock)
		})
	}
}

// now is a Now with one body for each alert named, all for the same members. The
// last letter of a manifest counts up, so that every one is new.
func now(manifest string, members []uint32, bodies ...string) *channels.Now {
	n := &channels.Now{Listings: ToAll([]byte(manifest)), Active: []channels.Delivery{}}
	for _, body := range bodies {
		n.Active = append(n.Active, channels.Delivery{
			Alert: idOf(body), Revision: 1, Expires: time.Now().Add(time.Hour),
			Body: []byte(body), To: roaring.BitmapOf(members...),
		})
	}
	return n
}

func idOf(name string) alert.ID {
	return alert.Key{Sender: "channeltest", Identifier: name}.ID()
}

// gets waits until the endpoint has a message, and demands that it came once.
func gets(t *testing.T, e Endpoint, message string) {
	t.Helper()
	require.Eventually(t, func() bool { return times(e, message) > 0 }, patience, 2*time.Millisecond, "%s is missing", message)
	require.Equal(t, 1, times(e, message), "%s came more than once", message)
}

func times(e Endpoint, message string) int {
	n := 0
	for _, got := range e.Got() {
		if bytes.Equal(got, []byte(message)) {
			n++
		}
	}
	return n
}

func toConnected(t *testing.T, r Rig) {
	r.Set(now("m1", nil))
	e := r.Connect(t, 1)
	gets(t, e, "m1")
	r.Set(now("m2", []uint32{1}, "fire", "flood"))
	gets(t, e, "fire")
	gets(t, e, "flood")
	gets(t, e, "m2")
}

// byItsOwnClock: what ends in half an hour by the node's clock is over by a machine's that is
// an hour ahead, and reaches who is connected and who comes later all the same.
func byItsOwnClock(t *testing.T, r Rig, clock Clock) {
	lasting := func(manifest string, bodies ...string) *channels.Now {
		n := now(manifest, []uint32{1, 2}, bodies...)
		for i := range n.Active {
			n.Active[i].Expires = clock().Add(30 * time.Minute)
		}
		return n
	}
	first := r.Connect(t, 1)
	r.Set(lasting("m1", "fire"))
	gets(t, first, "fire")
	gets(t, first, "m1")
	r.Set(lasting("m2", "fire", "flood"))
	gets(t, first, "flood")
	gets(t, first, "m2")
	later := r.Connect(t, 2)
	gets(t, later, "fire")
	gets(t, later, "flood")
	gets(t, later, "m2")
}

func toLateComers(t *testing.T, r Rig) {
	r.Set(now("m1", []uint32{1}, "fire"))
	e := r.Connect(t, 1)
	gets(t, e, "fire")
	gets(t, e, "m1")
	e.Close()
	again := r.Connect(t, 1)
	gets(t, again, "fire")
}

func notWhatIsOver(t *testing.T, r Rig) {
	r.Set(now("m1", []uint32{1}, "fire"))
	r.Set(now("m2", nil))
	e := r.Connect(t, 1)
	gets(t, e, "m2")
	r.Set(now("m3", nil))
	gets(t, e, "m3")
	require.Zero(t, times(e, "fire"), "backlog")
	require.Zero(t, times(e, "m1"), "an old manifest")
}

func notToOthers(t *testing.T, r Rig) {
	r.Set(now("m1", []uint32{2}, "fire"))
	other, addressed := r.Connect(t, 1), r.Connect(t, 2)
	gets(t, addressed, "fire")
	r.Set(now("m2", []uint32{2}, "fire"))
	gets(t, other, "m2")
	require.Zero(t, times(other, "fire"))
}

func notTwice(t *testing.T, r Rig) {
	e := r.Connect(t, 1)
	holds := now("m1", []uint32{1}, "fire")
	r.Set(holds)
	gets(t, e, "fire")
	for i := range 3 {
		manifest := fmt.Appendf(nil, "n%d", i)
		next := &channels.Now{Listings: ToAll(manifest), Active: slices.Clone(holds.Active)}
		r.Set(next)
		gets(t, e, string(manifest))
	}
	gets(t, e, "fire")
}

func toAdded(t *testing.T, r Rig) {
	first, second := r.Connect(t, 1), r.Connect(t, 2)
	holds := now("m1", []uint32{1}, "fire")
	r.Set(holds)
	gets(t, first, "fire")
	added := &channels.Now{Listings: ToAll([]byte("m2")), Active: slices.Clone(holds.Active)}
	added.Active[0].To = roaring.BitmapOf(1, 2)
	r.Set(added)
	gets(t, second, "fire")
	gets(t, first, "m2")
	gets(t, first, "fire")
}

func notDelayed(t *testing.T, r Rig) {
	r.Stall(t, 1)
	e := r.Connect(t, 2)
	start := time.Now()
	for i := range 200 {
		body := fmt.Sprintf("%d %s", i, bytes.Repeat([]byte("x"), 8<<10))
		r.Set(now(fmt.Sprintf("m%d", i), []uint32{1, 2}, body))
	}
	require.Less(t, time.Since(start), patience, "Set waits for an endpoint")
	r.Set(now("last", []uint32{1, 2}, "all clear"))
	gets(t, e, "all clear")
	gets(t, e, "last")
}

// provesWhatItTells: what an endpoint answers comes as rungs that the channel says it can
// prove.
func provesWhatItTells(t *testing.T, r Rig) {
	e := r.Connect(t, 1)
	r.Set(now("m1", []uint32{1}, "fire"))
	gets(t, e, "fire")
	require.Eventually(t, func() bool { return len(r.Told()) > 0 }, patience, 2*time.Millisecond, "nothing was told")
	for _, rung := range r.Told() {
		require.Contains(t, r.Proves(), rung)
	}
}

// ToAll is what Now.Listings is without Places: one manifest, of these pages.
func ToAll(pages ...[]byte) []*channels.Listing { return []*channels.Listing{{Pages: pages}} }
