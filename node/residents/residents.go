// Package residents takes what anybody answers to an alert with a phone that read the code beside it on a
// screen: seen, need help, a photo. There is no account and no app, and nobody's identity is kept: a link
// says which alert and which block, and a phone keeps a random value for that alert alone, so that it counts
// once. Answers are facts of the node that took them, so it works without a majority.
//
//	Codes ─> command to screens ─> code ─> phone ─> Open ─> Answer ─> collector ─> Exchange.Create ─> Book
//	operator ─> AlertResidents, HandleResident
//
// Links are signed by the node that made them (link.go). Nothing follows from an answer by itself: a person
// reads it. It never imports api, pages, or another part of node but authority, floods, replication,
// reports for drawing photos anew and for moderation, and wire.
package residents

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/replication"
	"almenara/node/reports"
	"almenara/node/residents/floods"
	"almenara/node/residents/refusals"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/noderecord"
)

// Exchange makes facts; *exchange.Exchange is one.
type Exchange interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// Options say what Residents need. None may be nil.
type Options struct {
	Book *Book
	// Photos keep the photos; *originals.Keeper is one.
	Photos interface {
		TakePhoto(raw []byte) (done func(), err error)
		ReadPhoto(ctx context.Context, p factbody.Photo) ([]byte, error)
	}
	// InForce is what devices are given now; nil: it is not known yet.
	InForce func() *channels.Situation
	// AlertIDs are all ids of the alert that an id, or the beginning of one, means.
	AlertIDs func(id string) ([]string, error)
	// Recalls are the places whose visitors an alert recalls, by its id; none of an ordinary one.
	Recalls func(id string) []visited.Visit
	// Keys are those of the nodes that belong to the district now.
	Keys     func() ([]noderecord.PublicKey, error)
	Signer   contract.Signer // this node's key
	Rules    *authority.Rules
	Exchange Exchange
	Progress *replication.Facts
	Audience func() *lookup.Index
	// Understood reports an error while a node of the district does not understand commands of that version.
	Understood func(ctx context.Context, version uint64) error
	Alone      func() bool // nothing can be agreed on now
	// Base is the address under which residents' phones reach the node, such as https://host:port; "": screens are
	// given no codes.
	Base   string
	Send   func(ctx context.Context, device string, payload []byte) error // returns when the device has acknowledged it
	Store  *storage.Store
	Clock  func() time.Time
	Logger *slog.Logger
}

// Residents takes answers, and answers service.Residents. Its methods may be called from any goroutine.
type Residents struct {
	o      Options
	floods *floods.Floods
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	urgent chan *waiting // requests for help
	queue  chan *waiting // all other answers
	codes  codes

	moderator *reports.Moderator

	drawing sync.Mutex // held while a photo is drawn anew

	mu     sync.Mutex // guards what follows
	blocks map[[placeBytes]byte]string
	made   uint64 // the generation of the audience of which blocks is
	index  *lookup.Index
}

// New makes one, which takes answers until Close.
func New(o Options) *Residents {
	r := &Residents{o: o, floods: floods.New(), urgent: make(chan *waiting, mostWaiting), queue: make(chan *waiting, mostWaiting), codes: codes{screens: map[string]*screen{}}}
	r.moderator = &reports.Moderator{Rules: o.Rules, Exchange: o.Exchange, Progress: o.Progress, Understood: o.Understood, Alone: o.Alone, Clock: o.Clock}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.work.Go(r.collect)
	return r
}

// Close ends and awaits what is being taken. Whoever waits is told that it was not.
func (r *Residents) Close() {
	r.cancel()
	r.work.Wait()
}

// Visit is what a phone brings: the link that it read or follows, and the pass that it was given; either the
// link is new enough, or the pass is good.
type Visit struct {
	Link, Pass string
	Address    string // of who asks, for floods alone; it is not kept
}

// View is what a phone is shown.
type View struct {
	Alert   alert.ID
	Block   string
	Pass    string // for the phone to keep, for this alert
	Status  alert.Status
	Tier    contract.Tier
	Texts   []contract.Text // those that concern the block
	Asked   []string        // of alert.ResidentWords
	Seen    bool            // by this phone
	Help    bool            // this phone asked for it
	Photo   bool            // this phone sent one by itself
	Expires time.Time       // of the alert

	phone []byte
}

// Open gives what somebody who read a code is shown. Errors are *refusals.Refused.
func (r *Residents) Open(v Visit) (View, error) {
	now := r.o.Clock()
	if !r.floods.Opens(v.Address, now) {
		return View{}, &refusals.Refused{Why: refusals.TooMany, RetryAfter: 15}
	}
	return r.view(v, now)
}

