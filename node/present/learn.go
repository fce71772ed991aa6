package present

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/budget"
	"almenara/node/events"
	"almenara/node/replication"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// Events tells readers; *events.Feed is one.
type Events interface {
	Touch(id alert.ID, kind string)
	Tell(kind string, e wire.Event)
}

// Originals hears of messages that are kept beside their facts; *originals.Keeper is one.
type Originals interface {
	Learn(origin string, issue factbody.Issue)
}

// FollowUps hear what people did about alerts; *followup.Book is one.
type FollowUps interface {
	Learn(f fact.Fact) (alert.ID, bool)
	Recall() error
}

// Reports are what people report by their devices; *reports.Book is one.
type Reports interface {
	Learn(f fact.Fact) (alert.ID, bool)
	Recall() error
}

// Residents are what people without an account answer; *residents.Book is one.
type Residents interface {
	Learn(f fact.Fact) ([]alert.ID, bool)
	Recall() error
}

// Log is what was agreed; *agreed.Reader is one.
type Log interface {
	// Recall visits the facts of alerts that may still matter at that time.
	Recall(now time.Time, fn func(fact.Signed) error) error
}

// LearnerOptions say what a Learner needs. None may be nil.
type LearnerOptions struct {
	Book      *alerts.Book
	Budget    *budget.Budget
	Progress  *replication.Facts
	Originals Originals
	Events    Events
	FollowUps FollowUps
	Reports   Reports
	Residents Residents
	Log       Log
	// News is the alert of which receipts tell something that the district does not know.
	News func(fact.Fact) (alert.ID, bool)
	// Ended is the sentence about an outage that a fact says has ended.
	Ended   func(fact.Fact) (string, bool)
	Changed func() // devices may have to hear of something
	Clock   func() time.Time
	Logger  *slog.Logger
}

// Learner says what a fact becomes at this node: one that is new here and durable, and one that was
// agreed on. Alerts and approvals are laid on the book and counted by the budget, readers hear of
// them, and devices are given what holds then. It blocks on nothing. Its methods may be called from any goroutine.
type Learner struct {
	book      *alerts.Book
	budget    *budget.Budget
	progress  *replication.Facts
	originals Originals
	events    Events
	followUps FollowUps
	reports   Reports
	residents Residents
	agreed    Log
	news      func(fact.Fact) (alert.ID, bool)
	ended     func(fact.Fact) (string, bool)
	changed   func()
	clock     func() time.Time
	log       *slog.Logger
}

// NewLearner makes one.
func NewLearner(o LearnerOptions) *Learner {
	return &Learner{
		book: o.Book, budget: o.Budget, progress: o.Progress, originals: o.Originals, events: o.Events, followUps: o.FollowUps, reports: o.Reports, residents: o.Residents, agreed: o.Log,
		news: o.News, ended: o.Ended, changed: o.Changed, clock: o.Clock, log: o.Logger,
	}
}

// Learn takes a fact that is new to this node and durable here. It does not block:
// devices are served by others.
func (l *Learner) Learn(f fact.Fact, signed fact.Signed) {
	switch f.Kind {
	case fact.KindAlert:
	case fact.KindApproval:
		l.learnApproval(f, signed)
		return
	case fact.KindReceipts:
		if id, news := l.news(f); news {
			l.events.Touch(id, events.Receipts)
		}
		return
	case fact.KindFollowUp:
		id, ok := l.followUps.Learn(f)
		if !ok {
			l.log.Error("what somebody did about an alert cannot be read", "fact", signed.ID().String(), "origin", f.Origin)
			return
		}
		l.events.Touch(id, events.Receipts)
		l.changed() // devices may have to present it again
		return
	case fact.KindReport, fact.KindModeration, fact.KindResidents:
		l.learnReport(f, signed)
		return
	default:
		return
	}
	id := signed.ID().String()
	m, err := l.book.Learnt(id, f.Body)
	if err != nil {
		l.log.Error("an alert fact cannot be read", "fact", id, "origin", f.Origin, "error", err)
		return
	}
	l.originals.Learn(f.Origin, m.Issue)
	outcome, fresh := l.book.Add(m)
	if !fresh {
		return
	}
	l.budget.Add(m.Entry, len(f.Body))
	if outcome == board.Conflict {
		l.log.Warn("one message came in with two contents", "key", m.Entry.Key.String(), "fact", id)
	}
	l.changed()
	_, of := l.book.Standing(m, l.clock())
	l.events.Touch(of, events.Alert)
}

// learnReport lays what somebody reported or answered, or what was made of that, on the books of them. A fact
// without a body is what is left where its person was erased: the node that made it hands that to who lacked it.
func (l *Learner) learnReport(f fact.Fact, signed fact.Signed) {
	if len(f.Body) == 0 {
		return
	}
	if f.Kind != fact.KindReport {
		about, ok := l.residents.Learn(f)
		for _, id := range about {
			l.events.Touch(id, events.Report)
		}
		if f.Kind == fact.KindResidents {
			if !ok {
				l.log.Error("what residents answered cannot be read", "fact", signed.ID().String(), "origin", f.Origin)
			}
			return
		}
	}
	id, ok := l.reports.Learn(f)
	if !ok {
		l.log.Error("what somebody reported cannot be read", "fact", signed.ID().String(), "origin", f.Origin)
		return
	}
	l.events.Touch(id, events.Report)
}

// learnApproval lays an approval on the book, also before its alert.
func (l *Learner) learnApproval(f fact.Fact, signed fact.Signed) {
	a, err := factbody.DecodeApproval(f.Body)
	if err != nil {
		l.log.Error("an approval fact cannot be read", "fact", signed.ID().String(), "origin", f.Origin, "error", err)
		return
	}
	l.book.Approve(a.OnBoard())
	l.budget.Approved()
	l.changed()
	if m := l.book.Message(hex.EncodeToString(a.Fact)); m != nil {
		_, of := l.book.Standing(m, l.clock())
		l.events.Touch(of, events.Alert)
	}
}

// Adopted hears what the log made of a fact. The raft goroutine calls it.
func (l *Learner) Adopted(signed fact.Signed, f fact.Fact, outcome command.FactOutcome) {
	switch f.Kind {
	case fact.KindReceipts:
		l.events.Touch(alert.ID(outcome.Alert), events.Receipts)
	case fact.KindApproval, fact.KindFollowUp, fact.KindModeration:
		l.progress.Forget(signed.ID().String())
	case fact.KindAlert:
		l.progress.Forget(signed.ID().String())
		l.book.Agreed(signed.ID().String(), l.clock())
		l.events.Touch(alert.ID(outcome.Alert), events.Alert)
	case fact.KindAlone:
		if sentence, ok := l.ended(f); ok {
			l.events.Tell(events.Split, wire.Event{Text: sentence})
		}
	}
}

// recallBytes is how much is read of the agreed messages before texts that do not stand are
// given up.
const recallBytes = 4 << 20

// Recall lays on the book what was agreed and may still matter. The journal's own
// facts follow when the exchange begins.
func (l *Learner) Recall() error {
	read := 0
	err := l.agreed.Recall(l.clock(), func(signed fact.Signed) error {
		f, err := signed.Fact()
		if err != nil {
			return err
		}
		l.Learn(f, signed)
		l.book.Agreed(signed.ID().String(), l.clock())
		if read += len(f.Body); read > recallBytes { // most of it was replaced since
			l.book.GiveUpTexts(l.clock())
			read = 0
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recalling alerts: %w", err)
	}
	return errors.Join(l.followUps.Recall(), l.reports.Recall(), l.residents.Recall())
}
