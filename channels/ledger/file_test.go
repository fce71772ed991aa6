package ledger

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
)

var morning = time.Date(2026, 7, 20, 6, 0, 0, 0, time.UTC)

// sms is an outlet for text messages to lift-1 to lift-3, which fails or ends as told.
type sms struct {
	t    *testing.T
	path string
	*Ledger
	now  time.Time
	sent []string
}

func newSMS(t *testing.T) *sms {
	s := &sms{t: t, path: filepath.Join(t.TempDir(), "sms", "handed"), now: morning}
	s.start()
	return s
}

// start begins the outlet anew, over what is on the disk.
func (s *sms) start() {
	f, err := OpenFile(s.path, s.now)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = f.Close() })
	s.Ledger = New(pause, f)
	s.Set([]channels.Delivery{{
		Alert: alert.Key{Sender: "a", Identifier: "b"}.ID(), Revision: 1, Expires: morning.Add(time.Hour), To: roaring.BitmapOf(1, 2, 3),
	}}, map[int][]channels.Endpoint{0: {lift("lift-1"), lift("lift-2"), lift("lift-3")}}, s.now)
}

// send hands over at most so many.
func (s *sms) send(most int) error {
	jobs, _, err := s.Due(s.now, s.now, most)
	for _, j := range jobs {
		s.Sent(j, s.now)
		s.sent = append(s.sent, j.To().Device)
	}
	return err
}

func TestFile_NothingIsHandedOverTwice(t *testing.T) {
	s := newSMS(t)
	require.NoError(t, s.send(2))
	s.start()
	require.NoError(t, s.send(9))
	s.start()
	require.NoError(t, s.send(9))
	require.Equal(t, []string{"lift-2", "lift-1", "lift-3"}, s.sent)
}

// Wherever a crash cuts the file off: what was handed over before is not handed over again, and
// what is left is.
func TestFile_CutOffAnywhere(t *testing.T) {
	s := newSMS(t)
	require.NoError(t, s.send(1))
	first, err := os.ReadFile(s.path)
	require.NoError(t, err)
	require.NoError(t, s.send(1))
	whole, err := os.ReadFile(s.path)
	require.NoError(t, err)
	for cut := len(first); cut <= len(whole); cut++ {
		require.NoError(t, os.WriteFile(s.path, whole[:cut], 0o600))
		s.sent = nil
		s.start()
		require.NoError(t, s.send(9))
		if cut < len(whole) { // the second was never begun
			require.Equal(t, []string{"lift-1", "lift-3"}, s.sent, "cut at %d", cut)
		} else {
			require.Equal(t, []string{"lift-3"}, s.sent)
		}
		s.sent = nil
		s.start()
		require.NoError(t, s.send(9))
		require.Empty(t, s.sent)
	}
}

func TestFile_ADamagedLineTakesNoOtherWithIt(t *testing.T) {
	s := newSMS(t)
	require.NoError(t, s.send(9))
	raw, err := os.ReadFile(s.path)
	require.NoError(t, err)
	raw[len(raw)/2] ^= 1
	require.NoError(t, os.WriteFile(s.path, raw, 0o600))
	s.sent = nil
	s.start()
	require.NoError(t, s.send(9))
	require.Equal(t, []string{"lift-1"}, s.sent, "that of the middle line")
}

// Where it cannot be kept, nothing is handed over, and it is due again once it can.
func TestFile_HandsNothingOverThatItCannotKeep(t *testing.T) {
	s := newSMS(t)
	require.NoError(t, s.begun.file.Close())
	require.Error(t, s.send(9))
	require.Empty(t, s.sent)
	var err error
	s.begun.file, err = os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	require.NoError(t, s.send(9))
	require.Empty(t, s.sent, "not before the pause is over")
	s.now = s.now.Add(pause)
	require.NoError(t, s.send(9))
	require.Len(t, s.sent, 3)
}

func TestFile_ForgetsWhatIsLongOver(t *testing.T) {
	s := newSMS(t)
	require.NoError(t, s.send(9))
	s.now = morning.Add(time.Hour + keepFor - 1)
	s.start()
	require.Len(t, s.begun.has, 3)
	s.now = s.now.Add(1)
	s.start()
	require.Empty(t, s.begun.has)
	info, err := os.Stat(s.path)
	require.NoError(t, err)
	require.Zero(t, info.Size())
}
