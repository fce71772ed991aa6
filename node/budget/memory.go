package budget

import (
	"fmt"
	"slices"
	"time"

	"almenara/node/wire/why"
	"almenara/storage/alert"
)

// A node holds in memory what messages say that are in force, to come or waiting: that is shown,
// compared and approved all the time. Of what was replaced, has ended or is shown to nobody it holds
// stubs (node/alerts).

// roomInMemory looks whether the message can be held beside what is. standing is what it updates:
// what it replaces at once makes room for it, so that an Update which says no more than what it
// replaces is always taken. So is what is short, unless it is an Update that is to come: the
// numbers of alerts bound the others.
func (c *count) roomInMemory(r Request, standing []*held, now time.Time) *Refusal {
	atOnce := !r.Entry.Effective.After(now)
	if r.Bytes <= shortBytes && (atOnce || len(standing) == 0) || !alert.Presentable(r.Entry.Status) {
		return nil
	}
	replaces := func(it *item) bool {
		return r.Entry.Approvals == 0 && !it.waits && atOnce && it.entry.Revision < r.Entry.Revision &&
			slices.ContainsFunc(standing, func(h *held) bool { return slices.Contains(h.shown, it) })
	}
	var mine, all, admins weight
	replaced := 0
	for _, h := range c.alerts {
		for _, it := range h.shown {
			switch {
			case !it.holds:
				continue
			case replaces(it):
				replaced += it.bytes
				continue
			case it.class == Administrator:
				admins.add(it.bytes, h)
			default:
				all.add(it.bytes, h)
			}
			if it.entry.Author == r.Author {
				mine.add(it.bytes, h)
			}
		}
	}
	if r.Bytes <= replaced {
		return nil
	}
	if r.Class == Administrator {
		return admins.refuse(r, administratorBytes, now, "administrators have", "that a node holds of them; cancel some")
	}
	if why := mine.refuse(r, authorBytes[r.Class].of(r.Class, r.Emergency), now, r.Author+" has", "that one sender may; cancel one"); why != nil {
		return why
	}
	return all.refuse(r, districtBytes.of(r.Class, r.Emergency), now, "the district has", "that it holds of "+whose(r)+"; send a shorter one")
}

// weight is bytes in memory, and when the first of them are free again.
type weight struct {
	bytes int
	free  time.Time
}

func (w *weight) add(bytes int, h *held) {
	w.bytes += bytes
	if w.free.IsZero() || h.until.Before(w.free) {
		w.free = h.until
	}
}

// refuse refuses a message for which there is no room beside the weight.
func (w *weight) refuse(r Request, most int, now time.Time, who, what string) *Refusal {
	if w.bytes+r.Bytes <= most {
		return nil
	}
	until := ""
	if !w.free.IsZero() {
		until = " or wait until " + clock(w.free)
	}
	return refuse(w.free.Sub(now), "it has %s, and %s %s in force, to come or waiting; %s are the most %s%s",
		size(r.Bytes), who, size(w.bytes), size(most), what, until).because(why.BudgetMemory, size(most), w.free)
}

// size writes bytes as people do.
func size(bytes int) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d KiB", (bytes+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
