package originals

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"almenara/channels/signal"
	"almenara/cluster/fact"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// Options say what a Keeper may touch. All fields but the last
// two are needed.
type Options struct {
	Dir   string // of this node's originals
	Node  string // this node's server id
	Clock func() time.Time
	// Understood returns nil when every node reads facts with originals, else the caller's problem.
	Understood func(ctx context.Context) error
	// Room returns nil while the disk has room for more than the alerts themselves.
	Room func() error
	// Peers are the server ids of the other nodes, and Call posts to a path of one.
	Peers func() []string
	Call  func(ctx context.Context, peer, path string, body []byte) ([]byte, error)
	// Listed reads a page of agreed facts with originals in log order, after a place; an
	// empty page is the end.
	Listed func(index uint64, n uint16) ([]Listed, error)
	// Strangers is how long after the start files stay that no fact names; zero is an hour.
	Strangers time.Duration
	Logger    *slog.Logger
}

// Listed is an agreed fact with an original, and where it stands in the log.
type Listed struct {
	Index uint64
	N     uint16
	Fact  fact.Fact
}

// Keeper takes, fetches, serves and removes the originals of one node. Its methods may be
// called from any goroutine.
type Keeper struct {
	o     Options
	store *store
	list  *list
	wake  signal.Signal
	slots chan struct{} // fetches at a time
	begun time.Time

	mu     sync.Mutex  // guards pinned
	pinned map[Sum]int // on the disk, and their facts are not there yet
	index  uint64      // how far Listed was read; Run's goroutine only
	n      uint16
	next   map[Sum]retry // Run's goroutine only
}

// Open opens the folder. Nothing runs yet.
func Open(o Options) (*Keeper, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Strangers == 0 {
		o.Strangers = time.Hour
	}
	s, err := openStore(o.Dir)
	if err != nil {
		return nil, err
	}
	return &Keeper{
		o: o, store: s, list: newList(), wake: signal.New(), slots: make(chan struct{}, atOnce), begun: time.Now(),
		pinned: map[Sum]int{}, next: map[Sum]retry{},
	}, nil
}

// Large is a message that does not fit its fact, as the fact carries it.
type Large struct {
	Body     []byte        // of the fact
	Warnings why.Sentences // for whoever sent it
	release  func()
}

// Done ends what Take began, once the fact is made or will not be: from now on the
// message stays if a fact names it. Nil is fine.
func (l *Large) Done() {
	if l != nil {
		l.release()
	}
}

// Said are the warnings for whoever sent the message. Nil has none.
func (l *Large) Said() why.Sentences {
	if l == nil {
		return nil
	}
	return l.Warnings
}

// Take makes the body of the fact of an issue that is too large for one; a is its whole
// message. It refuses, as a *wire.Problem, what does not fit even so, what some node would
// not understand, and, unless it is urgent, what is beyond the author's share: of what is
// urgent only the original is not kept then. On return the message is on this
// disk, so that whoever has the fact may ask for it, unless it is only a try or the
// warnings say otherwise.
func (k *Keeper) Take(ctx context.Context, issue factbody.Issue, a *alert.Alert, urgent, try bool) (*Large, error) {
	if err := k.o.Understood(ctx); err != nil {
		return nil, err
	}
	raw := issue.Message
	sum, content := Sum(sha256.Sum256(raw)), a.Digest()
	unkept, err := k.refusal(issue.Author, sum, int64(len(raw)), urgent)
	if err != nil {
		return nil, err
	}
	issue.Original = &factbody.Original{
		SHA256: sum[:], Size: int64(len(raw)), Content: content[:], Kept: unkept.Why.Reason == "", Until: until(issue, a).UnixMilli(),
	}
	body, warnings, err := reduce(issue, a, fact.MaxBody)
	if err != nil {
		return nil, err
	}
	l := &Large{Body: body, Warnings: warnings, release: func() {}}
	if unkept.Why.Reason == "" && !try {
		if l.release, err = k.put(sum, raw); err != nil {
			k.o.Logger.Error("the disk does not take an original", "error", err)
			unkept, issue.Original.Kept = why.Sayf("the disk of this node does not take it").Because(why.KeptNotDisk), false
			if l.Body, _, err = reduce(issue, a, fact.MaxBody); err != nil {
				return nil, err
			}
		}
	}
	if unkept.Why.Reason != "" {
		unkept.Text = "the message as it was written is not kept, because " + unkept.Text + "; what it says is"
		l.Warnings = append(l.Warnings, unkept)
	}
	return l, nil
}

// put makes a message durable, and keeps it from being swept before its fact is there.
func (k *Keeper) put(sum Sum, raw []byte) (release func(), err error) {
	k.pin(sum, 1)
	release = sync.OnceFunc(func() { k.pin(sum, -1) })
	if err := k.store.put(sum, raw); err != nil {
		release()
		return func() {}, err
	}
	return release, nil
}

