package mqtt

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	v5packets "github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/channeltest"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// patience bounds every wait of these tests.
const patience = 5 * time.Second

// rig is a gateway with everything around it played by the test.
type rig struct {
	*Gateway
	t        testing.TB
	receipts *fakeReceipts
	hooks    *fakeHooks
	auth     *fakeAuth
}

func newRig(t testing.TB, change ...func(*Options)) *rig {
	r := &rig{t: t, receipts: &fakeReceipts{}, hooks: &fakeHooks{}, auth: &fakeAuth{}}
	r.receipts.news, r.hooks.news = newNews(), newNews()
	o := Options{
		Auth: r.auth, Receipts: r.receipts, Hooks: r.hooks,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	r.Gateway, err = New(o)
	require.NoError(t, err)
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(r.t, r.Stop(ctx))
}

// listen serves one transport on a free port.
func (r *rig) listen(t Transport) string {
	addr, err := r.Listen("127.0.0.1:0", t)
	require.NoError(r.t, err)
	return addr.String()
}

// secretOf is every device's secret.
func secretOf(device string) string { return "secret of " + device }

// members are the devices that exist, by name.
var members = map[string]uint32{"lift-1": 1, "lift-2": 2, "speaker-3": 3}

type fakeAuth struct {
	err error
}

func (a *fakeAuth) Authenticate(_ context.Context, device, secret string) (channels.Endpoint, error) {
	if a.err != nil {
		return channels.Endpoint{}, a.err
	}
	member, ok := members[device]
	if !ok {
		_, err := fmt.Sscanf(device, "bulk-%d", &member)
		ok = err == nil
	}
	if !ok || secret != secretOf(device) {
		return channels.Endpoint{}, ErrCredential
	}
	return channels.Endpoint{Device: device, Member: member, Kind: "screen", Loud: device == "speaker-3"}, nil
}

// news wakes whoever waits for something to happen.
type news struct {
	mu      sync.Mutex
	changed chan struct{}
}

func newNews() *news { return &news{changed: make(chan struct{})} }

// tell runs f and wakes all who wait.
func (n *news) tell(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

// await waits until ok, which is called under the lock, is true.
func (n *news) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		n.mu.Lock()
		done, changed := ok(), n.changed
		n.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			require.FailNow(t, "waited in vain", what)
		}
	}
}

// fakeReceipts keeps what it is given. With hold, done is left to the test.
type fakeReceipts struct {
	*news
	hold  bool
	err   error
	taken []receipt.Receipt
	dones []func(error)
}

func (f *fakeReceipts) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	var err error
	var hold bool
	f.tell(func() {
		f.taken = append(f.taken, rs...)
		hold, err = f.hold, f.err
		if hold {
			f.dones = append(f.dones, done)
		}
	})
	if !hold {
		done(err)
	}
}

func (f *fakeReceipts) awaitRung(t testing.TB, member uint32, rung receipt.Rung) receipt.Receipt {
	t.Helper()
	var found receipt.Receipt
	f.await(t, fmt.Sprintf("receipt of rung %d", rung), func() bool {
		i := slices.IndexFunc(f.taken, func(r receipt.Receipt) bool { return r.Member == member && r.Rung == rung })
		if i >= 0 {
			found = f.taken[i]
		}
		return i >= 0
	})
	return found
}

func (f *fakeReceipts) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.taken)
}

// fakeHooks writes down what it is told.
type fakeHooks struct {
	*news
	told []string
	err  error
}

func (f *fakeHooks) note(format string, args ...any) {
	f.tell(func() { f.told = append(f.told, fmt.Sprintf(format, args...)) })
}

func (f *fakeHooks) Session(from channels.Endpoint, up bool) { f.note("%s up %v", from.Device, up) }

func (f *fakeHooks) State(from channels.Endpoint, s contract.State) {
	f.note("%s state %s %d", from.Device, s.State, s.Session)
}

func (f *fakeHooks) Report(from channels.Endpoint, r contract.Report, done func(error)) {
	f.note("%s report %s %s %d", from.Device, r.Kind, r.Text, len(r.Photo))
	done(f.err)
}

