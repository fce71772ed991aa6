package device

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

// letter is a message as paho hands it over.
type letter struct {
	topic    string
	payload  []byte
	retained bool
}

func (l letter) Duplicate() bool   { return false }
func (l letter) Qos() byte         { return 1 }
func (l letter) Retained() bool    { return l.retained }
func (l letter) Topic() string     { return l.topic }
func (l letter) MessageID() uint16 { return 1 }
func (l letter) Payload() []byte   { return l.payload }
func (l letter) Ack()              {}

// postbox is a device that is not connected to anything: the test hands it
// messages as a connection would.
type postbox struct {
	*Device
	t    testing.TB
	link *link
}

func newPostbox(t testing.TB) *postbox {
	d, err := New(options(7, &tower{url: "tcp://127.0.0.1:1"}))
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	return &postbox{Device: d, t: t, link: d.newLink("tcp://127.0.0.1:1")}
}

func (p *postbox) gets(topic string, payload []byte) {
	p.receive(p.link, letter{topic: topic, payload: payload})
}

func (p *postbox) signed(v any) []byte {
	jws, err := signerOf(1).Sign(v)
	require.NoError(p.t, err)
	return jws
}

func bodyNow() contract.Body {
	return contract.Body{
		Alert: "fire", Revision: 1, Digest: "d", Time: time.Now(), Status: "Actual",
		Tier: contract.TierEmergency, Expires: time.Now().Add(time.Hour),
	}
}

func manifestNow() contract.Manifest {
	return contract.Manifest{Time: time.Now(), Node: "A", Version: 1, InForce: []contract.InForce{
		{ID: "fire", Revision: 1, Digest: "d", Expires: time.Now().Add(time.Hour)},
	}}
}

func TestReceive_TakesMessagesInAnyOrder(t *testing.T) {
	for name, order := range map[string][]int{"body first": {0, 1, 2}, "keys first": {2, 1, 0}, "keys in the middle": {1, 2, 0}} {
		t.Run(name, func(t *testing.T) {
			p := newPostbox(t)
			letters := []letter{
				{topic: contract.TopicAlert("lift-7", "fire"), payload: p.signed(bodyNow())},
				{topic: contract.TopicNow, payload: p.signed(manifestNow())},
				{topic: contract.TopicKeys, payload: ringOf(t, time.Now(), 1)},
			}
			for _, i := range order {
				p.gets(letters[i].topic, letters[i].payload)
			}
			require.Equal(t, []string{"fire"}, p.Presenting())
			require.Len(t, p.outbox.Waiting, 2)
		})
	}
}

// TestReceive_LooksAgainWhenTheKeysCameMeanwhile: the body was opened with the
// ring of before, while another goroutine took the new one.
func TestReceive_LooksAgainWhenTheKeysCameMeanwhile(t *testing.T) {
	p := newPostbox(t)
	before := p.ring
	p.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	p.gets(contract.TopicNow, p.signed(manifestNow()))
	m := letter{topic: contract.TopicAlert("lift-7", "fire"), payload: p.signed(bodyNow())}
	p.receiveBody(p.link, before, "fire", m)
	require.Equal(t, []string{"fire"}, p.Presenting())
	require.Empty(t, p.link.waiting)
}

func TestReceive_IgnoresWhatIsNotForIt(t *testing.T) {
	p := newPostbox(t)
	p.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	p.gets(contract.TopicNow, p.signed(manifestNow()))
	jws := p.signed(bodyNow())
	p.receive(p.link, letter{topic: contract.TopicAlert("lift-7", "fire"), payload: jws, retained: true})
	p.gets(contract.TopicAlert("lift-8", "fire"), jws)
	p.receive(&link{}, letter{topic: contract.TopicAlert("lift-7", "fire"), payload: jws}) // an older connection
	require.Empty(t, p.Presenting())
	require.Empty(t, p.outbox.Waiting)

	p.gets(contract.TopicAlert("lift-7", "flood"), jws)
	require.Empty(t, p.Presenting(), "signed, but for another alert")
	require.Equal(t, contract.RungRefused, p.outbox.Waiting[0].Rung)
}

func TestReceive_RefusalsAreToldOncePerConnection(t *testing.T) {
	p := newPostbox(t)
	p.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	jws := p.signed(bodyNow())
	jws[len(jws)-10] ^= 1
	for range 3 {
		p.gets(contract.TopicAlert("lift-7", "fire"), jws)
	}
	require.Len(t, p.outbox.Waiting, 1)
	require.EqualValues(t, 1, p.outbox.Waiting[0].Revision)
}

