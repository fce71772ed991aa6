package broker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"almenara/channels"
	"almenara/channels/connection"
	"almenara/channels/contract"
	"almenara/channels/ledger"
	"almenara/channels/signal"
)

const (
	window       = 256         // publishes that await the broker's PUBACK
	manifestSoon = time.Second // between two manifests for devices that arrive
	keepAlive    = 15 * time.Second
)

// link is one connection to the broker.
type link struct {
	*connection.Connection
	b      *Broker
	flight []mqtt.Token // not yet acknowledged, oldest first
	acks   acks
	retry  []func() // receipts that could not be kept; guarded by Broker.mu

	listing *channels.Listing // as published last
	keys    []byte            // as published last
	greeted time.Time         // when a manifest was last published, by the process's own clock
	greet   bool              // a device has arrived and waits for one
}

// link connects, subscribes and serves until the connection is lost or ctx ends. It
// reports whether it got as far as serving.
func (b *Broker) link(ctx context.Context) (served bool, err error) {
	l := b.newLink()
	var acking sync.WaitGroup
	acking.Go(func() { l.acks.run(l.Lost()) })
	defer func() {
		l.End()
		l.Client.Disconnect(0) // frees an acknowledgement that a broker does not read
		acking.Wait()
	}()
	if err := l.wait(ctx, l.Client.Connect()); err != nil {
		return false, fmt.Errorf("connecting: %w", err)
	}
	if err := l.subscribe(ctx); err != nil {
		return false, err
	}
	b.connected()
	b.log.Info("linked to the broker", "broker", b.options.URL)
	return true, l.serve(ctx)
}

func (b *Broker) newLink() *link {
	l := &link{b: b, acks: acks{arrived: signal.New()}}
	o := b.options
	l.Connection = connection.New(connection.Options{
		URL: o.URL, ClientID: o.ClientID, Username: o.Username, Password: o.Password, TLS: o.TLS,
		KeepAlive: keepAlive, Timeout: o.Timeout,
	}, func(options *mqtt.ClientOptions) {
		options.SetCleanSession(false) // what devices tell while the link is down waits at the broker
		options.SetOrderMatters(true).SetAutoAckDisabled(true)
		options.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { b.receive(l, m) })
	})
	return l
}

// connected notes a new link: nothing that was handed to the broker before counts.
func (b *Broker) connected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status.Connected, b.status.Since, b.status.Error = true, b.options.Clock(), ""
	b.ledger.Again(time.Now())
	b.metrics.links.Inc()
}

func (l *link) wait(ctx context.Context, token mqtt.Token) error {
	return l.Wait(ctx, token, l.b.options.Timeout)
}

// subscribe asks for what all devices tell. A broker that refuses is of no use.
func (l *link) subscribe(ctx context.Context) error {
	granted, err := l.Subscribe(ctx, map[string]byte{
		contract.TopicReceipt("+"): 1, contract.TopicState("+"): 1,
	}, l.b.options.Timeout)
	if err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	for filter, code := range granted {
		if code != 1 {
			return fmt.Errorf("subscribing: the broker answers %#x for %s; this node must be granted QoS 1", code, filter)
		}
	}
	return nil
}

// serve publishes what is due until the link is lost or ctx ends.
func (l *link) serve(ctx context.Context) error {
	election := time.NewTicker(electionEvery)
	defer election.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.Lost():
			return connection.ErrLost
		case <-l.b.news:
		case <-election.C:
			l.retake()
		case <-due.C:
		}
		next, err := l.work(ctx)
		if err != nil {
			return err
		}
		due.Reset(next)
	}
}

// idle is when to look again when nothing waits; a change comes by itself.
const idle = time.Minute

// work publishes everything that is due and says when the next thing is.
func (l *link) work(ctx context.Context) (time.Duration, error) {
	for {
		p := l.b.take(l)
		if !p.elected {
			return idle, nil
		}
		if err := l.tell(ctx, p); err != nil {
			return 0, err
		}
		if err := l.command(ctx, p.commands); err != nil {
			return 0, err
		}
		for _, j := range p.jobs {
			if l.b.options.Directory.Here(j.To().Device) {
				continue // it has it from this node's own gateway
			}
			d := j.Delivery()
			if err := l.publish(ctx, contract.TopicAlert(j.To().Device, string(d.Alert)), false, d.Body); err != nil {
				return 0, err
			}
			l.b.metrics.bodies.Inc()
		}
		if len(p.jobs) == 0 {
			return l.pause(p.next), nil
		}
	}
}

