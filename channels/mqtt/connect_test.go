package mqtt

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v5packets "github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
)

func TestConnect_Refusals(t *testing.T) {
	tests := map[string]struct {
		change func(*connectFields)
		auth   error
		v3, v5 byte // CONNACK code
	}{
		"wrong secret":       {change: func(f *connectFields) { f.password = "guess" }, v3: 4, v5: 0x86},
		"unknown device":     {change: func(f *connectFields) { f.clientID, f.username = "lift-9", "lift-9" }, v3: 4, v5: 0x86},
		"other client id":    {change: func(f *connectFields) { f.clientID = "lift-2" }, v3: 2, v5: 0x85},
		"no client id":       {change: func(f *connectFields) { f.clientID, f.username = "", "" }, v3: 2, v5: 0x85},
		"wildcard client id": {change: func(f *connectFields) { f.clientID, f.username = "+", "+" }, v3: 2, v5: 0x85},
		"forged alert as will": {change: func(f *connectFields) {
			f.willTopic = contract.TopicAlert("lift-2", string(alertID("flood")))
		}, v3: 5, v5: 0x87},
		"will of another device": {change: func(f *connectFields) { f.willTopic = contract.TopicState("lift-2") }, v3: 5, v5: 0x87},
		"credentials not readable": {
			change: func(*connectFields) {}, auth: errors.New("disk"), v3: 3, v5: 0x88,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bothVersions(t, func(t *testing.T, v5 bool) {
				r := newRig(t)
				r.auth.err = test.auth
				w := r.dial(r.listen(TCP))
				w.send(connectPacket("lift-1", v5, test.change))
				want := test.v3
				if v5 {
					want = test.v5
				}
				p := w.next()
				require.Equal(t, byte(packet.KindConnack), p.kind)
				require.Equal(t, want, p.body[1])
				w.closed()
				require.Zero(t, r.Sessions())
				require.Empty(t, r.hooks.all())
			})
		})
	}
}

func TestConnect_RefusalsOfVersion5(t *testing.T) {
	var zero16 uint16
	var zero32 uint32
	for name, test := range map[string]struct {
		props v5packets.Properties
		want  byte
	}{
		"receive maximum 0":       {v5packets.Properties{ReceiveMaximum: &zero16}, 0x82},
		"maximum packet size 0":   {v5packets.Properties{MaximumPacketSize: &zero32}, 0x82},
		"enhanced authentication": {v5packets.Properties{AuthMethod: "SCRAM"}, 0x8C},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.dial(r.listen(TCP))
			w.send(connectPacket("lift-1", true, func(f *connectFields) { f.props = test.props }))
			require.Equal(t, test.want, w.next().body[1])
			w.closed()
		})
	}
}

func TestConnect_WithoutClientIDOrCredentialIsToldWhy(t *testing.T) {
	for name, b := range map[string][]byte{
		"3.1.1": framed(0x10, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0),
		"5":     framed(0x10, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 0, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			w := newRig(t).dialed(t)
			w.send(b)
			require.Equal(t, map[string]byte{"3.1.1": 2, "5": 0x85}[name], w.next().body[1])
			w.closed()
		})
	}
}

// dialed is a connection over TCP that has said nothing yet.
func (r *rig) dialed(t testing.TB) *wire {
	t.Helper()
	return r.dial(r.listen(TCP))
}

func TestConnect_BadBytesCloseTheConnection(t *testing.T) {
	good := connectPacket("lift-1", false)
	badFlags := connectPacket("lift-1", false)
	badFlags[9] |= 1
	for name, b := range map[string][]byte{
		"not MQTT":                framed(0x10, appendString(nil, "HTTP/1.1 please")...),
		"HTTP":                    []byte("GET / HTTP/1.1\r\n\r\n"),
		"publish first":           publishPacket(false, 0, 0, contract.TopicNow, "x"),
		"reserved flag":           badFlags,
		"truncated":               framed(0x10, good[2:len(good)-3]...),
		"trailing byte":           framed(0x10, append(good[2:len(good):len(good)], 0)...),
		"trailing, version 5":     framed(0x10, append(connectPacket("lift-1", true)[2:], 0)...),
		"length without end":      {0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x01},
		"reserved fixed header":   {0x11, 0},
		"over the first limit":    {0x10, 0xFE, 0x1F}, // 4097 bytes with the header; no more need come
		"packet type 0":           {0x00, 0},
		"version 5 without an id": framed(0x10, 0, 4, 'M', 'Q', 'T', 'T', 5, 0xC2, 0, 60, 0),
		"unknown protocol level":  framed(0x10, 0, 4, 'M', 'Q', 'T', 'T', 6, 0xC2, 0, 60, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			w := r.dial(r.listen(TCP))
			w.send(b)
			p, err := w.read()
			if err == nil { // a refusal that has a code
				require.Equal(t, byte(packet.KindConnack), p.kind)
				require.Contains(t, []byte{0x81, 0x84}, p.body[1])
				_, err = w.read()
			}
			require.Error(t, err)
			require.False(t, isTimeout(err), "connection is still open")
			require.Zero(t, r.Sessions())
		})
	}
}

