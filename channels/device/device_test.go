package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/channels/mqtt"
	"almenara/storage/receipt"
)

func TestDevice_ShowsAndProvesAndAPersonConfirms(t *testing.T) {
	for name, transport := range map[string]mqtt.Transport{"tcp": mqtt.TCP, "websocket": mqtt.WS} {
		t.Run(name, func(t *testing.T) {
			tw := newTower(t, 1, transport)
			keys := ringOf(t, time.Now(), 1)
			require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys}))
			o := options(7, tw)
			o.ConfirmAfter, o.Answer = time.Millisecond, "on my way"
			d := run(t, o)
			soon(t, saw(d, Connected), "connected")

			it := fire(7)
			require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
			soon(t, func() bool { return len(d.Tally(revisionOf(it)).Told) == 3 }, "all told")
			tally := d.Tally(revisionOf(it))
			require.Equal(t, 1, tally.Starts)
			require.Equal(t, []string{"verified", "presented", "acknowledged"}, tally.Told)
			require.ElementsMatch(t, []receipt.Rung{
				receipt.Delivered, receipt.Verified, receipt.Presented, receipt.Acknowledged,
			}, tw.rungs(it.Alert))
			require.Equal(t, []string{string(it.Alert)}, d.Presenting())
			age, heard := d.LastWord()
			require.True(t, heard)
			require.Less(t, age, patience)

			end := contract.Ended{ID: string(it.Alert), Revision: uint64(it.Revision), At: time.Now(), Why: contract.WhyCancelled}
			require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, Ended: []channels.End{{Ended: end}}}))
			soon(t, func() bool { return d.Tally(revisionOf(it)).Reason == rules.ReasonEnded }, "stopped")
			require.Empty(t, d.Presenting())
		})
	}
}

// What was presented and cannot be seen any more is not in the state; the receipts stay what they were.
func TestDevice_TellsOnlyWhatCanBeSeen(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	o := options(7, tw)
	var hidden atomic.Bool
	o.Seen = func(id string) bool { return id == string(it.Alert) && !hidden.Load() }
	d := run(t, o)
	soon(t, func() bool { return tw.said().State == contract.StatePresenting }, "it can be seen")
	require.Equal(t, []string{string(it.Alert)}, tw.said().Presenting)
	hidden.Store(true)
	LocalOf(d).HealthChanged()
	soon(t, func() bool { return tw.said().State == contract.StateReady }, "it is hidden")
	require.Empty(t, tw.said().Presenting)
	require.Equal(t, []string{string(it.Alert)}, d.Presenting(), "it is in force here all the same")
	require.True(t, d.Tally(revisionOf(it)).Proven())
	hidden.Store(false)
	LocalOf(d).HealthChanged()
	soon(t, func() bool { return len(tw.said().Presenting) == 1 }, "it can be seen again")
}

func TestDevice_StartsOnceAcrossNodes(t *testing.T) {
	a, b := newTower(t, 1, mqtt.TCP), newTower(t, 2, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1, 2)
	for _, tw := range []*tower{a, b} {
		require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	}
	d := run(t, options(7, a, b))
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "proven at the first node")
	a.stop()
	soon(t, func() bool { return len(b.rungs(it.Alert)) >= 3 }, "told to the second node as well")
	require.Equal(t, 1, d.Tally(revisionOf(it)).Starts)
	require.Zero(t, d.Tally(revisionOf(it)).Stops)
	require.Contains(t, b.rungs(it.Alert), receipt.Presented)
}

func TestDevice_KeepsReceiptsUntilANodeHasThem(t *testing.T) {
	a, b := newTower(t, 1, mqtt.TCP), newTower(t, 2, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1, 2)
	a.refuseReceipts(true)
	require.NoError(t, a.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	require.NoError(t, b.dispatch.Set(channels.Situation{Keys: keys})) // has not heard of it
	o := options(7, a, b)
	o.Timeout = 200 * time.Millisecond
	d := run(t, o)
	soon(t, func() bool { return d.Tally(revisionOf(it)).Starts == 1 }, "started at the first node")
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "proven at the second")
	require.Equal(t, []receipt.Rung{receipt.Verified, receipt.Presented}, b.rungs(it.Alert))
	require.Equal(t, []string{string(it.Alert)}, d.Presenting(), "a node that knows nothing ends nothing")
}

