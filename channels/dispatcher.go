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

	"github.com/RoaringBitmap/roaring/v2"

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

	// Shared asks for Now.Whole, the manifest of everything, because an outlet's endpoints
	// all read one topic.
	Shared bool
	// MaxPage is the size of the largest signed manifest, in bytes; 0: MaxBody.
	MaxPage int

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
	lines     []entry    // of the situation, in the order in which manifests list them
	version   uint64
	now       *Now

	// What was worked out for this situation, so that the next one costs what is new in it.
	items      memo[alert.ID, prepared]
	bodies     memo[bodyKey, signedBody]
	touching   memo[*roaring.Bitmap, []int32] // in situation.Places
	numbers    memo[any, numbered]            // of contract.InForce and contract.Ended
	lastNumber uint64
	signed     map[string]signed // by keyOf its list; as handed over last
}

// memo keeps what was worked out as long as every situation asks for it again.
type memo[K comparable, V any] struct{ old, used map[K]V }

// turn begins a new situation: what the one before has not asked for is forgotten.
func (m *memo[K, V]) turn() { m.old, m.used = m.used, make(map[K]V, len(m.used)) }

// get finds what this situation or the one before has used, and keeps it.
func (m *memo[K, V]) get(key K) (V, bool) {
	v, ok := m.used[key]
	if !ok {
		if v, ok = m.old[key]; ok {
			m.used[key] = v
		}
	}
	return v, ok
}

