// Package reports is what people report by their devices: somebody needs help, a way is blocked, with a text, a
// photo and a position. Each is a fact of the node that took it, so it works without a majority; what a person
// makes of one is another fact. Photos lie beside the facts as large messages do.
//
//	device ─> Report ─> Redraw ─> Photos.TakePhoto ─┐
//	                                                ├─> Exchange.Create ─> Book ─> ListReports, …
//	operator ─> Rules.Check ─> ModerateReport ──────┘
//
// Nothing that a report says is believed beyond what is plausible, nobody's reports take the room of others, and
// nothing follows from one by itself: a person reads it. It never imports api, pages, or another part of node but
// authority, replication and wire.
package reports

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/replication"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/member"
)

// Exchange makes facts; *exchange.Exchange is one.
type Exchange interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// Options say what Reports need. None may be nil.
type Options struct {
	Book *Book
	// Photos keep the photos; *originals.Keeper is one.
	Photos interface {
		TakePhoto(raw []byte) (done func(), err error)
		ReadPhoto(ctx context.Context, p factbody.Photo) ([]byte, error)
	}
	// AlertIDs are all ids of the alert that an id, or the beginning of one, means.
	AlertIDs func(id string) ([]string, error)
	Rules    *authority.Rules
	Exchange Exchange
	Progress *replication.Facts
	Store    *storage.Store
	Audience func() *lookup.Index
	// Understood reports an error while a node of the district does not understand commands of
	// that version.
	Understood func(ctx context.Context, version uint64) error
	Alone      func() bool // nothing can be agreed on now
	Clock      func() time.Time
}

// Reports takes what people report, and answers service.Reported. Its methods may be called from any
// goroutine.
type Reports struct {
	o      Options
	ctx    context.Context // of what is taken from devices
	cancel context.CancelFunc
	work   sync.WaitGroup
	taking chan struct{}

	patience  time.Duration // how long a report may wait to be agreed
	moderator *Moderator

	drawing   sync.Mutex // held while a photo is drawn anew
	recording sync.Mutex // held while a fact is made

	mu      sync.Mutex
	waiting map[string]*exchange.Progress // by report: facts of this process that are not agreed yet
}

