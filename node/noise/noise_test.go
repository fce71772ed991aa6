package noise

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/alerts"
	"almenara/node/wire/caution"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// said is messages that stand as they are marked.
type said struct {
	messages  []*alerts.Message
	standings map[*alerts.Message]board.Standing
}

func (s *said) Standing(m *alerts.Message, _ time.Time) (board.Standing, alert.ID) {
	return s.standings[m], ""
}

func to(block string) []audience.Target { return []audience.Target{{Select: block}} }

// blocks are what the targets select, by name.
func blocks(targets []audience.Target) (out []string) {
	for _, t := range targets {
		out = append(out, t.Select)
	}
	return out
}

func (s *said) add(block string, minutesAgo int, standing board.Standing, change func(*board.Entry)) {
	m := &alerts.Message{Issue: factbody.Issue{Targets: to(block)}, Entry: board.Entry{Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Accepted: noon.Add(-time.Duration(minutesAgo) * time.Minute)}}
	if change != nil {
		change(&m.Entry)
	}
	s.messages, s.standings[m] = append(s.messages, m), standing
}

func TestOf_CountsWhatSoundedInTheBlockWithinTheHour(t *testing.T) {
	s := &said{standings: map[*alerts.Message]board.Standing{}}
	s.add("one", 5, board.InForce, nil)
	s.add("one", 10, board.Cancelled, nil)
	s.add("two", 10, board.InForce, nil)
	require.Nil(t, Of(s, s.messages, blocks, to("one"), noon))
	s.add("one", 59, board.InForce, func(e *board.Entry) { e.Status = alert.StatusExercise })
	require.Equal(t, &caution.Noise{Place: "one", Count: 4}, Of(s, s.messages, blocks, to("one"), noon), "what is over by now was heard all the same, and so is a drill")
	require.Equal(t, "one", Of(s, s.messages, blocks, append(to("two"), to("one")...), noon).Place)
	require.Nil(t, Of(s, s.messages, blocks, to("two"), noon))

	s.messages = s.messages[:2]
	s.add("one", 61, board.InForce, nil)
	s.add("one", 1, board.Pending, nil)
	s.add("one", 1, board.InForce, func(e *board.Entry) { e.Status = alert.StatusTest })
	s.add("one", 1, board.Cancelled, func(e *board.Entry) { e.MsgType = alert.MsgTypeCancel })
	require.Nil(t, Of(s, s.messages, blocks, to("one"), noon), "older, waiting, tests, and ends")
}
