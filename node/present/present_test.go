package present

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// stage is a presenter for one screen, and what it handed over.
type stage struct {
	*Presenter
	book    *alerts.Book
	mu      sync.Mutex // guards given
	given   []channels.Situation
	noted   []int // devices of the fanouts on record
	touched []alert.ID
	here    int
	recalls int
	passed  int
	broken  error // why the agreed alerts cannot be read
}

func (s *stage) Target(alert.Key, alert.Revision) (*roaring.Bitmap, error) { return roaring.New(), nil }
func (s *stage) ReceiptMembers([]alert.ID, alert.Revision, receipt.Rung) (*roaring.Bitmap, error) {
	return roaring.New(), nil
}
func (s *stage) Fanout(_ alert.ID, _ alert.Revision, devices int) { s.noted = append(s.noted, devices) }

// times is how often something was handed over.
func (s *stage) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.given)
}

func newStage(clock func() time.Time) *stage {
	index := lookup.New()
	index.Put(3, &audience.Member{ID: "lift", Kind: audience.KindScreen, Place: "d/here"})
	s := &stage{book: alerts.NewBook(nil), here: 1}
	s.Presenter = New(Options{
		Book: s.book, State: s, Audience: func() *lookup.Index { return index }, Keys: func() []byte { return []byte("ring") },
		Set: func(now channels.Situation) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.given = append(s.given, now)
			return nil
		}, Here: func(*roaring.Bitmap) int { return s.here },
		Notes: func() Notes { return s }, Touch: func(id alert.ID) { s.touched = append(s.touched, id) },
		Passed: func() { s.passed++ },
		Recall: func() error { s.recalls++; return s.broken }, Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	return s
}

// say lays an alert on the book that holds for an hour from then on.
func (s *stage) say(name string, from time.Time) alert.ID {
	a := &alert.Alert{
		Identifier: name, Sender: "hko", Sent: alert.NewDateTime(from), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic,
		Infos: []alert.Info{{Event: "Rain", Headline: "Rain", Expires: alert.NewDateTime(from.Add(time.Hour))}},
	}
	issue := factbody.Issue{Accepted: from.UnixMilli(), Targets: []audience.Target{{Select: "kind = screen"}}}
	m := &alerts.Message{Fact: name, Issue: issue, Alert: a, Entry: issue.Entry(a, a.Digest().String(), name)}
	s.book.Add(m)
	return m.Entry.Key.ID()
}

func TestNow_HandsOverWhatHoldsAndNotesItOnce(t *testing.T) {
	now := noon
	s := newStage(func() time.Time { return now })
	require.Nil(t, s.Last())
	id := s.say("rain", noon)
	for range 3 {
		s.now()
	}
	require.Len(t, s.Last().InForce, 1)
	require.Equal(t, []byte("ring"), s.Last().Keys)
	require.Equal(t, []int{1}, s.noted, "once for each revision")
	require.Equal(t, []alert.ID{id}, s.touched)
	s.here = 0
	s.say("wind", noon)
	s.now()
	require.Equal(t, []int{1}, s.noted, "nobody here got it")
	now = noon.Add(30 * time.Minute)
	require.LessOrEqual(t, s.now(), presentAtMost)
	now = noon.Add(time.Hour - time.Second)
	require.Equal(t, time.Second, s.now(), "it looks again when something ends")
	require.Zero(t, s.passed)
	now = noon.Add(2 * time.Hour)
	s.now()
	require.Equal(t, 1, s.passed, "so that no clock takes the end back")
	require.Empty(t, s.Last().InForce)
}

// Reminders that come by themselves are taken from what is in force: nothing is asked of what is over.
func TestNow_LooksAgainWhenAReminderComes(t *testing.T) {
	now := noon
	s := newStage(func() time.Time { return now })
	rain := s.say("rain", noon)
	asked := map[alert.ID]int{}
	every := 20 * time.Second
	s.situations.Reminded = func(l alerts.Live) (last, next time.Time) {
		asked[l.ID]++
		last = noon.Add(now.Sub(noon).Truncate(20 * time.Second))
		if every > 0 {
			next = last.Add(every)
		}
		return last, next
	}
	require.Equal(t, 20*time.Second, s.now())
	require.Equal(t, noon, s.Last().InForce[0].Reminded)
	now = noon.Add(55 * time.Second)
	require.Equal(t, 5*time.Second, s.now())
	now = noon.Add(60 * time.Second)
	require.Equal(t, 20*time.Second, s.now())
	require.Equal(t, now, s.Last().InForce[0].Reminded)
	every = 0
	require.Equal(t, presentAtMost, s.now(), "once")
	now, every = noon.Add(2*time.Hour), time.Second
	before := asked[rain]
	require.Equal(t, presentAtMost, s.now())
	require.Equal(t, before, asked[rain], "it is over")
}

func TestReread_IsTriedUntilItIsRead(t *testing.T) {
	s := newStage(func() time.Time { return noon })
	s.now()
	require.Zero(t, s.recalls)
	s.StateReplaced()
	s.broken = errors.New("the disk")
	s.now()
	s.broken = nil
	s.now()
	s.now()
	require.Equal(t, 2, s.recalls)
}

func TestRun_LooksAtOnceAndLetsAudiencesGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		synctest.Wait()
		require.Equal(t, 1, s.times())
		s.Changed()
		synctest.Wait()
		require.Equal(t, 2, s.times())
		for range 5 {
			s.AudienceChanged()
			time.Sleep(shiftTime / 10)
		}
		require.Equal(t, 2, s.times(), "an import is many commits")
		time.Sleep(shiftTime)
		synctest.Wait()
		require.Equal(t, 3, s.times())
		time.Sleep(presentAtMost)
		synctest.Wait()
		require.Equal(t, 4, s.times(), "it looks without being told, too")
		cancel()
		<-done
	})
}

func TestAnnounced_ForgetsWhatIsOver(t *testing.T) {
	var a announced
	rain := alerts.Live{Active: board.Active{ID: "rain", Revision: 1}}
	require.True(t, a.add("rain", 1))
	require.True(t, a.add("wind", 7))
	require.False(t, a.add("rain", 1))
	a.keep([]alerts.Live{rain})
	require.Len(t, a.seen, 1)
	require.True(t, a.add("rain", 2))
}