func TestDevice_RefusesWhatIsForged(t *testing.T) {
	tw := newTower(t, 3, mqtt.TCP) // signs with key 3
	it := fire(7)
	ring := contract.KeyRing{District: "tm", Time: time.Now(), Keys: []contract.Key{
		{ID: signerOf(3).KeyID, Node: "tower", Public: contract.NewKey("", publicOf(seedKey(1)), time.Time{}, time.Time{}).Public},
	}}
	keys, err := contract.Signer{KeyID: "root", Key: rootKey}.Sign(ring)
	require.NoError(t, err)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	d := run(t, options(7, tw))
	soon(t, func() bool { return len(d.Tally(revisionOf(it)).Told) == 1 }, "told as refused")
	require.Equal(t, []string{contract.RungRefused}, d.Tally(revisionOf(it)).Told)
	require.Zero(t, d.Tally(revisionOf(it)).Starts)
	require.Empty(t, d.Presenting())
}

func TestDevice_RefusesKeysThatTheRootDidNotSign(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	kr := contract.KeyRing{District: "tm", Time: time.Now(), Keys: []contract.Key{
		contract.NewKey("tower", publicOf(seedKey(1)), time.Time{}, time.Time{}),
	}}
	keys, err := signerOf(1).Sign(kr)
	require.NoError(t, err)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{fire(7)}}))
	d := run(t, options(7, tw))
	soon(t, saw(d, Refused), "refused")
	require.Empty(t, d.Presenting())
}

func TestDevice_WaitsForTheKeyOfANewNode(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it := fire(7)
	old := ringOf(t, time.Now(), 9)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: old, InForce: []channels.Item{it}}))
	d := run(t, options(7, tw))
	soon(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.link != nil && len(d.link.waiting) >= 2
	}, "body and manifest wait")
	require.NoError(t, tw.dispatch.Set(channels.Situation{
		Keys: ringOf(t, time.Now().Add(time.Second), 1), InForce: []channels.Item{it},
	}))
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "started with the new ring")

	d.receiveKeys(d.link, old)
	d.mu.Lock()
	defer d.mu.Unlock()
	require.Positive(t, d.ring.Len())
	_, err := d.ring.Lookup(signerOf(1).KeyID, time.Now())
	require.NoError(t, err, "an older ring is not taken")
}

func TestDevice_ResumesAfterItsOwnPowerCut(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	var mu sync.Mutex
	var flash []byte
	o := options(7, tw)
	o.Save = func(memory []byte) error {
		mu.Lock()
		defer mu.Unlock()
		flash = memory
		return nil
	}
	o.Present = func(e rules.Effect) error {
		mu.Lock()
		defer mu.Unlock()
		require.NotEmpty(t, flash, "stored before it is carried out")
		return nil
	}
	first := run(t, o)
	soon(t, func() bool { return first.Tally(revisionOf(it)).Proven() }, "proven")
	first.Stop()

	mu.Lock()
	o.Memory = flash
	mu.Unlock()
	// A device without a clock cannot know how old the manifest is that it heard
	// last, and waits for the next one.
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	second := run(t, o)
	soon(t, func() bool { return second.Tally(revisionOf(it)).Resumes == 1 }, "resumed")
	require.Zero(t, second.Tally(revisionOf(it)).Starts)
	numbered := func(d *Device) (seq, session uint64) { // the second one still hears and tells
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.outbox.Seq, d.session
	}
	firstSeq, firstSession := numbered(first)
	secondSeq, secondSession := numbered(second)
	require.GreaterOrEqual(t, secondSeq, firstSeq)
	require.Greater(t, secondSession, firstSession)
	require.ErrorIs(t, first.Start(), ErrStopped)
}