func (f *fakeHooks) Sent(id alert.ID, _ alert.Revision, members []uint32) {
	f.note("sent %s to %v", id, members)
}

func (f *fakeHooks) awaitTold(t testing.TB, what string) {
	t.Helper()
	f.await(t, what, func() bool { return slices.Contains(f.told, what) })
}

func (f *fakeHooks) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.told)
}

// alertID makes a valid alert id from a word.
func alertID(word string) alert.ID {
	return alert.Key{Sender: "test", Identifier: word}.ID()
}

// alertTo is an alert for some members.
func alertTo(word string, revision alert.Revision, to ...uint32) channels.Delivery {
	return channels.Delivery{
		Alert: alertID(word), Revision: revision, Expires: time.Now().Add(time.Hour),
		Body: fmt.Appendf(nil, "body of %s %d", word, revision), To: roaring.BitmapOf(to...),
	}
}

// holds is what holds now: a manifest of that name and the deliveries.
func holds(manifest string, active ...channels.Delivery) *channels.Now {
	return &channels.Now{Listings: channeltest.ToAll([]byte(manifest)), Keys: []byte("key ring"), Active: active}
}

// testTLS makes a certificate for localhost and the pool that trusts it.
func testTLS(t testing.TB) (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool}
}

// wire is a device that speaks in packets, so that a test can break every rule.
type wire struct {
	net.Conn
	t  testing.TB
	v5 bool
}

func (r *rig) dial(address string) *wire {
	r.t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { conn.Close() })
	return &wire{Conn: conn, t: r.t}
}

// device is a wire that has connected.
func (r *rig) device(address, id string, v5 bool, change ...func(*connectFields)) *wire {
	r.t.Helper()
	w := r.dial(address)
	w.v5 = v5
	w.connect(id, change...)
	return w
}

// connectFields is what a CONNECT says.
type connectFields struct {
	clientID, username, password string
	keepAlive                    uint16
	willTopic, willPayload       string
	props                        v5packets.Properties
	level                        byte
}

// connectPacket encodes a CONNECT of either version.
func connectPacket(id string, v5 bool, change ...func(*connectFields)) []byte {
	f := connectFields{clientID: id, username: id, password: secretOf(id), keepAlive: 60, level: 4}
	if v5 {
		f.level = 5
	}
	for _, c := range change {
		c(&f)
	}
	flags := byte(0xC2)
	if f.willTopic != "" {
		flags |= 0x04
	}
	b := appendString(nil, "MQTT")
	b = append(b, f.level, flags, byte(f.keepAlive>>8), byte(f.keepAlive))
	if v5 {
		props := f.props.Pack(v5packets.CONNECT)
		b = append(packet.AppendVarint(b, len(props)), props...)
	}
	b = appendString(b, f.clientID)
	if f.willTopic != "" {
		if v5 {
			b = append(b, 0)
		}
		b = appendString(appendString(b, f.willTopic), f.willPayload)
	}
	b = appendString(appendString(b, f.username), f.password)
	return framed(packet.KindConnect<<4, b...)
}

func appendString(b []byte, s string) []byte {
	return append(append(b, byte(len(s)>>8), byte(len(s))), s...)
}

// packet adds the fixed header.
func framed(first byte, body ...byte) []byte {
	return append(packet.AppendVarint([]byte{first}, len(body)), body...)
}

func (w *wire) send(b []byte) {
	w.t.Helper()
	_, err := w.Write(b)
	require.NoError(w.t, err)
}

func (w *wire) connect(id string, change ...func(*connectFields)) {
	w.t.Helper()
	w.send(connectPacket(id, w.v5, change...))
	got := w.next()
	require.Equal(w.t, byte(packet.KindConnack), got.kind)
	require.Equal(w.t, []byte{0, 0}, got.body[:2], "session present, reason")
}

// got is one packet from the gateway.
type got struct {
	kind, flags byte
	body        []byte
}

// next reads one packet.
func (w *wire) next() got {
	w.t.Helper()
	p, err := w.read()
	require.NoError(w.t, err)
	return p
}

