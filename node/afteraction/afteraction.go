// Package afteraction makes the report of one alert: who did what and when, and when it reached whom,
// of what is on record.
//
//	stories, log ─> messages with their approvals ─> events
//	receipts     ─> one reading of all blocks ─> who told what first, and when ─> spreads, curves, lists
//
// It changes nothing and decides nothing, and never imports api, channels, or cluster but for what was
// agreed.
package afteraction

import (
	"context"
	"fmt"
	"time"

	"almenara/cluster/agreed"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience/lookup"
)

// Alerts shows alerts as everybody sees them; *read.Reader is one.
type Alerts interface {
	ShowAlert(ctx context.Context, id string) (wire.Alert, error)
}

// Residents are what people without an account answered; *residents.Residents is one.
type Residents interface {
	AlertResidents(ctx context.Context, by authority.Caller, id string) (reported.Residents, error)
}

// State is what was agreed of alerts; *agreed.Reader is one.
type State interface {
	Alert(id alert.ID) (agreed.AlertView, bool, error)
}

// Options say what a Reporter needs. None may be nil.
type Options struct {
	Alerts    Alerts
	Book      *alerts.Book
	Stories   *stories.Finder
	State     State
	Addressed *addressed.Resolver
	Residents Residents
	Reached   *reached.Known
	Audience  func() *lookup.Index
	Store     *storage.Store
	Clock     func() time.Time
}

// Reporter answers service.Reports. It may be used from any goroutine; it makes one report at a time,
// so that readers do not take the processors from what is delivered.
type Reporter struct {
	o    Options
	turn chan struct{}
}

// New makes one.
func New(o Options) *Reporter { return &Reporter{o: o, turn: make(chan struct{}, 1)} }

// AlertReport implements service.Reports. The receipts of the alert are read once.
func (r *Reporter) AlertReport(ctx context.Context, by authority.Caller, id string) (out wire.Report, err error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	if out.Alert, err = r.o.Alerts.ShowAlert(ctx, id); err != nil {
		return out, err
	}
	s, err := r.o.Stories.Of(alert.ID(out.Alert.ID))
	if err != nil {
		return out, err
	}
	messages, err := r.messages(s)
	if err != nil {
		return out, err
	}
	view, err := r.o.Reached.Now()
	if err != nil {
		return out, err
	}
	t, err := read(view, s.IDs, messages, s.Current())
	if err != nil {
		return out, fmt.Errorf("reading receipts of %s: %w", s.ID, err)
	}
	out.Made, out.Slowest, out.Dark = r.o.Clock().UTC(), []wire.ReportRow{}, []wire.ReportRow{}
	everybody := t.everybody
	out.Reached, out.Curve = spread(everybody, t.first)
	out.Begun = begun(messages, s)
	out.Events = events(messages, s, out.Alert.State, t, out.Reached)
	if out.Alert.State.Over() {
		stopped, _ := spread(t.presentedBy(), t.stopped)
		out.Stopped = &stopped
	}
	r.byGroup(&out, t)
	r.byEstate(&out, t, begunStanding(messages))
	if authority.MayList(by, s.Personal()) == nil {
		if err := r.lists(&out, t, inplaces.Lists(by, s.Personal())); err != nil {
			return out, err
		}
	}
	out.DarkTotal = t.dark().GetCardinality()
	out.Answers = t.answered()
	authority.MinimalReport(by, &out)
	if authority.May(by, authority.ReadReports) {
		got, err := r.o.Residents.AlertResidents(ctx, by, out.Alert.ID)
		if err != nil {
			return out, err
		}
		out.Residents = got.Blocks
	}
	return out, nil
}
