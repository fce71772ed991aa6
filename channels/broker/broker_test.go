package broker

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

func TestBroker_DevicesProveThroughIt(t *testing.T) {
	const size = 30
	x := newExchange(t)
	f := newOffice(t, 1, x, true)
	it := fire("fire", size)
	f.set(t, it)
	fleet := crowd(t, x, size)
	reach(t, fleet, func(p device.Progress) bool { return p.Alerts[keyOf(it)].Proven == size })
	soon(t, func() bool { return f.proven(it.Alert, receipt.Presented) == size }, "all receipts are taken")
	require.Zero(t, fleet.Progress().Alerts[keyOf(it)].Twice)
	soon(t, func() bool { s := f.Status(); return s.Devices == size && s.Unanswered == 0 }, "all are there and have answered")

	second := fire("second", size)
	f.set(t, it, second) // to who is connected
	soon(t, func() bool { return f.proven(second.Alert, receipt.Presented) == size }, "the second alert is proven")
	f.set(t) // both are over for who comes now
	fleet.Stop()
	soon(t, func() bool { return f.Status().Devices == 0 }, "they have said goodbye")
}

// A broker that is gone and comes back with nothing: what was in force meanwhile is
// with every device, once, and every proof is here.
func TestBroker_ItsRestartLosesNothing(t *testing.T) {
	const size = 20
	x := newExchange(t)
	f := newOffice(t, 1, x, true)
	first, second, third := fire("first", size), fire("second", size), fire("third", size)
	f.set(t, first)
	fleet := crowd(t, x, size)
	soon(t, func() bool { return f.proven(first.Alert, receipt.Presented) == size }, "before")
	x.stop()
	soon(t, func() bool { return !f.Status().Connected }, "the loss is seen")
	f.set(t, first, second)
	x.start()
	soon(t, func() bool { return f.proven(second.Alert, receipt.Presented) == size }, "what began while it was away")
	f.set(t, first, second, third)
	x.stop() // in the middle of it
	x.start()
	soon(t, func() bool { return f.proven(third.Alert, receipt.Presented) == size }, "what was under way")
	for _, it := range []device.Revision{keyOf(first), keyOf(second), keyOf(third)} {
		require.Zero(t, fleet.Progress().Alerts[it].Twice)
	}
}

// The broker acknowledges receipts and loses them: the body goes out again, and
// devices answer again without beginning again.
func TestBroker_LostReceiptsAreAskedForAgain(t *testing.T) {
	const size = 10
	x := newExchange(t)
	x.lose.Store(2 * size)
	f := newOffice(t, 1, x, true)
	it := fire("fire", size)
	f.set(t, it)
	fleet := crowd(t, x, size)
	soon(t, func() bool { return f.proven(it.Alert, receipt.Presented) == size }, "all prove in the end")
	require.Zero(t, fleet.Progress().Alerts[keyOf(it)].Twice)
}

func TestBroker_OnlyTheElectedOnePublishesAndTheNextInheritsReceipts(t *testing.T) {
	const size = 10
	x := newExchange(t)
	a, b := newOffice(t, 1, x, true), newOffice(t, 2, x, false)
	a.mu.Lock()
	a.holding = true // it dies before the majority has them
	a.mu.Unlock()
	it := fire("fire", size)
	soon(t, func() bool { return b.Status().Connected && a.Status().Connected }, "both are linked")
	a.set(t, it)
	b.set(t, it)
	fleet := crowd(t, x, size)
	reach(t, fleet, func(p device.Progress) bool { return p.Alerts[keyOf(it)].Proven == size })
	soon(t, func() bool { b.mu.Lock(); defer b.mu.Unlock(); return true }, "")
	require.Zero(t, b.proven(it.Alert, receipt.Presented))
	require.False(t, b.Status().Publisher)
	a.stop()
	b.elected.Store(true)
	soon(t, func() bool { return b.proven(it.Alert, receipt.Presented) == size }, "the next publisher has them all")
	require.Zero(t, fleet.Progress().Alerts[keyOf(it)].Twice)
}

func TestBroker_WhatCannotBeKeptIsKeptLater(t *testing.T) {
	x := newExchange(t)
	f := newOffice(t, 1, x, true, func(o *Options) { o.Resend = time.Hour })
	f.failing = 5
	it := fire("fire", 4)
	f.set(t, it)
	crowd(t, x, 4)
	soon(t, func() bool {
		return f.proven(it.Alert, receipt.Presented) == 4 && f.proven(it.Alert, receipt.Verified) == 4
	}, "every rung is kept in the end")
}

