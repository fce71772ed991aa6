// Package connection is what the external broker's link and the reference device have
// in common: one MQTT 3.1.1 connection with a paho client of its own. A client that
// reconnects by itself sends again what may not hold any more, and completes the tokens
// of the old connection; so a lost connection is thrown away with its client.
package connection

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

var (
	// ErrLost says that the connection was lost before the answer came: whether the
	// other side has what it was sent is unknown.
	ErrLost = errors.New("the connection was lost")
	// ErrSilence says that the other side does not answer; the outcome is unknown as well.
	ErrSilence = errors.New("no answer came in time")
)

// Options say where a connection goes, and as whom.
type Options struct {
	URL                          string // tcp://, ssl:// or ws://, as paho takes it
	ClientID, Username, Password string
	TLS                          *tls.Config   // nil is the system's trust
	KeepAlive                    time.Duration // silence after which a PINGREQ goes out; 0 is never
	Timeout                      time.Duration // for connecting, for writing and for a PINGRESP
}

// Connection is one connection, from New until it is lost or ended. Its methods may be
// called by several goroutines.
type Connection struct {
	Client mqtt.Client // what New made; Connect it once
	lost   chan struct{}
	once   sync.Once // for lost
}

// New makes a connection that has not been connected yet. With adjust the caller sets
// what is its own: the handler of messages, the will, the kind of session.
func New(o Options, adjust func(*mqtt.ClientOptions)) *Connection {
	c := &Connection{lost: make(chan struct{})}
	options := mqtt.NewClientOptions().AddBroker(o.URL).SetProtocolVersion(4).
		SetClientID(o.ClientID).SetUsername(o.Username).SetPassword(o.Password).
		SetAutoReconnect(false).SetConnectRetry(false).SetStore(noStore{}).
		SetKeepAlive(o.KeepAlive).SetPingTimeout(o.Timeout).SetConnectTimeout(o.Timeout).SetWriteTimeout(o.Timeout).
		SetConnectionLostHandler(func(mqtt.Client, error) { c.End() })
	if o.TLS != nil {
		options.SetTLSConfig(o.TLS)
	}
	adjust(options)
	c.Client = mqtt.NewClient(options)
	return c
}

// Lost is closed when the connection is lost, or by End.
func (c *Connection) Lost() <-chan struct{} { return c.lost }

// End frees whoever waits with ErrLost. It may be called again.
func (c *Connection) End() { c.once.Do(func() { close(c.lost) }) }

// Wait waits for a token, but never for ever, as tokens can hang: it returns the
// token's error, that of ctx, ErrLost, or ErrSilence after limit.
func (c *Connection) Wait(ctx context.Context, token mqtt.Token, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	case <-c.lost:
		return ErrLost
	case <-timer.C:
		return ErrSilence
	}
}

// Subscribe asks for filters at a QoS each and returns what the SUBACK grants: the QoS,
// or 0x80 for a refusal (MQTT 3.1.1 §3.9.3). Errors are those of Wait.
func (c *Connection) Subscribe(ctx context.Context, filters map[string]byte, limit time.Duration) (map[string]byte, error) {
	token := c.Client.SubscribeMultiple(filters, nil)
	if err := c.Wait(ctx, token, limit); err != nil {
		return nil, err
	}
	return token.(*mqtt.SubscribeToken).Result(), nil
}

// noStore is paho's message store without a store: its users compute what must be sent
// again from what holds now, or keep it themselves.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}

var _ mqtt.Store = noStore{}

// Refused reports whether an error of connecting is that the server does not let this client in: it does not know it, or
// its password was revoked. A server that takes nobody at present says something else.
func Refused(err error) bool {
	return errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword) || errors.Is(err, packets.ErrorRefusedNotAuthorised) || errors.Is(err, packets.ErrorRefusedIDRejected)
}
