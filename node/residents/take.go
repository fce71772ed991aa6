package residents

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"almenara/cluster/fact"
	"almenara/node/reports"
	"almenara/node/residents/refusals"
	"almenara/node/residents/typed"
	"almenara/storage/factbody"
)

const (
	mostWaiting = 1024                  // answers that wait to be made a fact, and as many requests for help
	takeWait    = 2 * time.Second       // how long an answer waits to be agreed
	lookEvery   = 50 * time.Millisecond // whether the node is alone, meanwhile
)

// Answer is what somebody says.
type Answer struct {
	What        factbody.ResidentWhat
	Where, Text string // where the person is, and further words; cut to what is kept
	Photo       []byte // JPEG, as it came; nil: none
}

// Taken says what became of an answer.
type Taken struct {
	View
	Agreed  bool // by a majority of the nodes; false: it is on the disk of this one
	NoPhoto bool // the request for help was taken, and its photo could not be
}

// asks is the word by which an alert asks for each answer.
var asks = map[factbody.ResidentWhat]string{factbody.ResidentSeen: "seen", factbody.ResidentHelp: "help", factbody.ResidentPhoto: "photo"}

// Answer takes an answer. When it returns without an error the answer is on this node's disk, once, however often
// it is sent; a request for help also where its photo cannot be taken. Errors are *refusals.Refused.
func (r *Residents) Answer(ctx context.Context, v Visit, in Answer) (Taken, error) {
	now := r.o.Clock()
	if !r.floods.Asks(v.Address, now) {
		return Taken{}, &refusals.Refused{Why: refusals.TooMany, RetryAfter: 15}
	}
	view, err := r.view(v, now)
	if err != nil {
		return Taken{}, err
	}
	return r.answer(ctx, view, from{v.Address, string(view.Alert) + " " + view.Block}, in, now)
}

// from is where an answer comes from, for floods alone; the block is of an alert.
type from struct{ address, block string }

func (r *Residents) answer(ctx context.Context, view View, from from, in Answer, now time.Time) (_ Taken, err error) {
	out := Taken{View: view}
	if !slices.Contains(view.Asked, asks[in.What]) {
		return out, refusals.Refuse(refusals.NotAsked)
	}
	a := factbody.ResidentAnswer{Alert: string(view.Alert), Block: view.Block, What: in.What, Phone: view.phone, Taken: now.UnixMilli()}
	if in.What != factbody.ResidentSeen {
		a.Where, a.Text = typed.Cut(in.Where, factbody.MaxResidentWhere), typed.Cut(in.Text, factbody.MaxResidentText)
	}
	if in.What == factbody.ResidentPhoto && len(in.Photo) == 0 {
		return out, refusals.Refuse(refusals.Empty)
	}
	sum := sha256.Sum256(in.Photo)
	a.ID = factbody.ResidentID(a.Alert, a.Phone, a.What, fmt.Sprintf("%s\x00%s\x00%x", a.Where, a.Text, sum))
	if r.o.Book.known(a) {
		out.Agreed = !r.o.Alone()
		return out, nil
	}
	little, wait := r.floods.Takes(a, from.address, from.block, now)
	if wait > 0 {
		return out, refusals.Many(a.What == factbody.ResidentHelp, int(math.Ceil(wait.Seconds())))
	}
	if !r.o.Book.room(a, little) {
		return out, refusals.Many(a.What == factbody.ResidentHelp, 300)
	}
	if err := r.o.Understood(ctx, fact.KindResidents.Since()); err != nil {
		return out, refusals.Refuse(refusals.NotReady)
	}
	release := func() {}
	if len(in.Photo) > 0 && in.What != factbody.ResidentSeen {
		if release, err = r.photo(&a, in.Photo); err != nil && in.What == factbody.ResidentPhoto {
			return out, err
		}
		out.NoPhoto = err != nil
	}
	out.Agreed, err = r.record(ctx, a)
	release()
	return out, err
}

// photo draws the photo anew, one at a time because that takes memory, and puts it on the disk.
func (r *Residents) photo(a *factbody.ResidentAnswer, raw []byte) (release func(), err error) {
	none := func() {}
	r.drawing.Lock()
	defer r.drawing.Unlock()
	drawn, size, err := reports.Redraw(raw)
	if err != nil {
		return none, refusals.Refuse(refusals.BadPhoto)
	}
	done, err := r.o.Photos.TakePhoto(drawn)
	if err != nil {
		return none, refusals.Refuse(refusals.NotReady)
	}
	sum := sha256.Sum256(drawn)
	a.Photo = &factbody.Photo{SHA256: sum[:], Size: int64(len(drawn)), Width: uint32(size.X), Height: uint32(size.Y)}
	return done, nil
}

// waiting is an answer that is to be made a part of a fact.
type waiting struct {
	answer factbody.ResidentAnswer
	done   chan outcome // takes one
}

type outcome struct {
	agreed bool
	err    error
}

// record hands an answer to the collector and waits until it is on the disk, and for some time until it is agreed.
func (r *Residents) record(ctx context.Context, a factbody.ResidentAnswer) (agreed bool, err error) {
	w, queue := &waiting{a, make(chan outcome, 1)}, r.queue
	if a.What == factbody.ResidentHelp {
		queue = r.urgent
	}
	select {
	case queue <- w:
	default:
		return false, refusals.Many(a.What == factbody.ResidentHelp, 5)
	}
	select {
	case out := <-w.done:
		return out.agreed, out.err
	case <-ctx.Done():
		return false, refusals.Refuse(refusals.NotReady)
	case <-r.ctx.Done():
		return false, refusals.Refuse(refusals.NotReady)
	}
}

// collect makes one fact of all answers that wait, who needs help first, again and again: while one is being written
// the next come together, so that a thousand phones cost some dozen facts.
func (r *Residents) collect() {
	for {
		var batch []*waiting
		select {
		case <-r.ctx.Done():
			return
		case w := <-r.urgent:
			batch = append(batch, w)
		case w := <-r.queue:
			batch = append(batch, w)
		}
		r.write(more(r.queue, more(r.urgent, batch)))
	}
}

// more puts into a batch what waits, as long as a fact takes it.
func more(queue <-chan *waiting, batch []*waiting) []*waiting {
	for len(batch) < factbody.MaxResidentAnswers {
		select {
		case w := <-queue:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// write makes a fact of a batch; who waits is told, at once where it failed, else once it is agreed or that takes
// too long.
func (r *Residents) write(batch []*waiting) {
	var all factbody.Residents
	for _, w := range batch {
		all.Answers = append(all.Answers, w.answer)
	}
	tell := func(o outcome) {
		for _, w := range batch {
			w.done <- o
		}
	}
	body, err := all.Encode()
	if err != nil {
		tell(outcome{err: refusals.Refuse(refusals.NotReady)})
		return
	}
	p, err := r.o.Exchange.Create(r.ctx, fact.KindResidents, fact.Receipts, body)
	if err != nil {
		tell(outcome{err: refusals.Refuse(refusals.NotReady)})
		return
	}
	if p.Durable() && r.o.Alone() {
		tell(outcome{})
		return
	}
	r.work.Go(func() {
		over := time.NewTimer(takeWait)
		defer over.Stop()
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for {
			select {
			case <-p.Committed():
				tell(outcome{agreed: true})
				return
			case <-over.C:
			case <-r.ctx.Done():
			case <-look.C:
				if !r.o.Alone() {
					continue
				}
			}
			if !p.Durable() {
				tell(outcome{err: refusals.Refuse(refusals.NotReady)})
				return
			}
			tell(outcome{})
			return
		}
	})
}
