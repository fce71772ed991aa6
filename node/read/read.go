// Package read answers what the API, the console and events read of alerts: the list, one alert
// with all its messages, pages of who was reached, what may be about the same, what an event says;
// and devices with where each is connected.
//
//	cheap    ListAlerts ─> summaries of what is over, remembered ─> wire.Alert without messages
//	full     ShowAlert  ─> story, whom each message addressed and reached, groups, duplicates
//	pages    AlertReceipts, ListDevices ─> asks the other nodes who is connected where
//	events   Event      ─> what an alert has come to, without a summary
//
// It changes nothing and decides nothing. It never imports api, or cluster but for what was
// agreed; of channels it takes only how texts are given to devices.
package read

import (
	"context"
	"log/slog"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/cluster/agreed"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/escalation"
	"almenara/node/followup"
	"almenara/node/members"
	"almenara/node/reached"
	"almenara/node/replication"
	"almenara/node/stories"
	"almenara/node/summaries"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// State is what was agreed; *agreed.Reader is one.
type State interface {
	// AlertList lists alerts before a place in the log, the newest first.
	AlertList(before factlog.Place, limit int) ([]agreed.Listed, error)
	// LastReceipts is where the last receipts of each alert are in the log.
	LastReceipts(ids []alert.ID) ([]factlog.Place, error)
	EachDevice(fn func(storage.Device) error) error
}

// Originals are messages as their senders wrote them; *originals.Keeper is one.
type Originals interface {
	Copy(issue factbody.Issue) *wire.Original
	Read(ctx context.Context, issue factbody.Issue) ([]byte, error)
}

// Connected knows which devices are connected to which node; *whereabouts.Nodes is one.
type Connected interface {
	Ask(ctx context.Context, devices []string) whereabouts.Found
}

// Options say what a Reader needs. None may be nil.
type Options struct {
	Book      *alerts.Book
	Stories   *stories.Finder
	Addressed *addressed.Resolver
	Members   *members.Members
	Reached   *reached.Known
	Progress  *replication.Facts
	Originals Originals
	Connected Connected
	State     State
	Audience  func() *lookup.Index
	Store     *storage.Store
	// Presented is what devices were given last; nil before anything was.
	Presented func() *channels.Situation
	// Asked is who approved a message that waits, and who is asked to now.
	Asked     func(m *alerts.Message, given []board.Approval) (*wire.Approvals, error)
	FollowUps FollowUps
	// Escalations say how far those have got that call one group after the other.
	Escalations *escalation.Reader
	Clock       func() time.Time
	Logger      *slog.Logger
}

// FollowUps is what people did about alerts; *followup.Book is one.
type FollowUps interface {
	Told(ids []alert.ID, revision alert.Revision) (map[uint32]followup.Told, error)
	RemindersOf(ids []alert.ID, m *alerts.Message, given func() []board.Approval, now time.Time) (last, next time.Time, every time.Duration)
}

// Reader answers service.Reader and service.Connected. Its methods may be called from any goroutine.
type Reader struct {
	book       *alerts.Book
	stories    *stories.Finder
	addressed  *addressed.Resolver
	members    *members.Members
	reached    *reached.Known
	progress   *replication.Facts
	originals  Originals
	connected  Connected
	state      State
	audience   func() *lookup.Index
	store      *storage.Store
	clock      func() time.Time
	log        *slog.Logger
	followUps  FollowUps
	further    *escalation.Reader
	presented  func() *channels.Situation
	contrary   contrary
	asked      func(m *alerts.Message, given []board.Approval) (*wire.Approvals, error)
	duplicates *duplicateFinder
	summaries  summaries.Memory
	readers    chan struct{} // one for each list or detail that is being made
}

// New makes one.
func New(o Options) *Reader {
	r := &Reader{
		book: o.Book, stories: o.Stories, addressed: o.Addressed, members: o.Members, reached: o.Reached, progress: o.Progress,
		originals: o.Originals, connected: o.Connected, state: o.State, audience: o.Audience, store: o.Store, clock: o.Clock, log: o.Logger,
		followUps: o.FollowUps, further: o.Escalations, presented: o.Presented, asked: o.Asked, readers: make(chan struct{}, readersMost),
	}
	r.duplicates = &duplicateFinder{book: o.Book, clock: o.Clock, presented: o.Presented, resolve: r.addressedNow}
	return r
}

// addressedNow is whom the message of a fact addresses now; nobody where it is not on the book.
func (r *Reader) addressedNow(fact string) (*roaring.Bitmap, error) {
	m := r.book.Message(fact)
	if m == nil {
		return roaring.New(), nil
	}
	now, err := r.addressed.Known(m)
	return now.Members, err
}

// AlertMessage implements service.Reader: the message as its sender wrote it.
func (r *Reader) AlertMessage(ctx context.Context, by authority.Caller, id string) ([]byte, error) {
	s, err := r.stories.Find(id)
	if err != nil {
		return nil, err
	}
	m, err := s.Latest().Whole()
	if err != nil {
		return nil, err
	}
	if err := authority.MayReadOriginal(by, m.Alert.Addresses); err != nil {
		return nil, err
	}
	return r.originals.Read(ctx, m.Issue)
}