// prepared is one item that may be delivered, with its signed parts.
type prepared struct {
	item       Item
	rank       int // 0 is the loudest
	deliveries []delivery
	complete   bool // nothing of it failed
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
	body []byte
	says *contract.Body
	rank int
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
	if o.MaxPage == 0 {
		o.MaxPage = MaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Dispatcher{options: o, signed: map[string]signed{}}
	d.turn()
	return d, nil
}

// turn makes the memory ready for a new situation.
func (d *Dispatcher) turn() {
	d.items.turn()
	d.bodies.turn()
	d.touching.turn()
	d.numbers.turn()
}

// Set replaces what holds and hands it to the outlets before it returns. What was signed
// before is used again: setting the same situation signs nothing, and one that differs in
// members only, manifests at most.
//
// An item that must not or cannot be delivered is left out, the others go; the
// error then joins the reasons (ErrNotDeliverable, ErrTooLarge). Neither can be where
// CheckSize and the state machine's rules were asked before.
func (d *Dispatcher) Set(s Situation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.options.Clock()
	moved := d.situation.Places != s.Places
	d.turn()
	if moved {
		d.touching = memo[*roaring.Bitmap, []int32]{used: map[*roaring.Bitmap][]int32{}}
	}
	var errs []error
	d.situation, d.prepared = s, nil
	for i := range s.InForce {
		p, err := d.prepare(&s.InForce[i], now)
		if err != nil {
			errs = append(errs, err)
			d.options.Logger.Error("alert not delivered", "alert", s.InForce[i].Alert, "error", err)
		}
		if p.item.Alert != "" {
			d.prepared = append(d.prepared, p)
		}
	}
	d.sort()
	d.lines = d.entries()
	// Who has moved to another place has seen other versions: all get new ones.
	return errors.Join(append(errs, d.hand(now, moved))...)
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

// prepare is prepareAnew, or what it gave for the same item before.
func (d *Dispatcher) prepare(it *Item, now time.Time) (prepared, error) {
	p, ok := d.items.get(it.Alert)
	if ok && p.complete && sameItem(&p.item, it) {
		p.item = *it
		d.items.used[it.Alert] = p
		return p, nil
	}
	p, err := d.prepareAnew(it, now)
	p.complete = err == nil
	d.items.used[it.Alert] = p
	return p, err
}

// sameItem reports whether the same is delivered to the same for both.
func sameItem(a, b *Item) bool {
	return a.Revision == b.Revision && a.Digest == b.Digest && a.Expires.Equal(b.Expires) && a.Status == b.Status &&
		a.Message == b.Message && slices.EqualFunc(a.Parts, b.Parts, func(x, y Part) bool {
		return x.To == y.To && slices.Equal(x.Infos, y.Infos)
	})
}

// prepareAnew signs the parts of one item. An item with a part that cannot be built is
// still listed and its other parts are still delivered; one that must not be
// delivered at all comes back empty.
func (d *Dispatcher) prepareAnew(it *Item, now time.Time) (prepared, error) {
	if err := deliverable(it); err != nil {
		return prepared{}, err
	}
	p := prepared{item: *it, rank: rank(alert.PresentationOf(it.Status, it.Message.Infos).Tier)}
	var errs []error
	for _, part := range it.Parts {
		signed, err := d.sign(it, part, now)
		if err != nil {
			errs = append(errs, fmt.Errorf("preparing alert %s for info blocks %v: %w", it.Alert, part.Infos, err))
			continue
		}
		p.deliveries = append(p.deliveries, delivery{rank: signed.rank, Delivery: Delivery{
			Alert: it.Alert, Revision: it.Revision, Digest: it.Digest, Expires: signed.says.Expires, Body: signed.body, Says: signed.says, To: part.To,
		}})
	}
	return p, errors.Join(errs...)
}

func rank(tier string) int {
	return slices.Index([]string{alert.TierEmergency, alert.TierAdvisory, alert.TierDrill, alert.TierTest}, tier)
}

// sign gives the signed body of one part, from the cache when its content is known.
func (d *Dispatcher) sign(it *Item, p Part, now time.Time) (signedBody, error) {
	key := bodyKey{it.Alert, it.Revision, it.Digest, it.Status, it.Expires.UnixNano(), fmt.Sprint(p.Infos)}
	if known, ok := d.bodies.get(key); ok {
		return known, nil
	}
	body, blocks, err := gravestBody(it, p.Infos, now, d.options.Signer.SignedSize)
	if err != nil {
		return signedBody{}, err
	}
	if blocks < len(p.Infos) {
		d.options.Logger.Warn("some members are in more areas of an alert than fit one message; they get the gravest",
			"alert", it.Alert, "blocks", len(p.Infos), "sent", blocks)
	}
	jws, err := d.options.Signer.Sign(body)
	if err != nil {
		return signedBody{}, err
	}
	made := signedBody{body: jws, says: &body, rank: rank(string(body.Tier))}
	d.bodies.used[key] = made
	return made, nil
}

// bodiesFirst is from how many pages that have to be signed on, some milliseconds of work,
// the bodies go out before them. A new body needs no manifest to begin: it is younger than
// the one that its device has.
const bodiesFirst = 16

// hand makes the Now of this moment and gives it to the outlets. What has expired
// since Set is in it no more. all makes every manifest new.
func (d *Dispatcher) hand(now time.Time, all bool) error {
	active := d.active(now)
	lists, keys, unsigned := d.listings(now, all)
	if unsigned > bodiesFirst && d.now != nil && d.now.Places == d.situation.Places {
		d.give(&Now{Places: d.now.Places, Listings: d.now.Listings, Whole: d.now.Whole, Keys: d.situation.Keys, Active: active})
	}
	listings, err := d.signListings(lists, keys, now)
	if err != nil {
		d.options.Logger.Error("manifest not signed", "error", err)
		return err
	}
	next := &Now{Places: d.situation.Places, Listings: listings, Keys: d.situation.Keys, Active: active}
	if d.options.Shared {
		last := len(listings) - 1
		next.Listings, next.Whole = listings[:last], listings[last]
	}
	d.give(next)
	return nil
}

func (d *Dispatcher) give(now *Now) {
	d.now = now
	for _, outlet := range d.options.Outlets {
		outlet.Set(now)
	}
}

func (d *Dispatcher) active(now time.Time) []Delivery {
	active := make([]Delivery, 0, len(d.loudest))
	for i := range d.loudest {
		if part := &d.loudest[i]; now.Before(part.Expires) {
			part.Groups = d.groupsOf(part.To)
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
	_ = d.hand(d.options.Clock(), true) // hand has logged it
}
