package channeltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	mochipackets "github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/broker"
	"almenara/channels/broker/brokertest"
	"almenara/channels/contract"
)

// brokerRig is the way through an external broker, with plain MQTT clients as
// endpoints that answer each body, as the contract asks.
type brokerRig struct {
	Record
	*broker.Broker
	t        *testing.T
	address  string
	sessions atomic.Uint64
}

func newBrokerRig(t *testing.T, clock Clock) Rig {
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, server.AddHook(&everybody{}, nil))
	address, err := brokertest.Listen(server, "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, server.Serve())
	t.Cleanup(func() { _ = server.Close() })
	r := &brokerRig{t: t, address: address}
	r.Broker, err = broker.New(broker.Options{
		URL: "tcp://" + r.address, ClientID: "node", Directory: r, Receipts: r, Elected: func() bool { return true },
		Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

// Here implements broker.Directory: there is no gateway beside the broker.
func (*brokerRig) Here(string) bool { return false }

// everybody is a broker hook that lets everybody in.
type everybody struct{ mochi.HookBase }

func (*everybody) ID() string { return "everybody" }

func (*everybody) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (*everybody) OnConnectAuthenticate(*mochi.Client, mochipackets.Packet) bool { return true }
func (*everybody) OnACLCheck(*mochi.Client, string, bool) bool                   { return true }

func (r *brokerRig) Endpoint(id string) (channels.Endpoint, bool) {
	var member uint32
	_, err := fmt.Sscanf(id, "member-%d", &member)
	return channels.Endpoint{Device: id, Member: member, Kind: "screen"}, err == nil
}

func (r *brokerRig) Devices(members *roaring.Bitmap) iter.Seq[channels.Endpoint] {
	return func(yield func(channels.Endpoint) bool) {
		for i := members.Iterator(); i.HasNext(); {
			e, _ := r.Endpoint(deviceOf(i.Next()))
			if !yield(e) {
				return
			}
		}
	}
}

// reader is a client that keeps what it gets, each once: a broker's devices may get
// the same again around their arrival, and take it for the same word. What is sent
// again, and when, is tested in the broker's own package.
type reader struct {
	listener
	device string
	seq    uint64
}

func (r *brokerRig) Connect(t testing.TB, member uint32) Endpoint {
	l := &reader{device: deviceOf(member)}
	l.Client = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + r.address).SetClientID(l.device).
		SetProtocolVersion(4).SetAutoReconnect(false).SetDefaultPublishHandler(l.receive))
	t.Cleanup(l.Close)
	wait(t, l.Client.Connect())
	wait(t, l.SubscribeMultiple(map[string]byte{contract.TopicNow: 1, contract.AlertFilter(l.device): 1}, nil))
	state, err := json.Marshal(contract.State{State: contract.StateReady, Session: r.sessions.Add(1)})
	require.NoError(t, err)
	wait(t, l.Publish(contract.TopicState(l.device), 1, true, state))
	require.Eventually(t, func() bool {
		for _, p := range r.Present() {
			if p.Device == l.device {
				return true
			}
		}
		return false
	}, patience, time.Millisecond)
	return l
}

func (l *reader) receive(c paho.Client, m paho.Message) {
	l.mu.Lock()
	again := slices.ContainsFunc(l.got, func(b []byte) bool { return bytes.Equal(b, m.Payload()) })
	l.mu.Unlock()
	if !again {
		l.keep(m.Payload())
	}
	topic, own := contract.ParseDeviceTopic(m.Topic())
	if !own {
		return
	}
	l.seq++
	raw, _ := json.Marshal([]contract.Receipt{{ // a receipt always encodes
		Alert: topic.Alert, Revision: 1, Rung: contract.RungPresented, At: time.Now(), Seq: l.seq,
	}})
	go func() { c.Publish(contract.TopicReceipt(l.device), 1, false, raw).WaitTimeout(patience) }()
}

// Stall is a device that is not there: what does not read at the broker is the
// broker's to bear.
func (r *brokerRig) Stall(testing.TB, uint32) {}

func TestBroker(t *testing.T) { Run(t, newBrokerRig) }