// pause is the time until next, or until a device that arrived may have its manifest.
func (l *link) pause(next time.Time) time.Duration {
	pause := idle
	if !next.IsZero() {
		pause = time.Until(next)
	}
	if l.greet {
		pause = min(pause, time.Until(l.greeted.Add(manifestSoon)))
	}
	return max(pause, time.Millisecond)
}

// tell publishes key ring and manifest where they are news, or where a device has
// arrived. All devices read one topic, so the manifest is that of the whole district, in as
// many pages as it needs: each device takes what concerns it. It is never retained: an old one, found after a night without
// publisher, would be a false word on the time and on what holds. It goes before the
// bodies, because an end concerns everybody.
func (l *link) tell(ctx context.Context, p portion) error {
	if len(p.now.Keys) > 0 && string(p.now.Keys) != string(l.keys) {
		if err := l.publish(ctx, contract.TopicKeys, true, p.now.Keys); err != nil {
			return err
		}
		l.keys = p.now.Keys
	}
	soon := l.greet && time.Since(l.greeted) >= manifestSoon
	listing := p.now.Shared()
	if listing == nil || listing == l.listing && !soon {
		return nil
	}
	for _, page := range listing.Pages {
		if err := l.publish(ctx, contract.TopicNow, false, page); err != nil {
			return err
		}
	}
	l.listing, l.greet, l.greeted = listing, false, time.Now()
	return nil
}

// publish hands one payload to the broker at QoS 1. The broker's PUBACK says that the
// broker has it and nothing more; it only bounds what is under way.
func (l *link) publish(ctx context.Context, topic string, retained bool, payload []byte) error {
	for len(l.flight) >= window {
		if err := l.wait(ctx, l.flight[0]); err != nil {
			return fmt.Errorf("publishing: %w", err)
		}
		l.flight = l.flight[1:]
	}
	token := l.Client.Publish(topic, 1, retained, payload)
	select {
	case <-token.Done():
		if err := token.Error(); err != nil {
			return fmt.Errorf("publishing: %w", err)
		}
	default:
	}
	l.flight = append(l.flight, token)
	return nil
}

// portion is what there is to do now.
type portion struct {
	now     *channels.Now
	jobs    []*ledger.Job
	next    time.Time
	elected bool

	commands []*command
}

// take finds what is due, and notes it as sent: what fails ends the link, and with
// the next one everything unanswered is due again.
func (b *Broker) take(l *link) portion {
	b.lay()
	if b.elect(b.options.Elected()) {
		l.inherit()
		l.listing, l.keys = nil, nil
	}
	at := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.elected || b.now == nil {
		b.dropCommands()
		return portion{}
	}
	l.greet = l.greet || b.arrived
	b.arrived = false
	p := portion{now: b.now, elected: true, commands: b.commands}
	b.commands = nil
	p.jobs, p.next, _ = b.ledger.Due(at, b.options.Clock(), window) // a ledger that keeps nothing does not fail
	for _, j := range p.jobs {
		b.ledger.Sent(j, at)
	}
	return p
}

// lay lays what holds now into the ledger, if it is news. Devices are looked up of what is
// new or for others than before, and of everything where the devices have changed.
func (b *Broker) lay() {
	b.mu.Lock()
	now, fresh, relist := b.now, b.fresh, b.relist
	b.fresh, b.relist = false, false
	if !fresh && !relist || now == nil {
		b.mu.Unlock()
		return
	}
	indices := b.ledger.Unlisted(now.Active)
	b.mu.Unlock()
	if relist {
		indices = nil
		for i := range now.Active {
			indices = append(indices, i)
		}
	}
	to := make(map[int][]channels.Endpoint, len(indices))
	for _, i := range indices {
		to[i] = slices.Collect(b.options.Directory.Devices(now.Active[i].To))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledger.Set(now.Active, to, time.Now())
}

// elect notes whether this node publishes, and reports whether it begins to.
func (b *Broker) elect(elected bool) (begins bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	begins = elected && !b.elected
	b.elected = elected
	if begins {
		b.ledger.Again(time.Now())
	}
	return begins
}
