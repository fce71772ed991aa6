package sounds_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/channels/speaker"
	"almenara/node/sounds"
	"almenara/node/wire"
	"almenara/node/wire/looks"
	"almenara/storage/alert"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// words speaks English, and counts.
type words struct {
	said  atomic.Int32
	asked atomic.Int32  // what would speak
	wait  chan struct{} // closed when it may go on
}

func (w *words) Speak(_ context.Context, language, _ string) ([]int16, error) {
	w.said.Add(1)
	<-w.wait
	if language != "en" {
		return nil, speaker.ErrUnspoken
	}
	return make([]int16, speaker.Rate), nil
}

func (w *words) By(_ context.Context, language, _ string) speaker.By {
	w.asked.Add(1)
	if language == "en" {
		return speaker.Synthetic
	}
	return speaker.Nothing
}

func inForce(texts ...alert.Info) *channels.Situation {
	m := &alert.Alert{Identifier: "fire", Sender: "duty@tm", Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: texts}
	it := channels.Item{Alert: m.Key().ID(), Revision: m.Revision(), Digest: "d", Expires: noon.Add(time.Hour), Status: m.Status, Message: m}
	for i := range texts {
		it.Parts = append(it.Parts, channels.Part{Infos: []int{i}, To: roaring.BitmapOf(1)})
	}
	return &channels.Situation{InForce: []channels.Item{it}}
}

func info(language, headline string) alert.Info {
	return alert.Info{Language: language, Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed", Headline: headline, Instruction: "Leave.", Expires: alert.NewDateTime(noon.Add(time.Hour))}
}

func nameOf(language, headline string) string {
	return speaker.Lines([]contract.Text{{Language: language, Headline: headline, Instruction: "Leave."}}, rules.Look{Tier: contract.TierEmergency})[0].Name()
}

func kindOf(t *testing.T, err error) wire.Kind {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	return p.Kind
}

func TestSounds_SpeakWhatIsInForceOnce(t *testing.T) {
	w := &words{wait: make(chan struct{})}
	close(w.wait)
	now, clock := inForce(info("en", "Fire in On Lai House"), info("fr", "Feu")), noon
	s := sounds.New(sounds.Options{InForce: func() *channels.Situation { return now }, Speech: w, Clock: func() time.Time { return clock }, Logger: slog.New(slog.DiscardHandler)})
	var asked sync.WaitGroup
	for range 10 {
		asked.Go(func() {
			wav, err := s.Get(t.Context(), nameOf("en", "Fire in On Lai House"))
			require.NoError(t, err)
			require.Equal(t, "RIFF", string(wav[:4]))
		})
	}
	asked.Wait()
	require.EqualValues(t, 1, w.said.Load(), "rendered once")

	_, err := s.Get(t.Context(), nameOf("en", "Read this out"))
	require.Equal(t, wire.KindNotFound, kindOf(t, err))
	require.EqualValues(t, 1, w.said.Load(), "nobody has it speak what they like")

	for range 3 {
		_, err = s.Get(t.Context(), nameOf("fr", "Feu"))
		require.Equal(t, wire.KindNotFound, kindOf(t, err))
	}
	require.EqualValues(t, 2, w.said.Load(), "what cannot be spoken is not tried again at once")
	clock = clock.Add(2 * time.Minute)
	_, _ = s.Get(t.Context(), nameOf("fr", "Feu"))
	require.EqualValues(t, 3, w.said.Load())

	now = nil
	_, err = s.Get(t.Context(), nameOf("en", "Fire in On Lai House"))
	require.NoError(t, err, "what was rendered is kept")
}

func TestSounds_BoundWhoWaits(t *testing.T) {
	w := &words{wait: make(chan struct{})}
	var texts []alert.Info
	for _, headline := range []string{"a", "b"} {
		texts = append(texts, info("en", headline))
	}
	now := inForce(texts...)
	s := sounds.New(sounds.Options{InForce: func() *channels.Situation { return now }, Speech: w, Clock: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler)})
	var asked sync.WaitGroup
	busy := make(chan error, 64)
	for range 64 {
		asked.Go(func() {
			if _, err := s.Get(t.Context(), nameOf("en", "a")); err != nil {
				busy <- err
			}
		})
	}
	select {
	case err := <-busy:
		require.Equal(t, wire.KindBusy, kindOf(t, err), "while one is rendered, sixteen wait")
	case <-time.After(10 * time.Second):
		close(w.wait)
		require.FailNow(t, "nobody was refused")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ended, nameOf("en", "b"))
	require.Error(t, err)
	close(w.wait)
	asked.Wait()
	require.EqualValues(t, 1, w.said.Load())
	_, err = s.Get(t.Context(), nameOf("en", "b"))
	require.NoError(t, err)
}

func TestPreview_SaysHowItWouldBeHeard(t *testing.T) {
	w := &words{}
	s := sounds.New(sounds.Options{InForce: func() *channels.Situation { return nil }, Speech: w, Clock: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler)})
	infos := []alert.Info{info("en", "Fire"), info("zh-HK", "火警")}
	require.Equal(t, []looks.SpokenText{{Language: "zh-HK", By: "nothing"}, {Language: "en", By: "synthetic"}}, s.Preview(alert.StatusActual, infos))
	s.Preview(alert.StatusActual, infos)
	require.EqualValues(t, 2, w.asked.Load(), "a preview is asked for again and again while somebody writes")
	require.Empty(t, s.Preview(alert.StatusTest, infos), "a test is never heard")
	require.Empty(t, s.Preview(alert.StatusDraft, infos))
}
