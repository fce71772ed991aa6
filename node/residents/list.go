package residents

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/node/authority"
	"almenara/node/reports"
	"almenara/node/residents/fair"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/why"
	"almenara/storage/factbody"
)

const mostListed = 500

// AlertResidents implements service.Residents.
func (r *Residents) AlertResidents(_ context.Context, by authority.Caller, id string) (out reported.Residents, err error) {
	if err := authority.Door(by, authority.ReadReports); err != nil {
		return out, err
	}
	ids, err := r.o.AlertIDs(id)
	if err != nil {
		return out, err
	}
	for _, v := range r.o.Recalls(id) {
		out.Recalls = append(out.Recalls, reported.Recalled{Place: v.Place, From: v.From.UTC(), To: v.To.UTC()})
	}
	out.Blocks, out.Answers = []reported.ResidentsBlock{}, []reported.ResidentsAnswer{}
	for _, c := range r.o.Book.Counts(ids) {
		if !mayRead(by, c.Block) {
			continue
		}
		out.Seen, out.Help, out.Photos = out.Seen+c.Seen, out.Help+c.Help, out.Photos+c.Photos
		out.Blocks = append(out.Blocks, reported.ResidentsBlock{Place: c.Block, Seen: c.Seen, Help: c.Help, Photos: c.Photos})
	}
	all := slices.DeleteFunc(r.o.Book.list(ids), func(l listed) bool { return l.hidden() || !mayRead(by, l.Block) })
	slices.SortStableFunc(all, func(a, b listed) int { return cmp.Compare(a.rank(), b.rank()) })
	for _, one := range fair.Cut(all, mostListed, func(l listed) fair.Group { return fair.Group{Rank: l.rank(), Block: l.Block} }) {
		out.Answers = append(out.Answers, show(one))
	}
	out.More = len(all) > mostListed
	return out, nil
}

// mayRead reports whether a caller may read what came from a block: who is limited to places reads of those alone.
func mayRead(by authority.Caller, block string) bool {
	return len(by.Places) == 0 || slices.ContainsFunc(by.Places, func(p string) bool { return block == p || strings.HasPrefix(block, p+"/") })
}

func unknown(id string) error {
	return wire.Problemf(wire.KindNotFound, "no answer %.100q of a resident is known here", id).Because(why.NoReport, id)
}

// state is what a person made of it.
func (l listed) state() factbody.ReportState {
	if l.last == nil {
		return factbody.ReportNew
	}
	return l.last.State
}

// hidden reports whether it is listed no more. A request for help stays, behind all others: a slip of one person
// must not lose one.
func (l listed) hidden() bool {
	return l.state() == factbody.ReportHidden && l.What != factbody.ResidentHelp
}

// rank puts what somebody must do something about first.
func (l listed) rank() int {
	switch {
	case l.state() == factbody.ReportHidden:
		return 3
	case l.What == factbody.ResidentHelp && l.state() == factbody.ReportNew:
		return 0
	case l.What == factbody.ResidentHelp:
		return 1
	}
	return 2
}

func show(one listed) reported.ResidentsAnswer {
	out := reported.ResidentsAnswer{
		ID: one.ID, Kind: reported.ResidentTopic(one.What.String()), Handling: reported.Handling(one.state().String()), Place: one.Block,
		Taken: time.UnixMilli(one.Taken).UTC(), Where: one.Where, Text: one.Text,
	}
	if p := one.Photo; p != nil {
		out.Photo = &reported.Picture{Bytes: p.Size, Width: p.Width, Height: p.Height}
	}
	if m := one.last; m != nil {
		out.By, out.Moderated, out.Note = m.By, time.UnixMilli(m.At).UTC(), m.Note
	}
	return out
}

// ResidentPhoto implements service.Residents.
func (r *Residents) ResidentPhoto(ctx context.Context, by authority.Caller, id string) ([]byte, error) {
	if err := authority.Door(by, authority.ReadReports); err != nil {
		return nil, err
	}
	one, known := r.o.Book.one(id)
	if !known || !mayRead(by, one.Block) {
		return nil, unknown(id)
	}
	if one.Photo == nil {
		return nil, wire.Problemf(wire.KindNotFound, "the answer %s has no photo", one.ID).Because(why.NoPhoto)
	}
	return r.o.Photos.ReadPhoto(ctx, *one.Photo)
}

// HandleResident implements service.Residents.
func (r *Residents) HandleResident(ctx context.Context, by authority.Caller, id string, in reported.Moderate, wait wire.Wait) (out reported.ResidentsAnswer, err error) {
	state, err := reports.StateOf(in)
	if err != nil {
		return out, err
	}
	one, known := r.o.Book.one(id)
	if !known || !mayRead(by, one.Block) { // the block may have no members left to hold the caller to
		return out, unknown(id)
	}
	members, err := r.membersOf(one.Block)
	if err != nil {
		return out, fmt.Errorf("selecting a place: %w", err)
	}
	m := factbody.Moderation{Report: id, State: state, By: by.Name, Note: in.Note}
	if err := r.moderator.Say(ctx, by, members, m, one.last, wait); err != nil {
		return out, err
	}
	if one, known = r.o.Book.one(id); !known {
		return out, unknown(id)
	}
	return show(one), nil
}