// New makes one. Close ends what it takes.
func New(o Options) *Reports {
	r := &Reports{o: o, patience: waitsFor, taking: make(chan struct{}, takenAtOnce), waiting: map[string]*exchange.Progress{}}
	r.moderator = &Moderator{Rules: o.Rules, Exchange: o.Exchange, Progress: o.Progress, Understood: o.Understood, Alone: o.Alone, Clock: o.Clock}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Close ends and awaits what is being taken. Devices are told that it was not, and send it again.
func (r *Reports) Close() {
	r.cancel()
	r.work.Wait()
}

// pageUsual and pageMost are how many reports one answer has.
const (
	pageUsual = 20
	pageMost  = 200
)

// ListReports implements service.Reported.
func (r *Reports) ListReports(_ context.Context, by authority.Caller, q reported.Query) (out reported.PersonReports, err error) {
	if err := authority.Door(by, authority.ReadReports); err != nil {
		return out, err
	}
	if q.Handling != "" && factbody.ReportStateOf(string(q.Handling)) == 0 || q.Kind != "" && !slices.Contains(reported.Topics(), q.Kind) {
		return out, wire.Problemf(wire.KindMalformed, "there is no such state or kind of reports").Because(why.FormWrong)
	}
	wanted, err := r.wanted(by, q)
	if err != nil {
		return out, err
	}
	all := r.o.Book.list(wanted)
	for _, one := range all {
		if one.state() == factbody.ReportNew {
			if out.New++; one.Kind == factbody.ReportNeedHelp {
				out.NeedHelp++
			}
		}
	}
	all, out.Next = page(all, q)
	out.Reports = make([]reported.PersonReport, 0, len(all))
	err = r.o.Store.View(func(t *storage.Txn) error {
		for _, one := range all {
			shown, err := show(t, by, one)
			if err != nil {
				return err
			}
			out.Reports = append(out.Reports, shown)
		}
		if q.Alert == "" {
			return nil
		}
		out.Responders, err = r.responders(t, by, q.Alert)
		return err
	})
	return out, err
}

// wanted picks the reports of an alert and of a place, among those that the caller may read.
func (r *Reports) wanted(by authority.Caller, q reported.Query) (func(factbody.Report) bool, error) {
	of, err := r.ofAlert(q.Alert)
	if err != nil {
		return nil, err
	}
	mayRead, err := r.under(by.Places...)
	if err != nil {
		return nil, err
	}
	inside := func(uint32) bool { return true }
	if q.Place != "" {
		if inside, err = r.under(q.Place); err != nil {
			return nil, err
		}
	}
	return func(one factbody.Report) bool { return of(one.Alert) && inside(one.Member) && mayRead(one.Member) }, nil
}

// under picks the members below any of the places, everybody where there is none. Who is limited to places
// reads what was reported there, and is told nothing of the rest.
func (r *Reports) under(places ...string) (func(member uint32) bool, error) {
	if len(places) == 0 {
		return func(uint32) bool { return true }, nil
	}
	selection, err := authority.Under(places...)
	if err != nil {
		return nil, err
	}
	members, err := r.o.Audience().Select(selection)
	if err != nil {
		return nil, fmt.Errorf("selecting a place: %w", err)
	}
	return members.Contains, nil
}

// ofAlert says whether an id is one of the alert's that is meant; every id is where none is.
func (r *Reports) ofAlert(id string) (func(string) bool, error) {
	if id == "" {
		return func(string) bool { return true }, nil
	}
	ids, err := r.o.AlertIDs(id)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, id := range ids {
		known[id] = true
	}
	return func(id string) bool { return known[id] }, nil
}

// page is what is asked for of the reports that are wanted, and after which the next page begins.
func page(all []listed, q reported.Query) (out []listed, next string) {
	limit := pageUsual
	if q.Limit > 0 {
		limit = min(q.Limit, pageMost)
	}
	passed := q.After == ""
	for _, one := range all {
		state := reported.Handling(one.state().String())
		asked := q.Handling == state || q.Handling == "" && state != reported.Hidden
		switch {
		case !passed:
			passed = one.Report.Report == q.After
		case !asked, q.Kind != "" && string(q.Kind) != one.Kind.String():
		case len(out) == limit:
			return out, out[limit-1].Report.Report
		default:
			out = append(out, one)
		}
	}
	return out, ""
}

// ShowReport implements service.Reported.
func (r *Reports) ShowReport(_ context.Context, by authority.Caller, id string) (out reported.PersonReport, err error) {
	one, last, err := r.find(by, id)
	if err != nil {
		return out, err
	}
	return out, r.o.Store.View(func(t *storage.Txn) (err error) {
		out, err = show(t, by, listed{one, last})
		return err
	})
}

// ReportPhoto implements service.Reported.
func (r *Reports) ReportPhoto(ctx context.Context, by authority.Caller, id string) ([]byte, error) {
	one, _, err := r.find(by, id)
	if err != nil {
		return nil, err
	}
	if one.Photo == nil {
		return nil, wire.Problemf(wire.KindNotFound, "the report %s has no photo", one.Report).Because(why.NoPhoto)
	}
	return r.o.Photos.ReadPhoto(ctx, *one.Photo)
}

// find is a report by its id.
func (r *Reports) find(by authority.Caller, id string) (factbody.Report, *factbody.Moderation, error) {
	if err := authority.Door(by, authority.ReadReports); err != nil {
		return factbody.Report{}, nil, err
	}
	mayRead, err := r.under(by.Places...)
	if err != nil {
		return factbody.Report{}, nil, err
	}
	one, last, ok := r.o.Book.one(id)
	if !ok || !mayRead(one.Member) {
		return factbody.Report{}, nil, wire.Problemf(wire.KindNotFound, "no report %.100q is known here", id).Because(why.NoReport, id)
	}
	return one, last, nil
}

// ModerateReport implements service.Reported.
func (r *Reports) ModerateReport(ctx context.Context, by authority.Caller, id string, in reported.Moderate, wait wire.Wait) (out reported.PersonReport, err error) {
	state, err := StateOf(in)
	if err != nil {
		return out, err
	}
	one, last, ok := r.o.Book.one(id)
	if !ok {
		return out, wire.Problemf(wire.KindNotFound, "no report %.100q is known here", id).Because(why.NoReport, id)
	}
	m := factbody.Moderation{Report: id, State: state, By: by.Name, Note: in.Note}
	if err := r.moderator.Say(ctx, by, roaring.BitmapOf(one.Member), m, last, wait); err != nil {
		return out, err
	}
	return r.ShowReport(ctx, by, id)
}

// show is a report as callers are given it.
func show(t *storage.Txn, by authority.Caller, one listed) (reported.PersonReport, error) {
	out := reported.PersonReport{
		ID: one.Report.Report, Kind: reported.Topic(one.Kind.String()), Handling: reported.Handling(one.state().String()), Alert: one.Alert, Device: one.Device,
		At: time.UnixMilli(one.At).UTC(), Taken: time.UnixMilli(one.Taken).UTC(), Text: one.Text, Where: one.Place,
	}
	if p := one.Point; p != nil {
		out.Position = new(position(*p))
	}
	if p := one.Photo; p != nil {
		out.Photo = &reported.Picture{Bytes: p.Size, Width: p.Width, Height: p.Height}
	}
	if m := one.last; m != nil {
		out.By, out.Moderated, out.Note = m.By, time.UnixMilli(m.At).UTC(), m.Note
	}
	m, ok, err := memberOf(t, one.Member)
	if err != nil || !ok {
		return out, err
	}
	out.Member, out.Place, out.Name = m.ID, string(m.Place), nameFor(by, m)
	return out, nil
}

func position(p factbody.Point) reported.Spot {
	return reported.Spot{Lat: float64(p.Lat) / 1e7, Lon: float64(p.Lon) / 1e7, AccuracyMeters: p.Accuracy}
}

// nameFor is a member's name for who may read the names of persons.
func nameFor(by authority.Caller, m audience.Member) string {
	if authority.May(by, authority.ReadPersons) {
		return m.Name
	}
	return ""
}

// responders are where those are who attached their position to the alert.
func (r *Reports) responders(t *storage.Txn, by authority.Caller, alert string) (out []reported.Responder, err error) {
	of, err := r.ofAlert(alert)
	if err != nil {
		return nil, err
	}
	mayRead, err := r.under(by.Places...)
	if err != nil {
		return nil, err
	}
	for _, one := range r.o.Book.responders(of) {
		if !mayRead(one.Member) {
			continue
		}
		m, _, err := memberOf(t, one.Member)
		if err != nil {
			return nil, err
		}
		out = append(out, reported.Responder{
			Member: m.ID, Name: nameFor(by, m), Alert: one.Alert, At: time.UnixMilli(one.At).UTC(), Position: position(*one.Point),
		})
	}
	return out, nil
}

// memberOf reads the live member with an ordinal; false where it was removed or never was.
func memberOf(t *storage.Txn, ordinal uint32) (audience.Member, bool, error) {
	id, err := member.ID(t, ordinal)
	if err != nil || id == "" {
		return audience.Member{}, false, err
	}
	rec, ok, err := member.Get(t, id)
	return rec.Member, ok && !rec.Removed, err
}
