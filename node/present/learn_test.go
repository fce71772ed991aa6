package present_test

import (
	"crypto/ed25519"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/alerts"
	"almenara/node/budget"
	"almenara/node/events"
	"almenara/node/present"
	"almenara/node/replication"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// nothing is in force for the budget.
type nothing struct{ budget.Source }

// rig is a learner, and what heard of its facts.
type rig struct {
	*present.Learner
	t        *testing.T
	book     *alerts.Book
	progress *replication.Facts
	touched  map[alert.ID][]string
	told     []string
	changed  int
	learnt   int // originals
	agreed   []fact.Signed

	followUps followUps
	reports   followUps
	residents answers
	seq       uint64
}

// followUps are the facts of what people did that were learnt, and how often all were recalled.
type followUps struct{ learnt, recalled int }

func (f *followUps) Learn(of fact.Fact) (alert.ID, bool) { f.learnt++; return "rain", len(of.Body) > 0 }
func (f *followUps) Recall() error                       { f.recalled++; return nil }

// answers count what residents answered.
type answers struct{ learnt, recalled int }

func (a *answers) Learn(fact.Fact) ([]alert.ID, bool) { a.learnt++; return []alert.ID{"rain"}, true }
func (a *answers) Recall() error                      { a.recalled++; return nil }

func (r *rig) Touch(id alert.ID, kind string) { r.touched[id] = append(r.touched[id], kind) }
func (r *rig) Tell(kind string, e wire.Event) { r.told = append(r.told, kind+": "+e.Text) }
func (r *rig) Learn(string, factbody.Issue)   { r.learnt++ }
func (r *rig) Recall(_ time.Time, fn func(fact.Signed) error) (e error) {
	for _, f := range r.agreed {
		if e = fn(f); e != nil {
			return e
		}
	}
	return nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, book: alerts.NewBook(nil), touched: map[alert.ID][]string{}}
	r.progress = replication.New(func(string) (bool, error) { return false, nil })
	r.Learner = present.NewLearner(present.LearnerOptions{
		Book: r.book, Budget: budget.New(nothing{}, clock), Progress: r.progress, Originals: r, Events: r, FollowUps: &r.followUps, Reports: &r.reports, Residents: &r.residents, Log: r,
		News:    func(f fact.Fact) (alert.ID, bool) { return "rain", len(f.Body) > 0 },
		Ended:   func(fact.Fact) (string, bool) { return "box-a was alone", true },
		Changed: func() { r.changed++ }, Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	return r
}

func (r *rig) sign(kind fact.Kind, body []byte) (fact.Fact, fact.Signed) {
	r.t.Helper()
	r.seq++
	f := fact.Fact{Kind: kind, Stream: fact.Alerts, Origin: "a", Epoch: 1, Seq: r.seq, HLC: fact.HLC(noon), Body: body}
	signed, err := fact.Sign(f, "k", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	require.NoError(r.t, err)
	return f, signed
}

// rain is the fact of an alert that waits for one approval.
func (r *rig) rain() (fact.Fact, fact.Signed, *alert.Alert) {
	r.t.Helper()
	a := &alert.Alert{
		Identifier: "m", Sender: "hko", Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{
			Language: "en", Categories: []string{"Met"}, Event: "Rain", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
			Headline: "Rain", Expires: alert.NewDateTime(noon.Add(time.Hour)),
		}},
	}
	raw, err := capxml.Write(a)
	require.NoError(r.t, err)
	body, err := factbody.Issue{Message: raw, Author: "amy", Accepted: noon.UnixMilli(), Approvals: 1, Targets: []audience.Target{{Select: "all"}}}.Encode()
	require.NoError(r.t, err)
	f, signed := r.sign(fact.KindAlert, body)
	return f, signed, a
}

func TestLearn_LaysAlertsAndApprovalsOnTheBook(t *testing.T) {
	r := newRig(t)
	f, signed, a := r.rain()
	id := a.Key().ID()
	r.Learner.Learn(f, signed)
	r.Learner.Learn(f, signed)
	require.Equal(t, []string{events.Alert}, r.touched[id], "once")
	require.Equal(t, 1, r.changed)
	require.Empty(t, r.book.At(noon).InForce, "it waits")

	fid := signed.ID()
	body, err := factbody.Approval{Fact: fid[:], Digest: a.Digest().String(), By: "bob", At: noon.UnixMilli(), Expires: noon.Add(time.Hour).UnixMilli()}.Encode()
	require.NoError(t, err)
	g, given := r.sign(fact.KindApproval, body)
	r.Learner.Learn(g, given)
	require.Len(t, r.book.At(noon).InForce, 1)
	require.Equal(t, 2, r.changed)
	require.Len(t, r.touched[id], 2)

	other := newRig(t)
	other.Learner.Learn(g, given)
	require.Empty(t, other.touched, "before its alert")
	other.Learner.Learn(f, signed)
	require.Len(t, other.book.At(noon).InForce, 1)
}

func TestLearn_TellsOfReceiptsThatAreNews(t *testing.T) {
	r := newRig(t)
	f, signed := r.sign(fact.KindReceipts, []byte("block"))
	r.Learner.Learn(f, signed)
	require.Equal(t, []string{events.Receipts}, r.touched["rain"])
	f, signed = r.sign(fact.KindReceipts, nil)
	r.Learner.Learn(f, signed)
	require.Len(t, r.touched["rain"], 1)
	f, signed = r.sign(fact.KindAlert, []byte("no alert"))
	r.Learner.Learn(f, signed)
	require.Zero(t, r.changed, "what cannot be read is passed over, and logged")
}

func TestAdopted_EndsTheProgressOfAFact(t *testing.T) {
	r := newRig(t)
	f, signed, a := r.rain()
	r.Learner.Learn(f, signed)
	r.progress.Put(&exchange.Progress{ID: signed.ID()})
	require.Len(t, r.book.Unagreed(), 1)
	r.Adopted(signed, f, command.FactOutcome{Alert: string(a.Key().ID())})
	require.Zero(t, r.progress.Count())
	require.Empty(t, r.book.Unagreed())
	f, signed = r.sign(fact.KindAlone, nil)
	r.Adopted(signed, f, command.FactOutcome{})
	require.Equal(t, []string{events.Split + ": box-a was alone"}, r.told)
}

func TestRecall_LaysTheLogOnTheBook(t *testing.T) {
	r := newRig(t)
	_, signed, a := r.rain()
	r.agreed = []fact.Signed{signed}
	require.NoError(t, r.Learner.Recall())
	standing, _ := r.book.Standing(r.book.Message(signed.ID().String()), noon)
	require.Equal(t, board.Pending, standing)
	require.Empty(t, r.book.Unagreed(), "it is in the log: %s", a.Identifier)
}

// What a person did about an alert is told to readers, and devices may have to present it again.
func TestLearn_PassesOnWhatPeopleDid(t *testing.T) {
	r := newRig(t)
	r.Learner.Learn(fact.Fact{Kind: fact.KindFollowUp, Body: []byte("x")}, fact.Signed{})
	require.Equal(t, []any{1, 1, []string{events.Receipts}}, []any{r.followUps.learnt, r.changed, r.touched["rain"]})
	r.Learner.Learn(fact.Fact{Kind: fact.KindFollowUp}, fact.Signed{}) // it cannot be read
	require.Equal(t, 1, r.changed)
	require.NoError(t, r.Learner.Recall())
	require.Equal(t, 1, r.followUps.recalled)
}

// A node that was away is handed what is left of reports whose person was erased in the meantime: nothing.
func TestLearn_PassesOverWhatIsLeftOfAReportThatWasErased(t *testing.T) {
	r := newRig(t)
	for _, kind := range []fact.Kind{fact.KindReport, fact.KindModeration, fact.KindResidents} {
		f, signed := r.sign(kind, nil)
		r.Learner.Learn(f, signed)
	}
	require.Equal(t, []int{0, 0}, []int{r.reports.learnt, r.residents.learnt}, "nobody is asked to read it, and nothing is logged as an error")
	require.Empty(t, r.touched)
}
