package device

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"almenara/channels/connection"
	"almenara/channels/contract"
	"almenara/storage/wait"
)

// link is one connection.
type link struct {
	*connection.Connection
	session uint64
	state   string        // as published last
	queued  int           // receipts that waited when it began
	ringed  chan struct{} // closed when the key ring has come on it
	ring    sync.Once     // for ringed

	// guarded by Device.mu
	waiting []mqtt.Message      // signed with a key that is not known yet
	refused map[Revision]uint64 // told as refused on this connection
	served  bool                // it is subscribed
}

// Run keeps the device connected to one node or another until ctx ends, then says
// goodbye and stops the device for good. It returns ErrStopped when it already
// was.
func (d *Device) Run(ctx context.Context) error {
	d.mu.Lock()
	stopped := d.stopped
	d.mu.Unlock()
	if stopped {
		return ErrStopped
	}
	defer d.close()
	pauses := wait.Backoff{First: d.options.RetryMin, Last: d.options.RetryMax}
	pause := pauses.Next()
	for turn := d.options.FirstServer; ctx.Err() == nil; turn++ {
		server := d.options.Servers[turn%len(d.options.Servers)]
		served, err := d.connect(ctx, server)
		if err != nil && ctx.Err() == nil {
			d.options.Logger.Info("not connected", "device", d.options.ID, "server", server, "error", err)
		}
		if served {
			pauses.Reset()
			pause = pauses.Next()
		}
		if !wait.Sleep(ctx, jitter(pause)) {
			break
		}
		if (turn+1)%len(d.options.Servers) == d.options.FirstServer%len(d.options.Servers) {
			pause = pauses.Next() // all nodes were tried
		}
	}
	return nil
}

// jitter spreads the devices that lost the same node over time.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }

// connect connects to one node and stays as long as it lasts. It reports whether
// the device was connected and subscribed, and kept all that came: where it did not, the next
// connection may bring as much, and is not hurried.
func (d *Device) connect(ctx context.Context, server string) (served bool, err error) {
	release, ok := connection.Turn(ctx, d.options.turns)
	if !ok {
		return false, ctx.Err()
	}
	defer release()
	l := d.newLink(server)
	defer l.Client.Disconnect(0)
	if err := l.Wait(ctx, l.Client.Connect(), d.options.Timeout); err != nil {
		if connection.Refused(err) {
			d.mu.Lock()
			letIn(d, false)
			d.mu.Unlock()
		}
		return false, fmt.Errorf("connecting to %s: %w", server, err)
	}
	filters := map[string]byte{
		contract.TopicKeys: 1, contract.TopicNow: 1,
		contract.AlertFilter(d.options.ID): 1, contract.TopicCommand(d.options.ID): 1,
	}
	if err := d.subscribe(ctx, l, filters); err != nil {
		return false, fmt.Errorf("subscribing at %s: %w", server, err)
	}
	release()
	d.mu.Lock()
	letIn(d, true)
	l.served = true
	d.mu.Unlock()
	d.happened(Event{What: Connected, Detail: server})
	err = d.serve(ctx, l)
	kept := d.unlink(l)
	d.happened(Event{What: Disconnected, Detail: server})
	return kept, err
}

// newLink makes the client of the next session, whose will names it. From here on
// messages of older connections are dropped.
func (d *Device) newLink(server string) *link {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = max(d.session+1, uint64(max(d.options.Clock().UnixMilli(), 0)))
	l := &link{session: d.session, refused: map[Revision]uint64{}, queued: len(d.outbox.Waiting), ringed: make(chan struct{})}
	will, _ := json.Marshal(contract.State{State: contract.StateLost, Session: l.session})
	o := d.options
	l.Connection = connection.New(connection.Options{
		URL: server, ClientID: o.ID, Username: o.ID, Password: o.Secret, TLS: o.TLS,
		KeepAlive: o.KeepAlive, Timeout: o.Timeout,
	}, func(options *mqtt.ClientOptions) {
		options.SetCleanSession(true).SetOrderMatters(false).
			SetBinaryWill(contract.TopicState(o.ID), will, 1, true).
			SetDefaultPublishHandler(l.handler(d))
	})
	d.link = l
	d.rules.Connected()
	d.save(true) // the session number
	return l
}

func (d *Device) unlink(l *link) (kept bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link == l {
		d.link = nil
	}
	return len(l.waiting) < maxWaiting
}