func (w *wire) read() (got, error) {
	_ = w.SetReadDeadline(time.Now().Add(patience))
	var b []byte
	for {
		if h, err := packet.ParseHeader(b); err != nil {
			return got{}, err
		} else if h.Length > 0 {
			body := make([]byte, h.Size)
			_, err := io.ReadFull(w, body)
			return got{h.Kind, h.Flags, body}, err
		}
		var one [1]byte
		if _, err := io.ReadFull(w, one[:]); err != nil {
			return got{}, err
		}
		b = append(b, one[0])
	}
}

// expect reads one packet and compares it with what is wanted.
func (w *wire) expect(want []byte) {
	w.t.Helper()
	p := w.next()
	require.Equal(w.t, want, framed(p.kind<<4|p.flags, p.body...))
}

// closed expects the end of the connection, nothing before it.
func (w *wire) closed() {
	w.t.Helper()
	p, err := w.read()
	require.Error(w.t, err, "unexpected packet %v", p)
	require.False(w.t, errors.Is(err, context.DeadlineExceeded) || isTimeout(err), "connection is still open")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// message is a PUBLISH from the gateway.
type message struct {
	topic, payload string
	id             uint16
	qos            byte
	retain         bool
}

// message reads one PUBLISH.
func (w *wire) message() message {
	w.t.Helper()
	g := w.next()
	require.Equal(w.t, byte(packet.KindPublish), g.kind, "a PUBLISH is expected, got %v", g)
	p, err := packet.ParsePublish(g.flags, g.body, w.v5)
	require.NoError(w.t, err)
	return message{string(p.Topic), string(p.Payload), p.ID, p.QoS, g.flags&1 != 0}
}

// splitTopic takes the topic off the front of a PUBLISH's body.
func splitTopic(body []byte) (topic string, rest []byte) {
	n := int(binary.BigEndian.Uint16(body))
	return string(body[2 : 2+n]), body[2+n:]
}

// subscribePacket encodes a SUBSCRIBE with QoS 1 for each filter.
func subscribePacket(v5 bool, id uint16, filters ...string) []byte {
	b := []byte{byte(id >> 8), byte(id)}
	if v5 {
		b = append(b, 0)
	}
	for _, f := range filters {
		b = append(appendString(b, f), 1)
	}
	return framed(0x82, b...)
}

// subscribe sends a SUBSCRIBE and returns the SUBACK's codes.
func (w *wire) subscribe(filters ...string) []byte {
	w.t.Helper()
	w.send(subscribePacket(w.v5, 7, filters...))
	p := w.next()
	require.Equal(w.t, byte(packet.KindSuback), p.kind)
	require.Equal(w.t, []byte{0, 7}, p.body[:2])
	if w.v5 {
		return p.body[3:]
	}
	return p.body[2:]
}

// publishPacket encodes a device's PUBLISH.
func publishPacket(v5 bool, qos byte, id uint16, topic, payload string) []byte {
	o := packet.Outgoing{Topic: [3]string{topic}, QoS: qos, ID: id, Payload: []byte(payload)}
	return o.Append(nil, v5)
}

func (w *wire) ackPacket(kind byte, id uint16) []byte {
	return packet.AppendAck(nil, kind, id, 0, w.v5)
}

// ping proves that everything sent before has been handled and answered.
func (w *wire) ping() {
	w.t.Helper()
	w.send([]byte{packet.KindPingreq << 4, 0})
	w.expect([]byte{packet.KindPingresp << 4, 0})
}

// receiptsJSON is a receipt payload.
func receiptsJSON(rung string, words ...string) string {
	var b bytes.Buffer
	b.WriteString("[")
	for i, word := range words {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"alert":%q,"revision":1,"rung":%q,"at":"2026-01-02T03:04:05Z","seq":%d}`, alertID(word), rung, i+1)
	}
	b.WriteString("]")
	return b.String()
}

// ownFilterOf is the one subscription that covers all topics of a device.
func ownFilterOf(device string) string { return contract.DevicePrefix(device) + "#" }
