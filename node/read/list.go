package read

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster/agreed"
	"almenara/node/members"
	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/node/summaries"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/factlog"
)

// readersMost is how many lists, details and tables of receipts are made at once: a viewer
// that asks without end must not take the processors from what is accepted and delivered.
const readersMost = 2

// reading waits until few enough others read. The caller must call done.
func (r *Reader) reading(ctx context.Context) (done func(), err error) {
	select {
	case r.readers <- struct{}{}:
		return func() { <-r.readers }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// listAfter is where a page of the list begins: after an alert that is not agreed yet, or
// after a place in the log. The zero value is the first page.
type listAfter struct {
	accepted time.Time // of an alert that is not agreed, with its id
	id       alert.ID
	place    factlog.Place
}

// String is the cursor as the API gives it.
func (a listAfter) String() string {
	if a.id != "" {
		return fmt.Sprintf("d.%d.%s", a.accepted.UnixNano(), a.id)
	}
	return fmt.Sprintf("l.%d.%d", a.place.Index, a.place.N)
}

func parseListAfter(text string) (a listAfter, err error) {
	bad := wire.Problemf(wire.KindMalformed, "%q is not where a page ends: pass on what the page before gave", text).Because(why.PageGone)
	switch {
	case text == "":
		return a, nil
	case strings.HasPrefix(text, "l."):
		if n, err := fmt.Sscanf(text, "l.%d.%d", &a.place.Index, &a.place.N); n != 2 || err != nil || a.place == (factlog.Place{}) {
			return a, bad
		}
		return a, nil
	}
	var at int64
	var id string
	if n, err := fmt.Sscanf(text, "d.%d.%s", &at, &id); n != 2 || err != nil {
		return a, bad
	}
	if a.id, err = alert.ParseID(id); err != nil {
		return a, bad
	}
	a.accepted = time.Unix(0, at)
	return a, nil
}

// ListAlerts implements service.Reader: what is not agreed yet, newest first, then the
// order of the log, newest first.
func (r *Reader) ListAlerts(ctx context.Context, q wire.AlertQuery) (out []wire.Alert, next string, err error) {
	from, err := parseListAfter(q.After)
	if err != nil {
		return nil, "", err
	}
	done, err := r.reading(ctx)
	if err != nil {
		return nil, "", err
	}
	defer done()
	limit := members.PageSize(q.Limit)
	view, err := r.reached.Now()
	if err != nil {
		return nil, "", err
	}
	ahead := r.stories.Unagreed()
	switch {
	case q.Waiting:
		ahead = r.stories.Waiting()
	case q.Open:
		ahead = r.stories.Open()
	}
	var last listAfter
	for _, s := range ahead {
		here := listAfter{accepted: s.Latest().Entry.Accepted, id: s.ID}
		if from.place != (factlog.Place{}) || from.id != "" && here.compare(from) <= 0 {
			continue
		}
		if len(out) == limit {
			return out, last.String(), nil
		}
		one, err := r.summary(s, view)
		if err != nil {
			return nil, "", err
		}
		out, last = append(out, one), here
	}
	if q.Waiting || q.Open { // what is not over is all there
		return out, "", nil
	}
	if len(out) == limit { // the log goes on where they end
		if listed, err := r.state.AlertList(from.place, 1); err != nil || len(listed) == 0 {
			return out, "", err
		}
		return out, last.String(), nil
	}
	listed, err := r.state.AlertList(from.place, limit-len(out))
	if err != nil {
		return nil, "", fmt.Errorf("listing alerts: %w", err)
	}
	for _, l := range listed {
		if slices.ContainsFunc(ahead, func(s *stories.Story) bool { return s.ID == l.ID }) {
			continue
		}
		one, err := r.summed(l, view)
		if errors.Is(err, errNotYet) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		out = append(out, one)
	}
	if len(listed) > 0 && len(out) >= limit {
		next = listAfter{place: listed[len(listed)-1].At}.String()
	}
	return out, next, nil
}

// compare orders cursors of what is not agreed as the list does.
func (a listAfter) compare(b listAfter) int { return stories.Newer(a.accepted, a.id, b.accepted, b.id) }

// errNotYet is an alert whose message is just being committed.
var errNotYet = errors.New("alert is not committed yet")

// summed is the summary of a listed alert, remembered or made.
func (r *Reader) summed(l agreed.Listed, view reached.View) (wire.Alert, error) {
	stamp := func(ids []alert.ID) ([]factlog.Place, error) {
		audience := factlog.Place{Index: r.addressed.Version()}
		places, err := r.state.LastReceipts(ids)
		return append(places, l.At, audience), err
	}
	if l.Over {
		if out, ids, ok := r.summaries.Get(l.ID, stamp); ok && !view.Waits(ids) {
			out.CountsFrom = view.From()
			return out, nil
		}
	}
	s, err := r.stories.Of(l.ID)
	if err != nil {
		var p *wire.Problem
		if errors.As(err, &p) && p.Kind == wire.KindNotFound {
			return wire.Alert{}, errNotYet
		}
		return wire.Alert{}, err
	}
	before, err := stamp(s.IDs)
	if err != nil {
		return wire.Alert{}, err
	}
	out, err := r.summary(s, view)
	if err == nil && l.Over && !view.Waits(s.IDs) && !r.mayChange(s) {
		r.summaries.Put(&summaries.Summary{ID: l.ID, IDs: s.IDs, Stamp: before, Out: out})
	}
	return out, err
}

// mayChange reports whether time or approvals can still change what a summary says, though
// the district's log says that the alert is over: this node's clock may be behind.
func (r *Reader) mayChange(s *stories.Story) bool {
	return len(s.Pending) > 0 || !slices.Contains([]wire.State{wire.StateExpired, wire.StateCancelled, wire.StateRecorded}, r.stories.State(s))
}