// subscribe asks for the topics; a node that refuses one is as good as none.
func (d *Device) subscribe(ctx context.Context, l *link, filters map[string]byte) error {
	granted, err := l.Subscribe(ctx, filters, d.options.Timeout)
	if err != nil {
		return err
	}
	for filter, code := range granted {
		if code > 2 {
			return fmt.Errorf("subscription to %s refused", filter)
		}
	}
	return nil
}

// serve publishes state and receipts until the connection ends. When ctx does, it
// says goodbye, so that the node need not wait for the will.
func (d *Device) serve(ctx context.Context, l *link) error {
	for {
		if err := d.publish(ctx, l); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			goodbye := d.publishState(context.WithoutCancel(ctx), l, contract.StateDisconnected)
			l.Client.Disconnect(uint(d.options.Timeout.Milliseconds()))
			return goodbye
		case <-l.Lost():
			return connection.ErrLost
		case <-d.wake:
		}
	}
}

// publish sends what waits: receipts first, then the state if it changed.
func (d *Device) publish(ctx context.Context, l *link) error {
	for {
		d.mu.Lock()
		batch := d.outbox.Batch()
		d.mu.Unlock()
		if len(batch) == 0 {
			break
		}
		if err := d.send(ctx, l, contract.TopicReceipt(d.options.ID), false, batch); err != nil {
			return err
		}
		d.told(batch)
	}
	return d.publishState(ctx, l, "")
}

// told removes what the node has acknowledged from the outbox.
func (d *Device) told(batch []contract.Receipt) {
	d.mu.Lock()
	d.outbox.Done(batch[len(batch)-1].Seq)
	d.save(true)
	d.mu.Unlock()
	for _, r := range batch {
		d.happened(Event{What: Told, Alert: r.Alert, Revision: r.Revision, Rung: r.Rung})
	}
}

// publishState publishes the retained state if it differs from the last one of
// this connection. Empty word: ready or presenting.
func (d *Device) publishState(ctx context.Context, l *link, word string) error {
	health := d.options.Health()
	d.mu.Lock()
	s := contract.State{
		State: word, Session: l.session, Kind: d.options.Kind, Version: d.options.Version,
		ClockSkew: d.rules.Skew().Round(time.Second).Seconds(), Presenting: d.rules.Presenting(), Health: health, Tested: d.tested,
	}
	known := l.known(maps.Clone(health), d.ring, d.drawn, d.drawnAt)
	d.mu.Unlock()
	s.Presenting = slices.DeleteFunc(s.Presenting, func(alert string) bool { return !d.options.Seen(alert) })
	s.Presenting = s.Presenting[:min(len(s.Presenting), contract.MaxPresenting)]
	if word == "" {
		s.State = contract.StateReady
		if len(s.Presenting) > 0 {
			s.State = contract.StatePresenting
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding state: %w", err)
	}
	if string(raw) == l.state {
		return nil
	}
	s.Health = known // goes with the next state, and is no reason for one
	if err := d.send(ctx, l, contract.TopicState(d.options.ID), true, s); err != nil {
		return err
	}
	l.state = string(raw)
	return nil
}

// known adds to health what the device itself knows, as far as there is room.
func (l *link) known(health map[string]string, ring contract.Ring, drawn Revision, drawnAt time.Time) map[string]string {
	if health == nil {
		health = map[string]string{}
	}
	add := func(name, value string) {
		if _, said := health[name]; !said && value != "" && len(health) < contract.MaxHealth {
			health[name] = value
		}
	}
	if at := ring.Time(); !at.IsZero() {
		add(contract.HealthKeys, at.UTC().Format(time.RFC3339))
	}
	if l.queued > 0 {
		add(contract.HealthQueued, strconv.Itoa(l.queued))
	}
	if !drawnAt.IsZero() {
		add(contract.HealthDrawn, fmt.Sprintf("%s/%d", drawn.Alert, drawn.Revision))
		add(contract.HealthDrawnAt, drawnAt.UTC().Format(time.RFC3339))
	}
	return health
}

// send publishes at QoS 1 and waits for the PUBACK.
func (d *Device) send(ctx context.Context, l *link, topic string, retained bool, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding for %s: %w", topic, err)
	}
	if err := l.Wait(ctx, l.Client.Publish(topic, 1, retained, raw), 4*d.options.Timeout); err != nil {
		return fmt.Errorf("publishing on %s: %w", topic, err)
	}
	return nil
}
