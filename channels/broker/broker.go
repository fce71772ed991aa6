// Package broker is the way to devices that are connected to a general-purpose MQTT
// broker (mosquitto, EMQX, …) in place of a node's own gateway. The device contract
// is the same. The broker vouches for who a device is, and is believed in nothing
// else: what reached a device is known from the device's own receipts only.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/ledger"
	"almenara/channels/receipts"
	"almenara/channels/signal"
	"almenara/storage/receipt"
	"almenara/storage/wait"
)

// Directory knows the enrolled devices. Its methods may be called from any
// goroutine and must return promptly.
type Directory interface {
	// Endpoint finds a device that is enrolled and not revoked.
	Endpoint(device string) (channels.Endpoint, bool)
	// Devices yields the devices of members. Whoever knows that it answers otherwise now calls
	// Broker.DevicesChanged.
	Devices(members *roaring.Bitmap) iter.Seq[channels.Endpoint]
	// Here reports whether the device is connected to this node's own gateway, and so is
	// served there.
	Here(device string) bool
}

// Options is what a Broker is made of.
type Options struct {
	// URL is where the broker listens: tcp://, ssl://, ws:// or wss://host:port.
	URL string
	// ClientID is this node's own, the same for its whole life: the broker keeps what
	// devices tell for it while the link is down.
	ClientID string
	// Username and Password are this node's at the broker; "" is none.
	Username, Password string
	// TLS is used for ssl and wss; nil: the system's roots.
	TLS *tls.Config

	Directory Directory         // required
	Receipts  channels.Receipts // required: takes what devices tell, while this node is elected
	// Elected says whether this node publishes for the district. It is asked often, from
	// one goroutine. Two nodes that both think so do no harm but work: a device begins
	// a revision once.
	Elected func() bool

	// State hears what devices say of themselves, on every node, from one goroutine; it must return
	// promptly. Nil: nobody.
	State func(from channels.Endpoint, s contract.State)

	// Timeout bounds every exchange with the broker; 0: 10 s.
	Timeout time.Duration
	// RetryMin and RetryMax bound the pause before connecting again; 0: 250 ms, 5 s.
	RetryMin, RetryMax time.Duration
	// Resend is when a device that is at the broker and does not answer is sent the
	// body again; it doubles up to twelve times that. 0: 5 s.
	Resend time.Duration

	Clock    func() time.Time      // the time of day, by which alerts expire; nil: time.Now
	Logger   *slog.Logger          // nil: slog.Default
	Registry prometheus.Registerer // nil: counted, but not exported
}

// electionEvery is how often Elected is asked.
const electionEvery = 200 * time.Millisecond

// ErrOptions is wrapped by everything that New finds.
var ErrOptions = errors.New("unusable broker option")

// CheckURL says in one sentence what is wrong with a broker's address.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !slices.Contains([]string{"tcp", "ssl", "ws", "wss"}, u.Scheme) {
		return fmt.Errorf("%w: broker address %.100q is not tcp://, ssl://, ws:// or wss:// with host:port", ErrOptions, address)
	}
	if u.User != nil {
		return fmt.Errorf("%w: a password in the broker's address would end in logs; give user and password apart", ErrOptions)
	}
	return nil
}

