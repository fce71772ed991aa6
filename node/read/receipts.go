package read

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/followup"
	"almenara/node/members"
	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/member"
	"almenara/storage/receipt"
)

// AlertReceipts implements service.Reader: a page of who reached a rung, or who has not,
// by ordinal.
func (r *Reader) AlertReceipts(ctx context.Context, by authority.Caller, id string, q wire.ReceiptQuery) (out wire.ReceiptPage, err error) {
	done, err := r.reading(ctx)
	if err != nil {
		return out, err
	}
	done = sync.OnceFunc(done)
	defer done()
	s, err := r.stories.Find(id)
	if err != nil {
		return out, err
	}
	want := receipt.Presented
	if q.Rung != "" {
		if want, err = receipt.ParseRung(q.Rung); err != nil {
			return out, wire.Problemf(wire.KindMalformed, "%v", err).Because(why.FormWrong, err)
		}
	}
	view, err := r.reached.Now()
	if err != nil {
		return out, err
	}
	out.From = view.From()
	m := s.Current()
	if m == nil {
		return out, nil
	}
	if err := authority.MayList(by, s.Personal()); err != nil {
		return out, err
	}
	told, err := r.followUps.Told(s.IDs, m.Entry.Revision)
	if err != nil {
		return out, err
	}
	page := receiptPage{
		r: r, s: s, m: m, view: view, missing: q.Missing, place: q.Place, names: authority.May(by, authority.ReadPersons),
		told: told, shown: r.shownSince(s, m),
	}
	if in := inplaces.Lists(by, s.Personal()); len(in) > 0 {
		if page.within, err = r.within(in...); err != nil {
			return out, err
		}
	}
	if len(by.Places) > 0 {
		if page.answers, err = r.within(by.Places...); err != nil { // what others answered is not for who is limited
			return out, err
		}
	}
	listed, err := page.listed(want)
	if err != nil {
		return out, err
	}
	ordinals := []uint32(nil)
	if out.Rows, ordinals, out.Next, err = page.rows(listed, q.After, members.PageSize(q.Limit)); err != nil || !q.Missing {
		return out, err
	}
	done() // nodes that do not answer take a second, and others read meanwhile
	return out, page.reasons(ctx, out.Rows, ordinals)
}

// within are the members in some of the places.
func (r *Reader) within(places ...string) (*roaring.Bitmap, error) {
	under, err := authority.Under(places...)
	if err != nil {
		return nil, err
	}
	members, err := r.members.Of(under)
	if err != nil {
		return nil, fmt.Errorf("selecting a place: %w", err)
	}
	return members, nil
}

// receiptPage makes the rows of one page.
type receiptPage struct {
	r       *Reader
	s       *stories.Story
	m       *alerts.Message
	view    reached.View
	missing bool
	place   string          // in which the members are; "" is any
	within  *roaring.Bitmap // who may be listed to the caller; nil is everybody
	names   bool
	answers *roaring.Bitmap // whose answers the caller may read; nil is everybody's
	told    map[uint32]followup.Told
	shown   time.Time // since when devices are to show it
}

// listed is who reached a rung of the message, of those who count, or who of them has not.
func (p receiptPage) listed(want receipt.Rung) (*roaring.Bitmap, error) {
	who, err := p.r.addressed.Of(p.s, p.m)
	if err != nil {
		return nil, err
	}
	everybody := who.Entitled()
	if p.within != nil {
		everybody = roaring.And(everybody, p.within)
	}
	if p.place != "" {
		within, err := p.r.within(p.place)
		if err != nil {
			return nil, err
		}
		everybody = roaring.And(everybody, within)
	}
	listed := everybody
	if want != receipt.Queued {
		if listed, err = p.view.Members(p.s.IDs, p.m.Entry.Revision, want); err != nil {
			return nil, err
		}
		listed.And(everybody)
	}
	if p.missing {
		return roaring.AndNot(everybody, listed), nil
	}
	return listed, nil
}

// rows gives the rows of the members after the one with the id after, their ordinals, and the
// id after which the next page begins; "" when there is none.
func (p receiptPage) rows(members *roaring.Bitmap, after string, limit int) (out []wire.ReceiptRow, ordinals []uint32, next string, err error) {
	known, err := p.ladder(p.view)
	if err != nil {
		return nil, nil, "", err
	}
	agreed := known
	if p.view.From() == wire.SourceThisNode {
		if agreed, err = p.ladder(p.view.Agreed()); err != nil {
			return nil, nil, "", err
		}
	}
	err = p.r.store.View(func(t *storage.Txn) error {
		it := members.Iterator()
		if after != "" {
			head, known, err := member.Head(t, after)
			if err != nil {
				return err
			}
			if !known {
				return wire.Problemf(wire.KindMalformed, "there is no member %q after which a page could begin", after).Because(why.PageGone)
			}
			it.AdvanceIfNeeded(head.Ordinal + 1)
		}
		for it.HasNext() && len(out) < limit {
			row, err := p.row(t, it.PeekNext(), known, agreed)
			if err != nil {
				return err
			}
			out, ordinals = append(out, row), append(ordinals, it.Next())
		}
		if it.HasNext() && len(out) > 0 {
			next = out[len(out)-1].Member
		}
		return nil
	})
	if err != nil {
		return nil, nil, "", err
	}
	return out, ordinals, next, p.times(out, ordinals)
}

