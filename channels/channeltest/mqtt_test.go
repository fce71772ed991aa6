package channeltest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
)

// gatewayRig is the device gateway with plain MQTT clients as endpoints.
type gatewayRig struct {
	Record
	*mqtt.Gateway
	address string
}

func newGatewayRig(t *testing.T, clock Clock) Rig {
	r := &gatewayRig{}
	var err error
	r.Gateway, err = mqtt.New(mqtt.Options{
		Auth: r, Receipts: r, Clock: clock, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, r.Stop(ctx))
	})
	addr, err := r.Listen("127.0.0.1:0", mqtt.TCP)
	require.NoError(t, err)
	r.address = addr.String()
	return r
}

func (r *gatewayRig) Authenticate(_ context.Context, id, _ string) (channels.Endpoint, error) {
	var member uint32
	_, err := fmt.Sscanf(id, "member-%d", &member)
	return channels.Endpoint{Device: id, Member: member, Kind: "screen"}, err
}

func deviceOf(member uint32) string { return fmt.Sprintf("member-%d", member) }

// listener is a client that keeps what it gets.
type listener struct {
	paho.Client
	mu  sync.Mutex
	got [][]byte
}

func (r *gatewayRig) Connect(t testing.TB, member uint32) Endpoint {
	l := &listener{}
	device := deviceOf(member)
	l.Client = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + r.address).SetClientID(device).
		SetUsername(device).SetPassword("x").SetProtocolVersion(4).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { l.keep(m.Payload()) }))
	t.Cleanup(l.Close)
	wait(t, l.Client.Connect())
	wait(t, l.SubscribeMultiple(map[string]byte{contract.TopicNow: 0, contract.AlertFilter(device): 1}, nil))
	return l
}

func wait(t testing.TB, token paho.Token) {
	t.Helper()
	require.True(t, token.WaitTimeout(patience))
	require.NoError(t, token.Error())
}

func (l *listener) keep(payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, payload)
}

func (l *listener) Got() [][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([][]byte(nil), l.got...)
}

func (l *listener) Close() { l.Disconnect(uint(time.Second.Milliseconds())) }

// Stall subscribes like any device and then never reads again.
func (r *gatewayRig) Stall(t testing.TB, member uint32) {
	conn, err := net.Dial("tcp", r.address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	device := deviceOf(member)
	c := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	c.ProtocolName, c.ProtocolVersion, c.CleanSession, c.ClientIdentifier = "MQTT", 4, true, device
	c.UsernameFlag, c.Username, c.PasswordFlag, c.Password = true, device, true, []byte("x")
	require.NoError(t, c.Write(conn))
	s := packets.NewControlPacket(packets.Subscribe).(*packets.SubscribePacket)
	s.MessageID, s.Topics, s.Qoss = 1, []string{contract.TopicNow, contract.AlertFilter(device)}, []byte{0, 1}
	require.NoError(t, s.Write(conn))
	for range 2 { // CONNACK, SUBACK
		_, err := packets.ReadPacket(conn)
		require.NoError(t, err)
	}
}

func TestGateway(t *testing.T) { Run(t, newGatewayRig) }