// view verifies link and pass, and looks the alert up.
func (r *Residents) view(v Visit, now time.Time) (View, error) {
	keys, err := r.o.Keys()
	if err != nil {
		return View{}, refusals.Refuse(refusals.NotReady)
	}
	link, err := readLink(v.Link, keys, now, false)
	if err != nil {
		return View{}, err
	}
	secret, signed := readPass(v.Pass, keys, link.alert, link.place)
	if !signed {
		if _, err := readLink(v.Link, keys, now, true); err != nil {
			return View{}, err
		}
	}
	if secret == nil {
		secret = newSecret()
	}
	block, known := r.blockOf(link.place)
	if !known {
		return View{}, refusals.Refuse(refusals.NoPlace)
	}
	out := View{Alert: link.alert, Block: block, Pass: passOf(r.o.Signer, link.alert, link.place, secret), phone: phoneOf(link.alert, secret)}
	if err := r.fill(&out, now); err != nil {
		return View{}, err
	}
	r.answered(&out)
	return out, nil
}

// answered says what the phone has answered before, at any node of which this one has heard.
func (r *Residents) answered(v *View) {
	p := factbody.ResidentAnswer{Alert: string(v.Alert), What: factbody.ResidentSeen, Phone: v.phone}
	v.Seen = r.o.Book.known(p)
	v.Help, v.Photo = r.o.Book.saidOf(p.Alert, v.phone)
}

func newSecret() []byte {
	secret := make([]byte, phoneSecret)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return secret
}

// phoneOf is what answers of a phone have in common, for one alert: nothing joins those of two.
func phoneOf(id alert.ID, secret []byte) []byte {
	sum := sha256.Sum256(slices.Concat([]byte("resident phone\x00"), []byte(id), secret))
	return sum[:factbody.ResidentPhoneBytes]
}

// fill puts in what devices of the block are given of the alert.
func (r *Residents) fill(v *View, now time.Time) error {
	it, err := r.inForce(v.Alert, now)
	if err != nil {
		return err
	}
	members, err := r.membersOf(v.Block)
	if err != nil {
		return refusals.Refuse(refusals.NotReady)
	}
	texts := channels.Texts(it.Message)
	var infos []alert.Info
	for n := range it.Message.Infos {
		concerns := slices.ContainsFunc(it.Parts, func(p channels.Part) bool { return slices.Contains(p.Infos, n) && p.To.Intersects(members) })
		if concerns && n < len(texts) {
			infos, v.Texts = append(infos, it.Message.Infos[n]), append(v.Texts, texts[n])
		}
	}
	if len(infos) == 0 {
		return refusals.Refuse(refusals.Elsewhere)
	}
	if v.Asked = alert.ResidentsAsked(infos); len(v.Asked) == 0 {
		return refusals.Refuse(refusals.NotAsked)
	}
	v.show(it, infos)
	return nil
}

func (v *View) show(it channels.Item, infos []alert.Info) {
	v.Status, v.Expires, v.Tier = it.Status, it.Expires, contract.Tier(alert.PresentationOf(it.Status, infos).Tier)
}

// inForce is an alert as devices are given it now.
func (r *Residents) inForce(id alert.ID, now time.Time) (channels.Item, error) {
	situation := r.o.InForce()
	if situation == nil {
		return channels.Item{}, refusals.Refuse(refusals.NotReady)
	}
	i := slices.IndexFunc(situation.InForce, func(it channels.Item) bool { return it.Alert == id })
	if i < 0 || !now.Before(situation.InForce[i].Expires) || situation.InForce[i].Message == nil {
		return channels.Item{}, refusals.Refuse(refusals.Over)
	}
	return situation.InForce[i], nil
}

// membersOf is everybody in a block.
func (r *Residents) membersOf(block string) (*roaring.Bitmap, error) {
	under, err := authority.Under(block)
	if err != nil {
		return nil, err
	}
	return r.o.Audience().Select(under)
}

// Block is the block of a place: that of everything below it.
func Block(place string) string {
	return string(audience.Path(place).Cut(audience.BlockDepth))
}

// blockOf is the block that a link means, among those that have members.
func (r *Residents) blockOf(place [placeBytes]byte) (string, bool) {
	index := r.o.Audience()
	generation := index.Generation()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blocks == nil || r.index != index || r.made != generation {
		r.blocks = map[[placeBytes]byte]string{}
		for _, c := range index.Count(index.Ordinals(), audience.BlockDepth).ByPlace {
			r.blocks[placeOf(c.Name)] = c.Name
		}
		r.index, r.made = index, generation
	}
	block, known := r.blocks[place]
	return block, known
}