func (o Options) withDefaults() (Options, error) {
	if err := CheckURL(o.URL); err != nil {
		return o, err
	}
	if o.ClientID == "" || o.Directory == nil || o.Receipts == nil || o.Elected == nil {
		return o, fmt.Errorf("%w: ClientID, Directory, Receipts and Elected are required", ErrOptions)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.State == nil {
		o.State = func(channels.Endpoint, contract.State) {}
	}
	o.Logger = o.Logger.With("component", "broker")
	o.Timeout = orElse(o.Timeout, 10*time.Second)
	o.RetryMin = orElse(o.RetryMin, 250*time.Millisecond)
	o.RetryMax = max(orElse(o.RetryMax, 5*time.Second), o.RetryMin)
	o.Resend = orElse(o.Resend, 5*time.Second)
	return o, nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// Broker is the outlet to one external broker. Its methods may be called from any
// goroutine.
type Broker struct {
	options Options
	log     *slog.Logger
	metrics *metrics
	news    signal.Signal // something to do has come up

	mu      sync.Mutex // guards all below; never held while calling out
	now     *channels.Now
	fresh   bool // now has not been laid into the ledger
	relist  bool // the devices are others than those in the ledger
	ledger  *ledger.Ledger
	elected bool
	arrived bool    // a device has come since a manifest was published
	heard   []heard // while not elected, oldest first
	status  Status

	commands []*command // that wait for the link
}

// Status is how the link is.
type Status struct {
	URL        string
	Connected  bool
	Since      time.Time // of Connected or not; the time of New before the first
	Error      string    // why the last attempt failed or the last link ended
	Publisher  bool      // this node publishes for the district
	Devices    int       // that say they are at the broker
	Unanswered int       // bodies that devices at the broker have not answered
}

// New makes a broker outlet; nothing is connected before Run.
func New(o Options) (*Broker, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Broker{
		options: o, log: o.Logger, news: signal.New(), ledger: ledger.New(o.Resend, nil),
		status: Status{URL: o.URL, Since: o.Clock()},
	}
	if b.metrics, err = newMetrics(o.Registry, b.Status); err != nil {
		return nil, err
	}
	return b, nil
}

// Set implements channels.Outlet. It replaces what holds and does not wait for the
// broker.
func (b *Broker) Set(now *channels.Now) {
	if now == nil {
		return
	}
	b.mu.Lock()
	b.now, b.fresh = now, true
	b.mu.Unlock()
	b.wake()
}

// Proves implements channels.Outlet: what devices tell. That the broker has a body says nothing
// of any device.
func (b *Broker) Proves() []receipt.Rung { return receipts.Rungs() }

// DevicesChanged makes the broker look up again who the devices of members are. It does not
// wait for that.
func (b *Broker) DevicesChanged() {
	b.mu.Lock()
	b.relist = true
	b.mu.Unlock()
	b.wake()
}

// wake makes the link look at what there is to do. It never blocks.
func (b *Broker) wake() {
	b.news.Set()
}

// Status tells how the link is now.
func (b *Broker) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.status
	s.Publisher = b.elected && s.Connected
	s.Devices, s.Unanswered = b.ledger.Count()
	return s
}

// Reaching counts the devices of members that say they are at the broker, while this
// node publishes; 0 otherwise, so that nodes can add up their counts.
func (b *Broker) Reaching(members *roaring.Bitmap) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.elected {
		return 0
	}
	return b.ledger.Reaching(members)
}

// Present lists the devices that say they are at the broker, while this node
// publishes; nothing otherwise.
func (b *Broker) Present() []ledger.Presence {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.elected {
		return nil
	}
	return b.ledger.Present()
}

// Run keeps the link to the broker until ctx ends. It returns when nothing of it
// runs any more. A broker that is away, refuses or misbehaves is tried again for
// ever: no error of the broker's ends the node.
func (b *Broker) Run(ctx context.Context) {
	pauses := wait.Backoff{First: b.options.RetryMin, Last: b.options.RetryMax}
	for ctx.Err() == nil {
		served, err := b.link(ctx)
		b.lost(ctx, err)
		if served {
			pauses.Reset()
		}
		if pause := pauses.Next(); !wait.Sleep(ctx, pause/2+rand.N(pause)) {
			return
		}
	}
}

// lost notes the end of a link, or of an attempt, and logs what is news.
func (b *Broker) lost(ctx context.Context, err error) {
	b.mu.Lock()
	was, before := b.status.Connected, b.status.Error
	b.status.Connected, b.status.Error = false, ""
	if err != nil {
		b.status.Error = err.Error()
	}
	if was {
		b.status.Since = b.options.Clock()
	}
	news := b.status.Error != before || was
	b.dropCommands()
	b.mu.Unlock()
	if ctx.Err() == nil && news {
		b.log.Warn("no link to the broker", "broker", b.options.URL, "error", err)
	}
}
