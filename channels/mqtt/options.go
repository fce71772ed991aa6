package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/answers"
	"almenara/channels/mqtt/packet"
	"almenara/storage/alert"
)

// ErrCredential is what Auth returns for a device that does not exist, is revoked
// or has another secret. Every other error tells the device to try again later.
var ErrCredential = errors.New("wrong device credential")

// ErrUnavailable is what Auth returns while no device is to be let in here, whoever it
// is: the device tries other nodes, and later this one again. It is not logged.
var ErrUnavailable = errors.New("this node serves no devices now")

// What Hooks.Report's and channels.Receipts' done is given for what is refused for good; see answers.
var ErrUnwanted, ErrPayload, ErrTooMany = answers.ErrUnwanted, answers.ErrPayload, answers.ErrTooMany

// Auth says who a device is.
type Auth interface {
	// Authenticate checks a device's secret. It returns ErrCredential when they do
	// not belong together, and ErrUnavailable when that does not matter. It is called
	// from many goroutines at once and must return when ctx ends.
	Authenticate(ctx context.Context, deviceID, secret string) (channels.Endpoint, error)
}

// Hooks is told what the gateway sees besides receipts. All methods are called
// from several goroutines and must return promptly; Session and State of one
// device are called in order, one after the other.
type Hooks interface {
	// Session tells that a device's session is up, or that it has ended. Up after
	// up is a takeover: the device came again before the old connection was gone.
	Session(from channels.Endpoint, up bool)

	// State is what the device published on its state topic. When a session ends
	// without the device saying so, it is the device's will, just before Session
	// tells the end. A takeover publishes no will: the device is here.
	State(from channels.Endpoint, s contract.State)

	// Report is what the device published on its report topic, which is the receiver's to
	// keep. done is called exactly once, as in channels.Receipts.
	Report(from channels.Endpoint, r contract.Report, done func(error))

	// Sent tells that one revision was written to the connections of these members
	// since the last call. The slice is valid during the call only.
	Sent(id alert.ID, revision alert.Revision, members []uint32)
}

// Options is what a gateway is made of.
type Options struct {
	Auth     Auth              // required
	Receipts channels.Receipts // required: takes receipts of devices, and their PUBACKs as Delivered
	Hooks    Hooks             // nil: states are dropped and reports refused

	// TLS serves TLS and WSS listeners; at least version 1.3 is used whatever it
	// says. Nil: those transports cannot be served.
	TLS *tls.Config

	// Tickets is a secret that outlives this process, of at least 16 bytes: devices then
	// resume their TLS sessions after a restart, which saves both sides the certificate.
	// Who has it can pass for this node before them, so it is guarded like its key. Nil:
	// sessions are resumed as long as this process lives.
	Tickets []byte

	// Origins gives the further hosts whose pages may connect over WebSocket, as
	// patterns of path.Match, for example *.district.example. The request's own
	// host and clients that send no Origin are always allowed. It is asked at every
	// handshake of a page of another host, from several goroutines. Nil is none.
	Origins func() []string

	Conns    Conns // shares out the descriptors; nil takes what Limits allow
	Limits   Limits
	Clock    func() time.Time      // the time of day; nil: time.Now
	Logger   *slog.Logger          // nil: slog.Default
	Registry prometheus.Registerer // nil: counted, but not exported
}

// Limits bounds what devices can cost. Zero fields take DefaultLimits.
type Limits struct {
	MaxConnections  int           // open at the same time; more are closed at once
	AcceptPerSecond float64       // connections per second and address (IPv6: per /64)
	AcceptBurst     int           // that may come at once after a pause
	Handshakes      int           // TLS handshakes that are computed at the same time; more wait
	ConnectTimeout  time.Duration // from accept to CONNECT, TLS handshake included, waiting for a processor not
	MaxConnect      int           // bytes of the first packet
	MaxPacket       int           // bytes of any later packet from a device
	MaxKeepAlive    time.Duration // the server keep alive that MQTT 5 devices are told, when they ask for more or none
	PendingBytes    int           // that may wait for a device that does not read
	AckTimeout      time.Duration // for a PUBACK, and for progress of pending bytes
	MaxInflight     int           // alerts sent to a device and not yet acknowledged
	MaxTaking       int           // publishes of a device whose receipts are not yet durable
	SendBuffer      int           // bytes of SO_SNDBUF
}

// DefaultLimits suits a node for tens of thousands of devices behind few addresses.
func DefaultLimits() Limits {
	return Limits{
		MaxConnections: 50_000, AcceptPerSecond: 500, AcceptBurst: 10_000, Handshakes: runtime.GOMAXPROCS(0),
		ConnectTimeout: 10 * time.Second, MaxConnect: 4 << 10, MaxPacket: 64 << 10,
		MaxKeepAlive: 5 * time.Minute, PendingBytes: 256 << 10, AckTimeout: 20 * time.Second,
		MaxInflight: 16, MaxTaking: 64, SendBuffer: 64 << 10,
	}
}

// withDefaults fills in what is zero.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	fill(&l.MaxConnections, d.MaxConnections)
	fill(&l.AcceptPerSecond, d.AcceptPerSecond)
	fill(&l.AcceptBurst, d.AcceptBurst)
	fill(&l.Handshakes, d.Handshakes)
	fill(&l.ConnectTimeout, d.ConnectTimeout)
	fill(&l.MaxConnect, d.MaxConnect)
	fill(&l.MaxPacket, d.MaxPacket)
	fill(&l.MaxKeepAlive, d.MaxKeepAlive)
	fill(&l.PendingBytes, d.PendingBytes)
	fill(&l.AckTimeout, d.AckTimeout)
	fill(&l.MaxInflight, d.MaxInflight)
	fill(&l.MaxTaking, d.MaxTaking)
	fill(&l.SendBuffer, d.SendBuffer)
	return l
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports what cannot work.
func (o Options) Validate() error {
	if o.Auth == nil || o.Receipts == nil {
		return errors.New("checking gateway options: Auth and Receipts are required")
	}
	l := o.Limits.withDefaults()
	switch {
	case l.MaxPacket > packet.MaxSize || l.MaxPacket < l.MaxConnect:
		return fmt.Errorf("checking gateway options: MaxPacket %d is outside %d to %d", l.MaxPacket, l.MaxConnect, packet.MaxSize)
	case l.MaxKeepAlive < time.Second || l.MaxKeepAlive > 0xFFFF*time.Second:
		return fmt.Errorf("checking gateway options: MaxKeepAlive %v is outside 1 s to 65535 s", l.MaxKeepAlive)
	case l.MaxTaking > 0xFFFF || l.MaxInflight > 0xFFFF:
		return errors.New("checking gateway options: more than 65535 packets in flight")
	}
	return l.positive()
}

func (l Limits) positive() error {
	for _, n := range []float64{
		float64(l.MaxConnections), l.AcceptPerSecond, float64(l.AcceptBurst), float64(l.Handshakes),
		float64(l.ConnectTimeout), float64(l.MaxConnect), float64(l.PendingBytes), float64(l.AckTimeout),
		float64(l.MaxInflight), float64(l.MaxTaking), float64(l.SendBuffer),
	} {
		if n <= 0 {
			return errors.New("checking gateway options: a limit is negative")
		}
	}
	return nil
}