func (p receiptPage) row(t *storage.Txn, ordinal uint32, known, agreed ladder) (wire.ReceiptRow, error) {
	who, ok, err := members.At(t, ordinal)
	if err == nil && !ok { // removed since; it was addressed all the same
		who.ID, err = member.ID(t, ordinal)
	}
	row := wire.ReceiptRow{Member: who.ID, Kind: string(who.Kind), Place: string(who.Place), Rung: known.at(ordinal).String(), RungFrom: wire.SourceDistrict}
	if known.at(ordinal) != agreed.at(ordinal) {
		row.RungFrom = wire.SourceThisNode
	}
	if told, ok := p.told[ordinal]; ok {
		row.ToldBy, row.ToldAt = told.By, told.At
	}
	if p.names {
		row.Name = who.Name
	}
	return row, err
}

// times says when the members of the page reached their rungs, by what they told first, and what they
// answered last.
func (p receiptPage) times(rows []wire.ReceiptRow, ordinals []uint32) error {
	at := make(map[uint32]int, len(ordinals))
	for i, o := range ordinals {
		at[o] = i
	}
	answered := make([]time.Time, len(rows))
	err := p.view.Receipts(p.s.IDs, func(r receipt.Receipt) {
		i, ok := at[r.Member]
		if !ok || r.Revision != p.m.Entry.Revision {
			return
		}
		if r.Answer != "" && !r.At.Before(answered[i]) && (p.answers == nil || p.answers.Contains(r.Member)) {
			rows[i].Answer, answered[i] = r.Answer, r.At
		}
		if r.Rung.String() != rows[i].Rung {
			return
		}
		if when := r.At.UTC(); rows[i].At.IsZero() || when.Before(rows[i].At) {
			rows[i].At = when
		}
	})
	if err != nil {
		return fmt.Errorf("reading receipts: %w", err)
	}
	return nil
}

// reasons says of each member of the page why it is below the rung, as far as the nodes that
// answer know.
func (p receiptPage) reasons(ctx context.Context, rows []wire.ReceiptRow, ordinals []uint32) error {
	wanted := roaring.BitmapOf(ordinals...)
	devices := map[uint32][]string{}
	var all []string
	err := p.r.state.EachDevice(func(d storage.Device) error {
		if !d.Revoked && wanted.Contains(d.Ordinal) {
			devices[d.Ordinal], all = append(devices[d.Ordinal], d.ID), append(all, d.ID)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading devices: %w", err)
	}
	found := p.r.connected.Ask(ctx, all)
	for i, o := range ordinals {
		giveReason(&rows[i], devices[o], found)
		p.lateProof(&rows[i])
	}
	return nil
}

// shownSince is when the message came in force: when it was accepted or approved, or when it says that it
// begins.
func (r *Reader) shownSince(s *stories.Story, m *alerts.Message) time.Time {
	return m.ShownSince(r.stories.Approved(s, m))
}

// lateProof tells devices that have had ProofTime from those that have it yet. It begins when the alert
// was sent: what the member told last says that it had it then; before that it is sent as soon as it is in
// force and the device is connected.
func (p receiptPage) lateProof(row *wire.ReceiptRow) {
	if row.Reason != wire.ReasonWaiting {
		return
	}
	now, sent := p.r.clock(), p.shown
	if row.Since.After(sent) {
		sent = row.Since
	}
	if row.At.After(sent) && !row.At.After(now) { // a device's clock may be ahead
		sent = row.At
	}
	if now.Sub(sent) >= wire.ProofTime {
		row.Reason, row.Since = wire.ReasonSilent, sent
	}
}

// giveReason says why a member that has these devices is below the rung.
func giveReason(row *wire.ReceiptRow, devices []string, found whereabouts.Found) {
	if r, err := receipt.ParseRung(row.Rung); err == nil && r.Ends() {
		row.Reason = row.Rung
		return
	}
	if row.Reason = wire.ReasonNoDevice; len(devices) == 0 {
		return
	}
	var gone time.Time
	for _, d := range devices {
		if at, ok := found.Of(d); ok {
			row.Reason, row.Since = wire.ReasonWaiting, at.Since
			return
		}
		if last := found.Gone(d); last.After(gone) {
			gone = last
		}
	}
	switch {
	case len(found.Silent) > 0:
		row.Reason, row.Unanswered = wire.ReasonUnknown, found.Silent
	case gone.IsZero():
		row.Reason = wire.ReasonNotSeen
	default:
		row.Reason, row.Since = wire.ReasonDark, gone
	}
}

// ladder is who reached which rung.
type ladder map[receipt.Rung]*roaring.Bitmap

func (p receiptPage) ladder(view reached.View) (ladder, error) {
	out := ladder{}
	var all error
	for rung := range rungFields {
		members, err := view.Members(p.s.IDs, p.m.Entry.Revision, rung)
		out[rung], all = members, errors.Join(all, err)
	}
	return out, all
}

// at is the highest rung of one member. What a person confirmed or saw stands above
// every end.
func (l ladder) at(ordinal uint32) receipt.Rung {
	for _, r := range []receipt.Rung{
		receipt.Acknowledged, receipt.Presented, receipt.Refused, receipt.Failed, receipt.Cancelled, receipt.Expired,
		receipt.Verified, receipt.Delivered, receipt.Sent,
	} {
		if l[r].Contains(ordinal) {
			return r
		}
	}
	return receipt.Queued
}