func TestConnect_Version31IsRefusedInItsOwnWords(t *testing.T) {
	r := newRig(t)
	w := r.dial(r.listen(TCP))
	w.send(framed(0x10, append(appendString(nil, "MQIsdp"), 3, 2, 0, 60, 0, 1, 'x')...))
	w.expect([]byte{0x20, 2, 0, 1})
	w.closed()
}

func TestConnect_TellsVersion5TheTerms(t *testing.T) {
	r := newRig(t)
	w := r.dial(r.listen(TCP))
	expiry := uint32(3600)
	w.send(connectPacket("lift-1", true, func(f *connectFields) {
		f.keepAlive = 0
		f.props.SessionExpiryInterval = &expiry
	}))
	p, err := v5packets.ReadPacket(w)
	require.NoError(t, err)
	ack := p.Content.(*v5packets.Connack)
	require.False(t, ack.SessionPresent)
	require.Equal(t, uint16(300), *ack.Properties.ServerKeepAlive)
	require.Zero(t, *ack.Properties.SessionExpiryInterval)
	require.Equal(t, uint16(64), *ack.Properties.ReceiveMaximum)
	require.Equal(t, uint32(64<<10), *ack.Properties.MaximumPacketSize)
	require.Zero(t, *ack.Properties.SharedSubAvailable)
	require.Zero(t, *ack.Properties.SubIDAvailable)
	require.Nil(t, ack.Properties.TopicAliasMaximum)
}

func TestQuietTime_DoesNotOverflow(t *testing.T) {
	require.Equal(t, 65536500*time.Millisecond, quietTime(43691*time.Second))
	require.Equal(t, 98302500*time.Millisecond, quietTime(65535*time.Second))
	require.Zero(t, quietTime(0))
}

// pipe gives the gateway one end of a pipe, as a listener would give it a socket.
func (r *rig) pipe() *wire {
	ours, theirs := net.Pipe()
	r.t.Cleanup(func() { theirs.Close() })
	out := r.accept.Admit(ours)
	require.NotNil(r.t, out)
	r.begin(out, out, TCP)
	return &wire{Conn: theirs, t: r.t}
}

func TestConnect_MustComeInTime(t *testing.T) {
	for name, first := range map[string][]byte{
		"silence":    nil,
		"half of it": connectPacket("lift-1", false)[:9],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				w := r.pipe()
				if len(first) > 0 {
					w.send(first)
				}
				start := time.Now()
				_, err := w.Conn.Read(make([]byte, 1))
				require.Error(t, err)
				require.Equal(t, 10*time.Second, time.Since(start))
				r.stop()
			})
		})
	}
}

func TestKeepAlive_EndsAfterOneAndAHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		w := r.pipe()
		w.connect("lift-1", func(f *connectFields) {
			f.keepAlive = 20
			f.willTopic, f.willPayload = contract.TopicState("lift-1"), `{"state":"lost","session":5}`
		})
		time.Sleep(25 * time.Second)
		w.ping()
		start := time.Now()
		_ = w.SetReadDeadline(time.Time{})
		_, err := w.Conn.Read(make([]byte, 1))
		require.Error(t, err)
		require.InDelta(t, 30, time.Since(start).Seconds(), 1.1)
		synctest.Wait()
		require.Equal(t, []string{"lift-1 up true", "lift-1 state lost 5", "lift-1 up false"}, r.hooks.all())
		r.stop()
	})
}

func TestKeepAlive_Of43691SecondsIsNotTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		w := r.pipe()
		w.connect("lift-1", func(f *connectFields) { f.keepAlive = 43691 })
		time.Sleep(time.Hour)
		w.ping()
		r.stop()
	})
}