func TestDevice_TellsWhenItCouldNotShow(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1)
	o := options(7, tw)
	o.Present = func(rules.Effect) error { return errors.New("no panel") }
	d := run(t, o)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	soon(t, func() bool { return len(d.Tally(revisionOf(it)).Told) == 2 }, "told")
	require.Equal(t, []string{"verified", "failed"}, d.Tally(revisionOf(it)).Told)
	require.NotContains(t, tw.rungs(it.Alert), receipt.Presented)
}

func TestDevice_IsNotShownWhatIsForOthers(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it, keys := fire(8), ringOf(t, time.Now(), 1)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	addressed, other := run(t, options(8, tw)), run(t, options(7, tw))
	soon(t, func() bool { return addressed.Tally(revisionOf(it)).Proven() }, "the addressed one shows it")
	soon(t, func() bool { _, heard := other.LastWord(); return heard }, "the other one is up")
	require.Empty(t, other.Presenting())
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	good := options(7, &tower{url: "tcp://127.0.0.1:1"})
	for name, spoil := range map[string]func(*Options){
		"id":     func(o *Options) { o.ID = "a/b" },
		"server": func(o *Options) { o.Servers = nil },
		"root":   func(o *Options) { o.RootKey = nil },
		"memory": func(o *Options) { o.Memory = []byte("{") },
		"answer": func(o *Options) { o.Answer = string(make([]byte, contract.MaxAnswer+1)) },
	} {
		o := good
		spoil(&o)
		_, err := New(o)
		require.Error(t, err, name)
	}
	d, err := New(good)
	require.NoError(t, err)
	d.Stop()
	d.Stop()
	require.ErrorIs(t, d.Start(), ErrStopped)
}

func FuzzClaimedRevision(f *testing.F) {
	f.Add([]byte("e30.eyJyZXZpc2lvbiI6N30.x"))
	f.Add([]byte("a.b"))
	f.Fuzz(func(_ *testing.T, jws []byte) { contract.ClaimedRevision(jws) })
}

func TestNew_GoesOnWhereTheMemoryEnds(t *testing.T) {
	o := options(7, &tower{url: "tcp://127.0.0.1:1"})
	o.Memory = []byte(`{"rules":{"alerts":[],"versions":{}},"session":9999999999999,"outbox":{"seq":41,"waiting":[` +
		`{"alert":"a","revision":1,"rung":"presented","at":"2026-07-20T12:00:00Z","seq":41}]}}`)
	d, err := New(o)
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	require.Len(t, d.outbox.Batch(), 1, "what no node has acknowledged is still told")
	d.outbox.Add(contract.Receipt{Alert: "a"})
	require.EqualValues(t, 42, d.outbox.Waiting[1].Seq)
	d.newLink(o.Servers[0])
	require.EqualValues(t, 10_000_000_000_000, d.session, "sessions never repeat")
}

func TestRun_EndsWithItsContext(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	d, err := New(options(7, tw))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	soon(t, saw(d, Connected), "connected")
	cancel()
	require.NoError(t, <-ended)
	require.ErrorIs(t, d.Run(t.Context()), ErrStopped)
	soon(t, func() bool { return !tw.gateway.Connected("lift-7") }, "it said goodbye")
}

func TestDevice_SaysWhatItKnowsOfItself(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it := fire(1)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: ringOf(t, time.Now(), 1), InForce: []channels.Item{it}}))
	d := run(t, options(1, tw))
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "it is proven")
	d.mu.Lock()
	defer d.mu.Unlock()
	h := (&link{queued: 3}).known(map[string]string{"level": "C"}, d.ring, d.drawn, d.drawnAt)
	require.Equal(t, []string{"C", "3", string(it.Alert) + "/" + fmt.Sprint(it.Revision)}, []string{h["level"], h["queued"], h["drawn"]})
	at, err := time.Parse(time.RFC3339, h["keys"])
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	full := map[string]string{}
	for i := range contract.MaxHealth {
		full[fmt.Sprint(i)] = "x"
	}
	require.Len(t, (&link{queued: 3}).known(full, d.ring, d.drawn, d.drawnAt), contract.MaxHealth, "no more than a state may hold")
}