// until is the end of an original's protection: while devices may still ask for the alert.
func until(issue factbody.Issue, a *alert.Alert) time.Time {
	accepted := time.UnixMilli(issue.Accepted)
	last := a.Expires()
	if last.Before(accepted) {
		last = accepted
	}
	if most := accepted.Add(alert.MaxLifetime); last.After(most) {
		last = most
	}
	return last.Add(alert.EndMemory)
}

// refusal says why a message may not be kept, or is refused for what its author has sent.
func (k *Keeper) refusal(author string, sum Sum, size int64, urgent bool) (unkept why.Sentence, err error) {
	if _, known := k.list.find(sum); known {
		return unkept, nil
	}
	now := k.o.Clock()
	all, own := k.list.protected(author, now)
	switch {
	case own+size > MostOfAuthor && urgent:
		return why.Sayf("those of %s that are in force or were a day ago have %d MiB already, and %d MiB is the most of one sender", author, own>>20, MostOfAuthor>>20).Because(why.KeptNotAuthor, author, own>>20, MostOfAuthor>>20), nil
	case own+size > MostOfAuthor:
		free := k.list.room(author, size, now)
		p := wire.Problemf(wire.KindOverBudget, "the messages of %s that are in force or were a day ago have %d MiB, and %d MiB is the most of one sender; "+
			"nothing was sent: send it with simpler outlines and without attachments, or after %s",
			author, own>>20, MostOfAuthor>>20, free.UTC().Format("15:04 UTC on 2 January")).Because(why.OriginalsMany, author, MostOfAuthor>>20, free)
		p.RetryAfter = max(1, int(math.Ceil(free.Sub(now).Seconds())))
		return unkept, p
	case all+size > MostProtected:
		return why.Sayf("the district keeps %d MiB of such messages already", all>>20).Because(why.KeptNotDistrict, all>>20), nil
	case k.o.Room() != nil:
		return why.Sayf("the disk of this node has no room for it").Because(why.KeptNotRoom), nil
	}
	return unkept, nil
}

func (k *Keeper) pin(sum Sum, by int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pinned[sum] += by; k.pinned[sum] > 0 {
		return
	}
	delete(k.pinned, sum)
	if _, named := k.list.find(sum); !named { // it was refused, or known already by then
		k.store.remove(sum)
	}
}

// Learn notes the original of an alert fact, if it has one, and lets it be fetched. It
// does not block.
func (k *Keeper) Learn(origin string, issue factbody.Issue) {
	o, ok := read(origin, issue)
	if ok && k.list.add(o) && !k.store.has(o.Sum) {
		k.wake.Set()
	}
}

// read is what an issue says of its original; false where there is none to keep.
func read(origin string, issue factbody.Issue) (Original, bool) {
	if issue.Original == nil || !issue.Original.Kept {
		return Original{}, false
	}
	sum, ok := sumOf(issue.Original.SHA256)
	o := Original{
		Sum: sum, Size: issue.Original.Size, Author: issue.Author, Origin: origin,
		Accepted: time.UnixMilli(issue.Accepted), Until: time.UnixMilli(issue.Original.Until),
	}
	if most := o.Accepted.Add(alert.MaxLifetime + alert.EndMemory); o.Until.After(most) {
		o.Until = most
	}
	return o, ok && o.Size > 0 && o.Size <= MaxBytes
}

// Copy says what became of the original of an issue on this node: nil for a message that
// has none apart.
func (k *Keeper) Copy(issue factbody.Issue) *wire.Original {
	if issue.Original == nil {
		return nil
	}
	sum, _ := sumOf(issue.Original.SHA256)
	out := &wire.Original{SHA256: sum.String(), Bytes: issue.Original.Size, Copy: wire.CopyMissing}
	switch {
	case !issue.Original.Kept:
		out.Copy = wire.CopyNotKept
	case k.store.has(sum):
		out.Copy = wire.CopyHere
	}
	return out
}

// Read gives the message of an issue as its sender wrote it: from the fact, from the disk
// of this node, or from another node. Where none of them has it the error is a
// *wire.Problem that says so.
func (k *Keeper) Read(ctx context.Context, issue factbody.Issue) ([]byte, error) {
	if issue.Original == nil {
		return issue.Message, nil
	}
	sum, _ := sumOf(issue.Original.SHA256)
	if b, err := k.store.get(sum); err == nil {
		return b, nil
	}
	o, ok := k.list.find(sum)
	if !ok {
		return nil, wire.Problemf(wire.KindNotFound, "the message as it was written, of %d bytes, was not kept; the alert holds what it says", issue.Original.Size).Because(why.NoOriginal)
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if err := k.fetch(ctx, o); err != nil {
		return nil, wire.Problemf(wire.KindNotReady, "the message as it was written, of %d bytes, is not on this node yet, and no node that can be reached has it; "+
			"the alert is not affected: ask again later", o.Size).Because(why.NotHereYet)
	}
	b, err := k.store.get(sum)
	if err != nil {
		return nil, fmt.Errorf("reading an original that was just fetched: %w", err)
	}
	return b, nil
}