func TestTakeover_EndsTheOldConnectionAtOnce(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		address := r.listen(TCP)
		will := func(f *connectFields) {
			f.willTopic, f.willPayload = contract.TopicState("lift-1"), `{"state":"lost","session":1}`
		}
		old := r.device(address, "lift-1", v5, will)
		young := r.device(address, "lift-1", v5, will)
		if v5 {
			old.expect([]byte{0xE0, 1, 0x8E})
		}
		old.closed() // without a DISCONNECT for 3.1.1
		young.ping()
		require.Equal(t, 1, r.Sessions())
		young.send([]byte{0xE0, 0})
		young.closed()
		r.hooks.awaitTold(t, "lift-1 up false")
		require.Equal(t, []string{"lift-1 up true", "lift-1 up true", "lift-1 up false"}, r.hooks.all())
	})
}

func TestConnect_SecondConnectEndsTheSession(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", true)
	w.send(connectPacket("lift-1", true))
	w.expect([]byte{0xE0, 1, 0x82})
	w.closed()
}

func TestAdmit_LimitsConnectionsAndRate(t *testing.T) {
	t.Run("connections", func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Limits.MaxConnections = 1 })
		address := r.listen(TCP)
		first := r.device(address, "lift-1", false)
		r.dial(address).closed()
		first.ping()
		first.Close()
		r.hooks.awaitTold(t, "lift-1 up false")
	})
	t.Run("rate", func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Limits.AcceptPerSecond, o.Limits.AcceptBurst = 0.001, 2 })
		address := r.listen(TCP)
		r.device(address, "lift-1", false)
		r.device(address, "lift-2", false)
		r.dial(address).closed()
	})
}

func TestStop_IsSafeInEveryOrder(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	require.NoError(t, r.Stop(ctx))
	require.NoError(t, r.Stop(ctx))
	r.Set(holds("after stop"))
	_, err := r.Listen("127.0.0.1:0", TCP)
	require.ErrorIs(t, err, ErrStopped)
}

func TestStop_EndsServeWithErrStopped(t *testing.T) {
	r := newRig(t)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := &awaitedListener{Listener: inner, accepting: make(chan struct{}), served: make(chan struct{})}
	go func() { ln.err = r.Serve(ln, TCP); close(ln.served) }()
	<-ln.accepting
	r.stop()
	<-ln.served
	require.ErrorIs(t, ln.err, ErrStopped)
}

// awaitedListener is slow to close: Serve has returned before Close does.
type awaitedListener struct {
	net.Listener
	accepting, served chan struct{}
	err               error // of Serve
}

func (l *awaitedListener) Accept() (net.Conn, error) {
	close(l.accepting) // it is called once
	return l.Listener.Accept()
}

func (l *awaitedListener) Close() error {
	err := l.Listener.Close()
	select {
	case <-l.served:
	case <-time.After(patience):
	}
	return err
}

func TestStop_TellsVersion5AndClosesAll(t *testing.T) {
	r := newRig(t)
	address := r.listen(TCP)
	v5 := r.device(address, "lift-1", true, func(f *connectFields) { f.willTopic = contract.TopicState("lift-1") })
	v3, stranger := r.device(address, "lift-2", false), r.dial(address)
	r.stop()
	v5.expect([]byte{0xE0, 1, 0x8B})
	v5.closed()
	v3.closed()
	require.NotContains(t, strings.Join(r.hooks.all(), "\n"), "lost", "the node goes, not the device")
	stranger.closed()
	_, err := net.Dial("tcp", address)
	require.Error(t, err)
}

func TestDrop_EndsARevokedDevice(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", true)
	require.False(t, r.Drop("lift-2"))
	require.True(t, r.Drop("lift-1"))
	w.expect([]byte{0xE0, 1, 0x98})
	w.closed()
}

// mistaken is an Auth that answers with another device.
type mistaken struct{}

func (mistaken) Authenticate(context.Context, string, string) (channels.Endpoint, error) {
	return channels.Endpoint{Device: "lift-2"}, nil
}

func TestConnect_AuthThatAnswersWithAnotherDeviceAdmitsNobody(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Auth = mistaken{} })
	w := r.dial(r.listen(TCP))
	w.send(connectPacket("lift-1", false))
	w.expect([]byte{0x20, 2, 0, 3})
	w.closed()
}
