package receipts

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// journal settles every block at once.
type journal struct{ blocks []receipt.Block }

func (j *journal) Settle(_ context.Context, raw []byte) (<-chan struct{}, error) {
	block, err := receipt.DecodeBlock(raw)
	j.blocks = append(j.blocks, block)
	committed := make(chan struct{})
	close(committed)
	return committed, err
}

func (j *journal) CanCommit() bool { return true }

// takingIn runs a test with an intake that knows revision 1 of every alert.
func takingIn(t *testing.T, spool Spool, test func(t *testing.T, j *journal, take func(device string, rs ...receipt.Receipt), in *Intake)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		j := &journal{}
		in := New(Options{
			Knows: func(_ alert.ID, r alert.Revision) bool { return r == 1 }, Settler: j, Spool: spool, Clock: time.Now,
			Logger: slog.New(slog.DiscardHandler),
		})
		ended := make(chan struct{})
		go func() { defer close(ended); in.Run(ctx) }()
		test(t, j, func(device string, rs ...receipt.Receipt) {
			answered := make(chan error, 1)
			in.Take(channels.Endpoint{Device: device}, rs, func(err error) { answered <- err })
			require.NoError(t, <-answered)
		}, in)
		cancel()
		<-ended
	})
}

func empty() Spool {
	return Spool{
		Bytes: func() (int64, int64) { return 0, 100 }, Blocks: func() (int, int) { return 0, 10 },
		Oldest: func() (time.Time, bool) { return time.Time{}, false },
	}
}

func of(revision alert.Revision, member uint32) receipt.Receipt {
	return receipt.Receipt{Alert: "7qggodrwesnbuxamkutppyfgoa", Revision: revision, Member: member, Rung: receipt.Presented, At: time.Now()}
}

func TestIntake_AnswersARepeatFromMemory(t *testing.T) {
	takingIn(t, empty(), func(t *testing.T, j *journal, take func(string, ...receipt.Receipt), _ *Intake) {
		take("lift", of(1, 7))
		require.Len(t, j.blocks, 1)
		take("lift", of(1, 7))
		require.Len(t, j.blocks, 1, "it was recorded before")
		take("lift", of(1, 8))
		require.Len(t, j.blocks, 2)
	})
}

// The device is told the same: it would send for ever what it is refused.
func TestIntake_LeavesOutTooManyUnknownRevisionsAndAnswersAllTheSame(t *testing.T) {
	takingIn(t, empty(), func(t *testing.T, j *journal, take func(string, ...receipt.Receipt), _ *Intake) {
		var rs []receipt.Receipt
		for r := range alert.Revision(2 * unknownEach) {
			rs = append(rs, of(r+2, 7))
		}
		take("liar", append(rs, of(1, 7))...)
		require.Len(t, j.blocks, 1)
		require.Len(t, j.blocks[0].Receipts, unknownEach+1, "and what is known")
	})
}

func TestIntake_SaysHowFullTheSpoolIsAndWhatWasGivenUp(t *testing.T) {
	full := empty()
	full.Bytes = func() (int64, int64) { return 80, 100 }
	full.Oldest = func() (time.Time, bool) { return time.Unix(9, 0), true }
	takingIn(t, full, func(t *testing.T, _ *journal, take func(string, ...receipt.Receipt), in *Intake) {
		in.Sent("7qggodrwesnbuxamkutppyfgoa", 1, []uint32{1, 2})
		take("lift", of(1, 7))
		s := in.SpoolStatus()
		require.EqualValues(t, 80, s.Used)
		require.Equal(t, time.Unix(9, 0), s.Oldest)
		require.Equal(t, map[string]int64{"sent": 2}, s.GivenUp)
		require.EqualValues(t, 2, in.GivenUp())
		require.Contains(t, full.Sentence().Text, "three quarters full")
		require.Empty(t, empty().Sentence().Text)
	})
}
