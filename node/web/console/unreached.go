package console

import (
	"slices"
	"strconv"
	"strings"

	"almenara/node/authority"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
)

type unreachedPage struct {
	frame.Page
	Alert    view.Row
	Counts   []view.Left // of each block, where there are several and none is chosen
	In       string      // the path of the block that is shown; "" is all
	Where    string      // the same in words
	Blocks   []block
	Next     string // path of the next page
	Says     string // how many doors are left on this page
	Told     string // at how many a person was; "": at none
	Shown    string // how many are being shown it now; "": none
	Reminder remindForm
	May      bool // say that somebody was told
}

// block is a list of doors to knock at.
type block struct {
	Place, Path string // its name, and its path in the tree
	Doors       []door
}

type door struct {
	ID, Member, Kind, Reason, Since string
	Told                            string // by whom and when; "": nobody was there
}

// remindForm is what reminds those who have not confirmed.
type remindForm struct {
	May    bool
	Last   string // when they were reminded last; "" where they were not
	Every  int    // minutes between reminders now; 0: they do not come by themselves
	Choice []minutes
}

type minutes struct {
	Minutes int
	Label   string
	Chosen  bool
}

func remindFormOf(q *frame.Request, a wire.Alert) remindForm {
	f := remindForm{May: a.State == wire.StateInForce && q.May(authority.FollowUp)}
	if a.Reminders != nil {
		if f.Every = a.Reminders.EveryMinutes; !a.Reminders.Last.IsZero() {
			f.Last = q.ClockTime(a.Reminders.Last)
		}
	}
	f.Choice = append(f.Choice, minutes{0, q.Lang.T("remind.once"), f.Every == 0})
	offered := []int{2, 5, 10, 15, 30}
	if f.Every > 0 && !slices.Contains(offered, f.Every) {
		offered = append(offered, f.Every)
	}
	for _, n := range offered {
		f.Choice = append(f.Choice, minutes{n, q.Lang.T("remind.every", n), n == f.Every})
	}
	return f
}

// doorsShown is how many lines a page of the list has: it stays small also where each is in another block.
const doorsShown = 200

// unreached lists who has not presented the alert, by block, with the reason.
func (c alertPages) unreached(q *frame.Request) error {
	a, err := whole(c.reader, q)
	if err != nil {
		return err
	}
	place := q.R.URL.Query().Get("place")
	if a.State == wire.StatePending { // there is no door to knock at
		p := unreachedPage{Page: q.Page("unreached"), Alert: view.RowOf(q, a), Says: q.Lang.T("unreached.waits")}
		p.Path = q.Inside(view.UnreachedPath(a.ID, "", ""))
		return q.Show("unreached", p)
	}
	found, err := c.reader.AlertReceipts(q.R.Context(), q.By(), a.ID, wire.ReceiptQuery{
		Rung: "presented", Place: place, Missing: true, After: q.R.URL.Query().Get("after"), Limit: doorsShown,
	})
	if err != nil {
		return err
	}
	names, err := view.NamesOfPlaces(c.places, q)
	if err != nil {
		return err
	}
	p := unreachedPage{Page: q.Page("unreached"), Alert: view.RowOf(q, a), Reminder: remindFormOf(q, a), May: a.State == wire.StateInForce && q.May(authority.FollowUp)}
	p.Path = q.Inside(view.UnreachedPath(a.ID, place, ""))
	if place != "" {
		p.In, p.Where = place, names.Of(place)
	} else {
		p.Counts = view.LeftByBlock(a, names)
	}
	slices.SortStableFunc(found.Rows, func(a, b wire.ReceiptRow) int { return strings.Compare(a.Place, b.Place) })
	doors, told, shown := 0, 0, 0
	for _, r := range found.Rows {
		if r.Reason == wire.ReasonWaiting { // its time is not over: nobody has to knock yet
			shown++
			continue
		}
		if n := len(p.Blocks); n == 0 || p.Blocks[n-1].Path != r.Place {
			p.Blocks = append(p.Blocks, block{Place: names.Of(r.Place), Path: r.Place})
		}
		d := doorOf(q, r)
		if d.Told != "" {
			told++
		} else {
			doors++
		}
		b := &p.Blocks[len(p.Blocks)-1]
		b.Doors = append(b.Doors, d)
	}
	p.Says = q.Lang.T("unreached.says", doors)
	if told > 0 {
		p.Told = q.Lang.T("unreached.told.count", told)
	}
	if shown > 0 {
		p.Shown = q.Lang.T("unreached.shown", shown)
	}
	if found.Next != "" {
		p.Next = view.UnreachedPath(a.ID, place, found.Next)
	}
	return q.Show("unreached", p)
}

func doorOf(q *frame.Request, r wire.ReceiptRow) door {
	d := door{ID: r.Member, Member: r.Member, Kind: q.Lang.Or("kind.", r.Kind), Reason: q.Lang.Or("reason.", r.Reason), Since: q.DayTime(r.Since)}
	if r.Name != "" {
		d.Member = r.Name + " (" + r.Member + ")"
	}
	if r.ToldBy != "" {
		d.Told = r.ToldBy + " " + q.ClockTime(r.ToldAt)
	}
	return d
}

// told marks the doors that were ticked, or a whole block.
func (c alertPages) told(q *frame.Request) error {
	in := acts.MarkTold{Members: q.R.PostForm["m"], Note: q.Form("note")}
	switch {
	case q.Form("back") != "": // one mark, by mistake
		in.Members, in.TakeBack = []string{q.Form("back")}, true
	case q.Form("all") != "":
		in.Members, in.Place = nil, q.Form("all")
	}
	if len(in.Members) == 0 && in.Place == "" {
		return wire.Problemf(wire.KindMalformed, "nothing was recorded: tick whom you told").Because(why.NobodyTicked)
	}
	id := q.R.PathValue("id")
	if _, err := c.followUps.MarkTold(q.R.Context(), q.By(), id, in, wire.WaitLocal); err != nil {
		return err
	}
	return q.To(view.UnreachedPath(id, q.Form("in"), ""))
}

// remind has devices present the alert again on which nobody has confirmed it.
func (c alertPages) remind(q *frame.Request) error {
	every, err := strconv.Atoi(q.Form("every"))
	if err != nil {
		return wire.Problemf(wire.KindMalformed, "nobody was reminded: the minutes are a number").Because(why.RemindMinutes, 60)
	}
	out, err := c.followUps.Remind(q.R.Context(), q.By(), q.R.PathValue("id"), acts.Remind{EveryMinutes: every}, wire.WaitLocal)
	if err != nil {
		return err
	}
	return q.To(view.PathOf(out.Alert) + "?effect=reminded")
}
