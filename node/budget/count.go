package budget

import (
	"fmt"
	"slices"
	"time"

	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// count is what is held at one moment.
type count struct {
	alerts    map[alert.ID]*held
	of        map[alert.ID][]*item // the messages of an alert that count or may come to
	unknown   int
	unknownBy map[string]int
	quiet     map[string]usage // of each author: what is never shown and has not run out
	made      time.Time
	next      time.Time // when something may count otherwise
}

// held is one alert that devices know, or its end.
type held struct {
	open     bool      // in force, to come or waiting; otherwise only its end is told
	until    time.Time // when it counts no more
	admin    bool      // an administrator has a message in it
	shown    []*item   // messages that may be shown, or were when it ended
	messages int
}

// by reports whether the author has a message in it that may be shown.
func (h *held) by(author string) bool {
	return slices.ContainsFunc(h.shown, func(it *item) bool { return it.entry.Author == author })
}

// in reports whether it addresses the block.
func (h *held) in(name string) bool {
	return slices.ContainsFunc(h.shown, func(it *item) bool {
		_, found := slices.BinarySearch(it.blocks, name)
		return found
	})
}

// count goes through the messages, when it has to, and forgets those that count no more. mu is held.
func (b *Budget) count(now time.Time) *count {
	if b.last != nil && now.Before(b.last.next) && !now.Before(b.last.made) {
		return b.last
	}
	c := &count{alerts: map[alert.ID]*held{}, of: map[alert.ID][]*item{}, unknownBy: map[string]int{}, quiet: map[string]usage{}, made: now, next: now.Add(time.Hour)}
	for _, it := range b.items {
		b.add(c, it, now)
	}
	b.last = c
	return c
}

// countEnd counts again the one alert that a Cancel ends: after a storm hundreds are cancelled one after the
// other, and all would be gone through for each. False where more may count otherwise by it.
func (b *Budget) countEnd(c *count, it *item, now time.Time) bool {
	if len(it.entry.References) != 1 || now.Before(c.made) || !now.Before(c.next) {
		return false
	}
	id, known := b.source.AlertOf(it.entry.References[0])
	if own, ok := b.source.AlertOf(it.entry.Key); !known || ok && own != id {
		return false
	}
	messages := c.of[id]
	if len(messages) == 0 || slices.ContainsFunc(messages, func(m *item) bool { return m.unknown != 0 }) {
		return false
	}
	delete(c.alerts, id)
	delete(c.of, id)
	for _, m := range messages {
		b.add(c, m, now)
	}
	b.add(c, it, now)
	return true
}

// add counts the message, or forgets it where it counts no more.
func (b *Budget) add(c *count, it *item, now time.Time) {
	it.of = ""
	if !b.countOne(c, it, now) {
		delete(b.items, it.entry.Fact)
	} else if it.of != "" {
		c.of[it.of] = append(c.of[it.of], it)
	}
}

// countOne reports whether the message still counts or may come to.
func (b *Budget) countOne(c *count, it *item, now time.Time) bool {
	e := &it.entry
	if it.unknown < 0 {
		it.unknown, it.class = b.unknownIn(*e), b.source.ClassOf(e.Author)
	}
	alive := false
	if end := e.Accepted.Add(alert.MaxLifetime + alert.EndMemory); it.unknown > 0 && now.Before(end) && it.class != Administrator {
		c.unknown, alive = c.unknown+it.unknown, true
		c.unknownBy[e.Author] += it.unknown
	}
	if e.MsgType != alert.MsgTypeAlert && e.MsgType != alert.MsgTypeUpdate {
		return alive
	}
	standing, id := b.source.Standing(e.Fact, now)
	if !alert.Presentable(e.Status) || standing == board.NotPresentable {
		return c.countQuiet(e, now) || alive
	}
	it.of = id
	until := e.Expires
	open, shows := false, false
	it.holds = false
	switch standing {
	case board.InForce, board.Future, board.Pending:
		open, shows = true, true
	case board.Superseded: // its alert is counted by what stands; it is one of its messages
	case board.Cancelled:
		until, shows = e.Expires.Add(alert.EndMemory), true
	default:
		return alive || now.Before(e.Expires)
	}
	if !now.Before(until) {
		return alive
	}
	it.holds, it.waits = open, standing == board.Pending
	c.next = earlier(c.next, until)
	if e.Effective.After(now) {
		c.next = earlier(c.next, e.Effective) // it may take the place of others then
	}
	h := c.alerts[id]
	if h == nil {
		h = &held{}
		c.alerts[id] = h
	}
	h.messages++
	h.open = h.open || open
	h.admin = h.admin || it.class == Administrator
	if !shows {
		it.blocks, it.located = nil, false // it stands no more
		return true
	}
	if until.After(h.until) {
		h.until = until
	}
	if !it.located {
		it.blocks, it.located = slices.Sorted(slices.Values(b.source.Blocks(e.Fact))), true
	}
	h.shown = append(h.shown, it)
	return true
}

// countQuiet counts what nobody is shown, and reports whether it has not run out. Each message
// counts by itself: none replaces or ends another.
func (c *count) countQuiet(e *board.Entry, now time.Time) bool {
	if !now.Before(e.Expires) {
		return false
	}
	c.next = earlier(c.next, e.Expires)
	u := c.quiet[e.Author]
	u.add(&held{open: true, until: e.Expires})
	c.quiet[e.Author] = u
	return true
}

// open lists the alerts that the message references and that are in force, to come or
// waiting.
func (b *Budget) open(c *count, e board.Entry) (list []*held) {
	for _, ref := range e.References {
		if id, ok := b.source.AlertOf(ref); ok && c.alerts[id] != nil && c.alerts[id].open && !slices.Contains(list, c.alerts[id]) {
			list = append(list, c.alerts[id])
		}
	}
	return list
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// usage is what one sender or all have, and when the first of it is free again.
type usage struct {
	open, ends int
	free       time.Time
}

func (u *usage) add(h *held) {
	if h.open {
		u.open++
	} else {
		u.ends++
	}
	if u.free.IsZero() || h.until.Before(u.free) {
		u.free = h.until
	}
}

// room looks whether one alert more can be carried.
func (c *count) room(r Request, now time.Time) *Refusal {
	var mine, all, admins usage
	for _, h := range c.alerts {
		if h.by(r.Author) {
			mine.add(h)
		}
		if h.admin {
			admins.add(h)
		} else {
			all.add(h)
		}
	}
	if r.Class == Administrator {
		if admins.open >= AdministratorAlerts {
			return refuse(admins.free.Sub(now), "administrators have %d alerts in force or to come, the most that a node carries of them; cancel some", admins.open).because(why.BudgetOwn, "administrator", admins.open, admins.free)
		}
		return nil
	}
	if most := authorDistrict[r.Class].of(r.Class, r.Emergency); mine.over(most, ended[r.Class]) {
		return refuse(mine.free.Sub(now), "%s has %s in the district, the most that one sender may; %s", r.Author, mine.of(), mine.remedy(most)).because(why.BudgetOwn, r.Author, mine.open+mine.ends, mine.free)
	}
	if most := district.of(r.Class, r.Emergency); all.open+all.ends >= most {
		return refuse(all.free.Sub(now), "the district has %s, and %d are the most that it carries of %s; wait until %s", all.of(), most, whose(r), clock(all.free)).because(why.BudgetDistrict, all.open+all.ends, all.free)
	}
	return c.roomInBlocks(r, r.Blocks(), now)
}

// roomForQuiet looks whether one message more can be held that nobody is shown. It has the
// author's share of a district to itself: no draft takes a place of a warning.
func (c *count) roomForQuiet(r Request, now time.Time) *Refusal {
	most := authorDistrict[r.Class].ordinary
	if r.Class == Administrator {
		most = AdministratorAlerts
	}
	if own := c.quiet[r.Author]; own.open >= most {
		return refuse(own.free.Sub(now), "%s has %d messages that nobody is shown, drafts and such of the system, the most that one sender may; wait until %s", r.Author, own.open, clock(own.free)).because(why.BudgetOwn, r.Author, own.open, own.free)
	}
	return nil
}

// roomInBlocks looks whether each block can carry one alert more. What addresses more than
// maxBlocks of them is the district's matter.
func (c *count) roomInBlocks(r Request, blocks []string, now time.Time) *Refusal {
	if len(blocks) > maxBlocks {
		return nil
	}
	for _, name := range blocks {
		var mine, all usage
		for _, h := range c.alerts {
			if !h.in(name) {
				continue
			}
			if h.by(r.Author) {
				mine.add(h)
			}
			if !h.admin {
				all.add(h)
			}
		}
		if most := authorBlock[r.Class].of(r.Class, r.Emergency); mine.over(most, ended[r.Class]) {
			return refuse(mine.free.Sub(now), "%s has %s in %s, the most that one sender may; %s", r.Author, mine.of(), name, mine.remedy(most)).because(why.BudgetSender, r.Author, mine.open+mine.ends, name, mine.free)
		}
		if most := block.of(r.Class, r.Emergency); all.open+all.ends >= most {
			return refuse(all.free.Sub(now), "%s has %s, and %d are the most that it carries of %s; wait until %s", name, all.of(), most, whose(r), clock(all.free)).because(why.BudgetPlace, name, all.open+all.ends, all.free)
		}
	}
	return nil
}

// over reports whether nothing more fits beside what is open and what has ended.
func (u usage) over(most, ends int) bool { return u.open >= most || u.open+u.ends >= most+ends }

func (u usage) of() string {
	if u.ends == 0 {
		return fmt.Sprintf("%d alerts in force or to come", u.open)
	}
	return fmt.Sprintf("%d alerts in force or to come and %d ends that devices are still told", u.open, u.ends)
}

func (u usage) remedy(most int) string {
	if u.open >= most {
		return fmt.Sprintf("cancel one or wait until %s", clock(u.free))
	}
	return fmt.Sprintf("wait until %s", clock(u.free))
}

func whose(r Request) string {
	switch {
	case r.Emergency:
		return "all senders"
	case r.Class == System:
		return "persons and central systems, emergencies apart"
	}
	return "persons, emergencies apart"
}

// clock writes a moment as sentences do.
func clock(t time.Time) string { return t.UTC().Format("15:04 UTC on 2 January") }
