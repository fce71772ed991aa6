// Package notices keeps planned notices: written with their full content, passed on by persons of one
// level after the other, commented, sent back and written anew, locked after the last level, and sent at
// their time in their author's name.
//
//	draft ─> tried, as if it went out now ─> record ─> comment, pass, back, new version ─> locked
//	                                                       └─ Chase: whose turn it is          └─ Release (the leader) ─> intake
//
// A notice is a record that a majority agrees on, so that two persons who press at once are one after the
// other; without a majority it waits. It is no alert before it goes out. It never imports api, channels or
// another part of node but authority, intake, levels, scenario, shortid, wire and wording.
package notices

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/intake"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience/lookup"
	"almenara/storage/notice"
)

// State is what was agreed; *agreed.Reader is one.
type State interface {
	Notices(over int) (open, past []notice.Notice, err error)
	Notice(id string) (notice.Notice, []notice.Version, bool, error)
	Authority() (agreed.Authority, error)
	Index() *lookup.Index
}

// Proposer has changes agreed on and says what an error of that means; *records.Proposer is one.
type Proposer interface {
	Change(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
	AwaitAgreed(ctx context.Context) error
}

// Sender sends what every level has passed, and tries what would be; *intake.Intake is one.
type Sender interface {
	SendNotice(ctx context.Context, author authority.Caller, p intake.Passed, dryRun bool) (wire.Outcome, error)
}

// Approver takes approvals; *approvals.Approvals is one.
type Approver interface {
	ApproveAlert(ctx context.Context, by authority.Caller, id string, in wire.Approve, wait wire.Wait) (wire.Outcome, error)
}

// Options say what Notices need. None may be nil.
type Options struct {
	State     State
	Proposer  Proposer
	Sender    Sender
	Approvals Approver
	Rules     *authority.Rules
	Tell      func()        // somebody else is asked for a notice now
	District  func() string // the district's own CAP sender
	Place     func() string // path of the district, after whose names texts say who warns
	// Known reports whether an alert with this id is on record here.
	Known  func(id string) (bool, error)
	Clock  func() time.Time
	Logger *slog.Logger
}

// Notices answers service.Notices. Its methods may be called from any goroutine.
type Notices struct {
	o Options

	mu    sync.Mutex
	stale bool            // open was not read since something changed
	open  []notice.Notice // that are not over

	asked map[string]turn // by notice; Chase's alone
}

// New makes it.
func New(o Options) *Notices { return &Notices{o: o, stale: true} }

// Changed hears which records changed.
func (s *Notices) Changed(what apply.Change) {
	if what&apply.ChangedNotices != 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stale = true
	}
}

// unfinished are the notices that are not over, as they were some hundred milliseconds ago: duties look
// every few seconds, and must not read all of them each time.
func (s *Notices) unfinished() ([]notice.Notice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stale {
		return s.open, nil
	}
	open, _, err := s.o.State.Notices(0)
	if err != nil {
		return nil, err
	}
	s.open, s.stale = open, false
	return open, nil
}

// mostOver is how many notices are listed that are over.
const mostOver = 50

// ListNotices implements service.Notices: those that are not over, overdue ones first, then those that
// wait longest; with over also the last ones that are.
func (s *Notices) ListNotices(_ context.Context, over bool) ([]notices.Notice, error) {
	most := 0
	if over {
		most = mostOver
	}
	open, past, err := s.o.State.Notices(most)
	if err != nil {
		return nil, err
	}
	people, err := s.people()
	if err != nil {
		return nil, err
	}
	out := []notices.Notice{}
	for _, n := range slices.Concat(open, past) {
		one, err := s.standing(n, nil, people)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	inOrder(out[:len(open)])
	return out, nil
}

// ShowNotice implements service.Notices.
func (s *Notices) ShowNotice(_ context.Context, by authority.Caller, id string) (notices.Notice, error) {
	n, said, err := s.find(id)
	if err != nil {
		return notices.Notice{}, err
	}
	return s.shown(n, said, by)
}

func (s *Notices) find(id string) (notice.Notice, []notice.Version, error) {
	n, said, ok, err := s.o.State.Notice(id)
	if err == nil && !ok {
		err = wire.Problemf(wire.KindNotFound, "no notice %.40q is known here", id).Because(why.NoNotice, id)
	}
	return n, said, err
}

// people are those who may pass notices on at all.
func (s *Notices) people() ([]authority.Caller, error) {
	users, err := s.o.Rules.Users()
	if err != nil {
		return nil, err
	}
	var out []authority.Caller
	for _, u := range users {
		if by := callerOf(u); !u.Revoked && authority.Door(by, authority.ReviewNotice) == nil {
			out = append(out, by)
		}
	}
	return out, nil
}

// callerOf is a user, as its token says who it is.
func callerOf(u storage.User) authority.Caller {
	return authority.Caller{Name: u.Name, Roles: u.Roles, Senders: u.Senders, Places: u.Places, System: u.System()}
}

// What is kept of a notice's record for what must find its place: comments leave room to pass it on, and all that
// is done leaves room for its end.
const (
	endActs, endBytes       = 8, 8 << 10
	levelsActs, levelsBytes = 60, 60 << 10
)

// full reports whether what was done last is more than may be done about a notice. It can be withdrawn always.
func full(n *notice.Notice) bool {
	acts, bytes := notice.MaxActs, notice.MaxBytes
	switch n.Acts[len(n.Acts)-1].Do {
	case notice.Withdraw, notice.GoOut, notice.Fail:
	case notice.Comment:
		acts, bytes = acts-levelsActs, bytes-levelsBytes
	default:
		acts, bytes = acts-endActs, bytes-endBytes
	}
	return len(n.Acts) > acts || n.Size() > bytes
}

// tries is how often a change is made again that others overtake.
const tries = 5

// change reads a notice, has do change it, and has that agreed on; again where others changed it
// meanwhile. do gives the version that it adds, if any.
func (s *Notices) change(ctx context.Context, by authority.Caller, id string, do func(*notice.Notice, []notice.Version) (*notice.Version, error)) (notices.Notice, error) {
	for try := 1; ; try++ {
		n, said, err := s.find(id)
		if err != nil {
			return notices.Notice{}, err
		}
		was := n.Index
		added, err := do(&n, said)
		if err != nil {
			return notices.Notice{}, err
		}
		if full(&n) {
			return notices.Notice{}, wire.Problemf(wire.KindRefused, "nothing was done: as much was done about the notice %s as may be; withdraw it and write another one", id).Because(why.NoticeFull)
		}
		_, err = s.o.Proposer.Change(ctx, by.Name, &command.PutNotice{Notice: n, Version: added, Was: was})
		if err == nil {
			return s.ShowNotice(ctx, by, id)
		}
		var problem *wire.Problem
		if !errors.As(err, &problem) || problem.Kind != wire.KindConflict || try == tries {
			return notices.Notice{}, unagreed(err)
		}
		if err := s.o.Proposer.AwaitAgreed(ctx); err != nil {
			return notices.Notice{}, unagreed(err)
		}
	}
}

// unagreed says of a change without a majority what that means for planned notices.
func unagreed(err error) error {
	var problem *wire.Problem
	if !errors.As(err, &problem) || problem.Kind != wire.KindNoQuorum {
		return err
	}
	return wire.Problemf(wire.KindNoQuorum, "nothing was done: a majority of the district's nodes agrees on planned notices, and none can be reached from here; they wait until there is one again, and go out then; "+
		"what is urgent is sent as an alert, which goes through no level").Because(why.NoticesWait)
}
