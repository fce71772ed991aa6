package reports

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

const (
	hourly     = 12               // reports of a member in an hour
	hourlyAll  = 600              // of everybody
	hourlyHelp = 2 * hourlyAll    // of everybody, where somebody needs help
	between    = 45 * time.Second // two positions of one member
	minutely   = 240              // positions of everybody in a minute

	oldest = 7 * 24 * time.Hour // a report waits on a phone that reaches no node
	ahead  = 15 * time.Second   // of a device's clock

	lookEvery = 50 * time.Millisecond // whether the node is alone, while a report waits
	waitsFor  = 3 * time.Second       // until a device is told that its report is not agreed on yet

	takenAtOnce = 64 // reports that are being taken; of a member, the gateway bounds them
)

// errBusy has a device send its report again.
var errBusy = errors.New("too many reports are being taken at this moment")

// Report implements part of mqtt.Hooks: done is called with nil once the report is on the disks of a majority
// of the nodes, or of this one where it is alone. It returns at once.
func (r *Reports) Report(from channels.Endpoint, in contract.Report, done func(error)) {
	select {
	case r.taking <- struct{}{}:
	default:
		done(errBusy)
		return
	}
	r.work.Go(func() {
		err := r.take(from, in)
		<-r.taking
		done(err)
	})
}

// take makes a fact of a report, once, and waits until it is durable.
func (r *Reports) take(from channels.Endpoint, in contract.Report) error {
	id := factbody.ReportID(from.Device, in.ID)
	if p, taken := r.underway(id); taken {
		return r.settled(id, p)
	}
	kind := factbody.ReportKindOf(in.Kind)
	if err := r.admits(from.Member, kind); err != nil { // before anything is done for it
		return err
	}
	if err := r.o.Understood(r.ctx, fact.KindReport.Since()); err != nil {
		return fmt.Errorf("taking a report: %w", err)
	}
	body := factbody.Report{
		Report: id, Device: from.Device, Member: from.Member, Kind: kind, Alert: in.Alert, Text: in.Text, Place: in.Place, Point: pointOf(in.Position),
	}
	release := func() {}
	if len(in.Photo) > 0 {
		raw, err := r.photo(&body, in.Photo)
		if err != nil {
			return err
		}
		done, err := r.o.Photos.TakePhoto(raw)
		if err != nil {
			return fmt.Errorf("keeping the photo of a report: %w", err)
		}
		release = done
	}
	p, err := r.record(from, &body, in.At)
	release()
	if err != nil {
		return err
	}
	return r.settled(id, p)
}

// photo draws the photo anew, one at a time: it takes memory.
func (r *Reports) photo(body *factbody.Report, raw []byte) ([]byte, error) {
	r.drawing.Lock()
	defer r.drawing.Unlock()
	out, size, err := Redraw(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", mqtt.ErrPayload, err)
	}
	sum := sha256.Sum256(out)
	body.Photo = &factbody.Photo{SHA256: sum[:], Size: int64(len(out)), Width: uint32(size.X), Height: uint32(size.Y)}
	return out, nil
}

// record makes the fact, one after the other, so that no two pass the bounds together. It is on this disk
// when it returns. One that is known by now gives no error, and nil where all there is to know of it is that.
func (r *Reports) record(from channels.Endpoint, body *factbody.Report, at time.Time) (*exchange.Progress, error) {
	r.recording.Lock()
	defer r.recording.Unlock()
	if p, taken := r.underway(body.Report); taken {
		return p, nil
	}
	if err := r.admits(from.Member, body.Kind); err != nil {
		return nil, err
	}
	now := r.o.Clock()
	body.Taken, body.At = now.UnixMilli(), believed(at, now).UnixMilli()
	raw, err := body.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding a report: %w", err)
	}
	p, err := r.o.Exchange.Create(r.ctx, fact.KindReport, fact.Receipts, raw)
	if err != nil {
		return nil, fmt.Errorf("recording a report: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.waiting { // whose devices were told before that they were not agreed yet
		select {
		case <-p.Committed():
			delete(r.waiting, id)
		default:
		}
	}
	r.waiting[body.Report] = p
	return p, nil
}

// underway is how far a report has got that was taken before; nil where it is agreed, or was taken elsewhere.
func (r *Reports) underway(id string) (p *exchange.Progress, taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, waits := r.waiting[id]; waits {
		return p, true
	}
	return nil, r.o.Book.known(id)
}

// settled waits until a report is agreed, or durable here where nothing can be.
func (r *Reports) settled(id string, p *exchange.Progress) error {
	if p == nil {
		return nil
	}
	over := time.NewTimer(r.patience)
	defer over.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if p.Durable() && r.o.Alone() {
			return nil
		}
		select {
		case <-p.Committed():
			r.mu.Lock()
			delete(r.waiting, id)
			r.mu.Unlock()
			return nil
		case <-look.C:
		case <-over.C:
			return errors.New("the report is not agreed on yet")
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
}

// admits refuses what is more than a member, or everybody, may report.
func (r *Reports) admits(member uint32, kind factbody.ReportKind) error {
	now := r.o.Clock()
	if kind == factbody.ReportPosition {
		last, all := r.o.Book.positioned(member, now.Add(-time.Minute))
		if passed := now.Sub(last); passed >= 0 && passed < between || all >= minutely {
			return fmt.Errorf("%w: positions", mqtt.ErrTooMany)
		}
		return nil
	}
	most := hourlyAll
	if kind == factbody.ReportNeedHelp {
		most = hourlyHelp
	}
	own, all := r.o.Book.counted(member, now.Add(-time.Hour))
	switch {
	case own >= hourly:
		return fmt.Errorf("%w: %d reports of the member in an hour", mqtt.ErrTooMany, own)
	case all >= most:
		return fmt.Errorf("%w: %d reports in the district in an hour", mqtt.ErrTooMany, all)
	}
	return nil
}

// believed is when a report was made: as its device says, within what is plausible, or else now.
func believed(at, now time.Time) time.Time {
	switch {
	case at.Before(now.Add(-oldest)), at.After(now.Add(ahead)):
		return now
	case at.After(now):
		return now
	}
	return at
}

// pointOf is a position in the units of records.
func pointOf(p *contract.Position) *factbody.Point {
	if p == nil {
		return nil
	}
	return &factbody.Point{Lat: int32(math.Round(p.Lat * 1e7)), Lon: int32(math.Round(p.Lon * 1e7)), Accuracy: uint32(math.Ceil(p.Accuracy))}
}
