package channels

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// ManifestEvery is how often a manifest is sent when nothing changes: what a
// device's "last word" is measured against (the device contract, version 1).
const ManifestEvery = 10 * time.Second

// Options configure a Dispatcher.
type Options struct {
	Signer  contract.Signer  // this node's key; required
	Node    string           // raft server id of this node; required
	Clock   func() time.Time // nil: time.Now
	Outlets []Outlet         // every one gets every Now
	Logger  *slog.Logger     // nil: no logs

	// Version gives the version of the next manifest, which must be above last.
	// last is 0 for the first one after a start. Nil: NextVersion. A node whose
	// clock may be set back while it is down keeps its own record and gives this.
	Version func(last uint64, now time.Time) uint64
}

// NextVersion is the time in milliseconds since 1970, or one more than last: it
// grows across restarts without being stored, as long as the clock does.
func NextVersion(last uint64, now time.Time) uint64 {
	return max(uint64(max(now.UnixMilli(), 1)), last+1)
}

// Dispatcher turns what is in force into what every outlet has to bring about: it
// signs each body once, and a manifest on every change and every ManifestEvery.
// Its methods may be called from any goroutine.
type Dispatcher struct {
	options Options

	mu        sync.Mutex // guards all below, and orders the calls of Outlet.Set
	situation Situation
	prepared  []prepared // loudest first
	loudest   []delivery // of all of prepared, loudest first
	bodies    map[bodyKey]signedBody
	version   uint64
	now       *Now
}

// prepared is one item that may be delivered, with its signed parts.
type prepared struct {
	item       Item
	rank       int // 0 is the loudest
	deliveries []delivery
}

// delivery is one part, which may be quieter than its item.
type delivery struct {
	Delivery
	rank int
}

// bodyKey is all that the content of a body follows from. The digest stands for
// the message.
type bodyKey struct {
	alert    alert.ID
	revision alert.Revision
	digest   string
	status   alert.Status
	expires  int64
	infos    string
}

type signedBody struct {
	body    []byte
	expires time.Time
	rank    int
}

// NewDispatcher makes a dispatcher that has nothing in force. The outlets hear
// nothing before the first Set or Run.
func NewDispatcher(o Options) (*Dispatcher, error) {
	if len(o.Signer.Key) == 0 || o.Node == "" {
		return nil, errors.New("making dispatcher: signing key and node are required")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Version == nil {
		o.Version = NextVersion
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Dispatcher{options: o, bodies: map[bodyKey]signedBody{}}, nil
}

// Set replaces what holds and hands it to the outlets before it returns. Bodies
// that were signed before are used again, so that setting the same situation, or
// one that differs in members only, signs nothing but a manifest.
//
// An item that must not or cannot be delivered is left out, the others go; the
// error then joins the reasons (ErrNotDeliverable, ErrTooLarge).
func (d *Dispatcher) Set(s Situation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.options.Clock()
	var errs []error
	used := make(map[bodyKey]signedBody, len(d.bodies))
	d.situation, d.prepared = s, nil
	for i := range s.InForce {
		p, err := d.prepare(&s.InForce[i], now, used)
		if err != nil {
			errs = append(errs, err)
			d.options.Logger.Error("alert not delivered", "alert", s.InForce[i].Alert, "error", err)
		}
		if p.item.Alert != "" {
			d.prepared = append(d.prepared, p)
		}
	}
	d.bodies = used
	d.sort()
	return errors.Join(append(errs, d.hand(now))...)
}

// sort puts emergencies before advisories, drills and tests, then goes by id.
func (d *Dispatcher) sort() {
	slices.SortStableFunc(d.prepared, func(a, b prepared) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.item.Alert, b.item.Alert))
	})
	d.loudest = nil
	for _, p := range d.prepared {
		d.loudest = append(d.loudest, p.deliveries...)
	}
	slices.SortStableFunc(d.loudest, func(a, b delivery) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Alert, b.Alert))
	})
}

// prepare signs the parts of one item. An item with a part that cannot be built is
// still listed and its other parts are still delivered; one that must not be
// delivered at all comes back empty.
func (d *Dispatcher) prepare(it *Item, now time.Time, used map[bodyKey]signedBody) (prepared, error) {
	if err := deliverable(it); err != nil {
		return prepared{}, err
	}
	p := prepared{item: *it, rank: rank(alert.PresentationOf(it.Status, it.Message.Infos).Tier)}
	var errs []error
	for _, part := range it.Parts {
		signed, err := d.sign(it, part, now, used)
		if err != nil {
			errs = append(errs, fmt.Errorf("preparing alert %s for info blocks %v: %w", it.Alert, part.Infos, err))
			continue
		}
		p.deliveries = append(p.deliveries, delivery{rank: signed.rank, Delivery: Delivery{
			Alert: it.Alert, Revision: it.Revision, Digest: it.Digest, Expires: signed.expires, Body: signed.body, To: part.To,
		}})
	}
	return p, errors.Join(errs...)
}

func rank(tier string) int {
	return slices.Index([]string{alert.TierEmergency, alert.TierAdvisory, alert.TierDrill, alert.TierTest}, tier)
}

// sign gives the signed body of one part, from the cache when its content is known.
func (d *Dispatcher) sign(it *Item, p Part, now time.Time, used map[bodyKey]signedBody) (signedBody, error) {
	key := bodyKey{it.Alert, it.Revision, it.Digest, it.Status, it.Expires.UnixNano(), fmt.Sprint(p.Infos)}
	if known, ok := d.bodies[key]; ok {
		used[key] = known
		return known, nil
	}
	body, err := buildBody(it, p)
	if err != nil {
		return signedBody{}, err
	}
	body.Time = now.UTC()
	if err := fit(&body, d.options.Signer.SignedSize); err != nil {
		return signedBody{}, err
	}
	jws, err := d.options.Signer.Sign(body)
	if err != nil {
		return signedBody{}, err
	}
	used[key] = signedBody{body: jws, expires: body.Expires, rank: rank(string(body.Tier))}
	return used[key], nil
}

// hand makes the Now of this moment and gives it to the outlets. What has expired
// since Set is in it no more.
func (d *Dispatcher) hand(now time.Time) error {
	manifest, err := d.manifest(now)
	if err != nil {
		d.options.Logger.Error("manifest not signed", "error", err)
		return err
	}
	d.now = &Now{Manifest: manifest, Keys: d.situation.Keys, Active: d.active(now)}
	for _, outlet := range d.options.Outlets {
		outlet.Set(d.now)
	}
	return nil
}

func (d *Dispatcher) active(now time.Time) []Delivery {
	active := []Delivery{}
	for _, part := range d.loudest {
		if now.Before(part.Expires) {
			active = append(active, part.Delivery)
		}
	}
	return active
}

// Now is what the outlets were given last; nil before that.
func (d *Dispatcher) Now() *Now {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// Run sends a manifest at once and every ManifestEvery until ctx ends, also while
// nothing changes: the age of a device's last word is how people see that its link
// is alive. It returns when nothing of it runs any more.
func (d *Dispatcher) Run(ctx context.Context) {
	every := time.NewTicker(ManifestEvery)
	defer every.Stop()
	for {
		d.refresh()
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// refresh hands out the same situation with a new manifest. A failure is logged
// and tried again at the next turn.
func (d *Dispatcher) refresh() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.hand(d.options.Clock()) // hand has logged it
}