func TestReceive_WhatWaitsForKeysIsBounded(t *testing.T) {
	p := newPostbox(t)
	for range 3 * maxWaiting {
		p.gets(contract.TopicAlert("lift-7", "fire"), p.signed(bodyNow()))
	}
	require.Len(t, p.link.waiting, maxWaiting)
	select {
	case <-p.link.Lost():
	default:
		t.Fatal("what was dropped is acknowledged, and no node sends it again on this connection")
	}
	require.False(t, p.unlink(p.link), "the next one may bring as much: it is not hurried")
}

// A device that connects while many alerts are in force: their bodies overtake the ring that opens them.
func TestReceive_NoneIsLostThatOvertakesTheKeys(t *testing.T) {
	p := newPostbox(t)
	manifest, bodies, take := manifestNow(), new(sync.WaitGroup), p.link.handler(p.Device)
	manifest.InForce = nil
	const alerts = 3 * maxWaiting
	for i := range alerts {
		body := bodyNow()
		body.Alert = fmt.Sprintf("fire-%d", i)
		manifest.InForce = append(manifest.InForce, contract.InForce{ID: body.Alert, Revision: 1, Digest: "d", Expires: body.Expires})
		m := letter{topic: contract.TopicAlert("lift-7", body.Alert), payload: p.signed(body)}
		bodies.Go(func() { take(nil, m) })
	}
	take(nil, letter{topic: contract.TopicKeys, payload: ringOf(t, time.Now(), 1), retained: true})
	take(nil, letter{topic: contract.TopicNow, payload: p.signed(manifest), retained: true})
	bodies.Wait()
	require.Len(t, p.Presenting(), alerts)
	require.Empty(t, p.link.waiting)
	require.True(t, p.unlink(p.link))
}

// TestReceive_PresentsOneAtATime: what comes while the device presents waits.
func TestReceive_PresentsOneAtATime(t *testing.T) {
	p := newPostbox(t)
	second := bodyNow()
	second.Alert = "flood"
	both := manifestNow()
	both.InForce = append(both.InForce, both.InForce[0])
	both.InForce[1].ID = "flood"
	var order []string
	inside := false
	p.options.Present = func(e rules.Effect) error {
		require.False(t, inside, "presenting twice at once")
		inside = true
		defer func() { inside = false }()
		order = append(order, e.Alert)
		p.gets(contract.TopicAlert("lift-7", "flood"), p.signed(second))
		return nil
	}
	p.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	p.gets(contract.TopicNow, p.signed(both))
	p.gets(contract.TopicAlert("lift-7", "fire"), p.signed(bodyNow()))
	require.Equal(t, []string{"fire", "flood"}, order)
}

func TestReceive_CommandsAreCarriedOut(t *testing.T) {
	p := newPostbox(t)
	var did []string
	p.options.Command = func(c contract.Command) { did = append(did, c.Do) }
	p.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	p.gets(contract.TopicNow, p.signed(manifestNow()))
	c := contract.Command{ID: "c1", Do: "identify", Time: time.Now(), Expires: time.Now().Add(time.Minute)}
	p.gets(contract.TopicCommand("lift-7"), p.signed(c))
	p.gets(contract.TopicCommand("lift-7"), p.signed(c))
	require.Equal(t, []string{"identify"}, did)
}

func TestReceive_ATestNeverTouchesAnAlert(t *testing.T) {
	p := newPostbox(t)
	asked := 0
	p.options.Command = func(contract.Command) { asked++ }
	p.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	p.gets(contract.TopicNow, p.signed(manifestNow()))
	p.gets(contract.TopicAlert("lift-7", "fire"), p.signed(bodyNow()))
	c := contract.Command{ID: "c1", Do: contract.DoTest, Time: time.Now(), Expires: time.Now().Add(time.Minute)}
	p.gets(contract.TopicCommand("lift-7"), p.signed(c))
	require.Zero(t, asked)
	told, _ := LocalOf(p.Device).LastTest()
	require.Equal(t, contract.Tested{ID: "c1", Result: contract.TestBusy, Why: "an alert is presented"}, told)
}

func FuzzReceive(f *testing.F) {
	p := newPostbox(f)
	p.gets(contract.TopicKeys, ringOf(f, time.Now(), 1))
	f.Add(contract.TopicAlert("lift-7", "fire"), p.signed(bodyNow()))
	f.Add(contract.TopicNow, p.signed(manifestNow()))
	f.Add(contract.TopicKeys, ringOf(f, time.Now(), 1))
	f.Add(contract.TopicCommand("lift-7"), []byte("e30.e30.e30"))
	f.Fuzz(func(_ *testing.T, topic string, payload []byte) { p.gets(topic, payload) })
}