// An acknowledgement to the broker means durable: what was taken and not made durable
// comes again with the next link of the same node.
func TestBroker_AcknowledgesWhatIsDurable(t *testing.T) {
	x := newExchange(t)
	f := newOffice(t, 1, x, true, func(o *Options) { o.Resend = time.Hour })
	f.holding = true
	soon(t, func() bool { return f.Status().Connected }, "linked")
	id := alert.Key{Sender: "a", Identifier: "b"}.ID()
	c := raw(t, x, "lift-1")
	tell(t, c, contract.TopicReceipt("lift-1"), payload(t, []contract.Receipt{{
		Alert: string(id), Revision: 1, Rung: contract.RungPresented, At: time.Now(), Seq: 1,
	}}))
	soon(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.held) == 1 }, "it is held")
	f.stop()
	again := newOffice(t, 1, x, true)
	soon(t, func() bool { return again.proven(id, receipt.Presented) == 1 }, "it comes again")
}

func TestBroker_RefusesWhatItCannotRead(t *testing.T) {
	x := newExchange(t)
	f := newOffice(t, 1, x, true)
	soon(t, func() bool { return f.Status().Publisher }, "linked")
	id := string(alert.Key{Sender: "a", Identifier: "b"}.ID())
	good := contract.Receipt{Alert: id, Revision: 1, Rung: contract.RungPresented, At: time.Now(), Seq: 1}
	c := raw(t, x, "lift-1")
	for topic, body := range map[string][]byte{
		contract.TopicReceipt("lift-1"):    []byte(`[{"alert":`),
		contract.TopicReceipt("stranger"):  payload(t, []contract.Receipt{good}),
		contract.TopicReceipt("lift-5000"): payload(t, []contract.Receipt{good}),
		contract.TopicState("lift-1"):      []byte(`{"state":7}`),
		contract.TopicState("stranger"):    payload(t, contract.State{State: contract.StateReady, Session: 1}),
		"almenara/1/device/../receipt":     []byte("x"),
		contract.TopicAlert("lift-1", id):  []byte("forged"),
	} {
		tell(t, c, topic, body)
	}
	tell(t, c, contract.TopicReceipt("lift-1"), payload(t, []contract.Receipt{good}))
	soon(t, func() bool { return f.proven(alert.ID(id), receipt.Presented) == 1 }, "the good one is taken")
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Len(t, f.got, 1)
	require.Equal(t, uint32(1), f.got[0].Member)
}

// The manifest is not retained: a device that comes when nobody publishes must not
// take last night's for news.
func TestBroker_RetainsTheKeysOnly(t *testing.T) {
	x := newExchange(t)
	f := newOffice(t, 1, x, true)
	it := fire("fire", 3)
	f.set(t, it)
	crowd(t, x, 3)
	soon(t, func() bool { return f.proven(it.Alert, receipt.Presented) == 3 }, "told")
	f.stop()
	got := make(chan mqtt.Message, 100)
	c := raw(t, x, "observer")
	token := c.Subscribe("almenara/1/#", 1, func(_ mqtt.Client, m mqtt.Message) { got <- m })
	require.True(t, token.WaitTimeout(patience))
	tell(t, c, "almenara/1/last", nil)
	for m := range got {
		if m.Topic() == "almenara/1/last" {
			return
		}
		topic, _ := contract.ParseDeviceTopic(m.Topic())
		require.True(t, m.Topic() == contract.TopicKeys || topic.Leaf == contract.LeafState, "%s is retained", m.Topic())
	}
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	for _, address := range []string{"", "localhost:1883", "http://host:1", "tcp://", "tcp://user:secret@host:1883"} {
		require.ErrorIs(t, CheckURL(address), ErrOptions, address)
	}
	_, err := New(Options{URL: "tcp://host:1883"})
	require.ErrorIs(t, err, ErrOptions)
}

// answers waits until the broker serves: it must not be stopped while it begins.
func (x *exchange) answers() {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(x.url()).SetClientID("knock").SetProtocolVersion(4))
	require.True(x.t, c.Connect().WaitTimeout(patience))
	c.Disconnect(0)
}

// raw is a stock client without any rules.
func raw(t testing.TB, x *exchange, id string) mqtt.Client {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(x.url()).SetClientID(id).SetProtocolVersion(4))
	require.True(t, c.Connect().WaitTimeout(patience))
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func tell(t testing.TB, c mqtt.Client, topic string, body []byte) {
	token := c.Publish(topic, 1, false, body)
	require.True(t, token.WaitTimeout(patience))
	require.NoError(t, token.Error())
}
