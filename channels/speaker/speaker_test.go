package speaker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/channels/speaker"
)

// words speaks a text as samples of its length, in English only.
type words struct{ said []string }

func (w *words) Speak(_ context.Context, language, text string) ([]int16, error) {
	if language != "en" {
		return nil, speaker.ErrUnspoken
	}
	w.said = append(w.said, text)
	return make([]int16, speaker.Rate), nil
}

// hall plays in the time that the samples take.
type hall struct{ fails error }

func (h hall) Play(ctx context.Context, samples []int16) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(len(samples)) * time.Second / speaker.Rate):
		return h.fails
	}
}

func begins(id string, tier contract.Tier, sound string) rules.Effect {
	return rules.Effect{Action: rules.Start, Alert: id, Revision: 1, Look: rules.Look{Tier: tier, Sound: sound}, Body: &contract.Body{
		Texts: []contract.Text{{Language: "en", Headline: "Fire", Instruction: "Leave."}, {Language: "zh-HK", Headline: "火警"}},
	}}
}

func ends(id string) rules.Effect { return rules.Effect{Action: rules.Stop, Alert: id, Revision: 1} }

type heard struct {
	alert string
	err   error
}

// playing runs a speaker in a bubble of synthetic time.
func playing(t *testing.T, fails error, story func(s *speaker.Speaker, w *words, done chan heard)) {
	synctest.Test(t, func(t *testing.T) {
		w, done := &words{}, make(chan heard, 10)
		s := speaker.New(speaker.Options{Speech: w, Player: hall{fails}, Done: func(alert string, _ uint64, err error) { done <- heard{alert, err} }})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); s.Run(ctx) }()
		story(s, w, done)
		cancel()
		<-over
	})
}

func TestSpeaker_TellsOnlyWhatWasHeardToItsEnd(t *testing.T) {
	playing(t, nil, func(s *speaker.Speaker, w *words, done chan heard) {
		began := time.Now()
		s.Give(begins("a", contract.TierEmergency, "siren"))
		require.Equal(t, heard{"a", nil}, <-done)
		require.Equal(t, 3*(3+1+1+1)*time.Second, time.Since(began), "tone, pause, message, pause; three times")
		require.Equal(t, []string{"Fire. Leave."}, w.said)
	})
	broken := errors.New("no card")
	playing(t, broken, func(s *speaker.Speaker, _ *words, done chan heard) {
		s.Give(begins("a", contract.TierAdvisory, "chime"))
		require.Equal(t, heard{"a", broken}, <-done)
	})
}

func TestSpeaker_WhatEndsIsSilentAndTheGraverGoesFirst(t *testing.T) {
	playing(t, nil, func(s *speaker.Speaker, _ *words, done chan heard) {
		s.Give(begins("rain", contract.TierAdvisory, "chime"))
		synctest.Wait()
		time.Sleep(time.Second)
		s.Give(begins("fire", contract.TierEmergency, "siren"))
		s.Give(begins("gas", contract.TierEmergency, "siren"))
		synctest.Wait()
		s.Give(ends("fire"))
		require.Equal(t, "gas", (<-done).alert)
		require.Equal(t, "rain", (<-done).alert, "from its beginning")
		s.Give(rules.Effect{Action: rules.Resume, Alert: "gas", Revision: 1, Body: &contract.Body{}})
		synctest.Wait()
		require.Empty(t, done, "what is taken up again is not heard again")
	})
}

func TestSpeaker_ADrillSaysSo(t *testing.T) {
	playing(t, nil, func(s *speaker.Speaker, w *words, done chan heard) {
		s.Give(begins("a", contract.TierDrill, "drill"))
		<-done
		require.Equal(t, []string{"This is a drill. Fire. Leave."}, w.said)
	})
	require.NotEqual(t, speaker.Tone("drill"), speaker.Tone("siren"))
	require.Empty(t, speaker.Tone("none"))
}

func TestWAV_IsWhatPlayersRead(t *testing.T) {
	wav := speaker.WAV(speaker.Tone("siren"))
	require.Equal(t, "RIFF", string(wav[:4]))
	require.EqualValues(t, len(wav)-8, binary.LittleEndian.Uint32(wav[4:]))
	require.EqualValues(t, speaker.Rate, binary.LittleEndian.Uint32(wav[24:]))
	require.Len(t, wav, 44+2*3*speaker.Rate)
	require.Equal(t, []int16{100, -100, math.MaxInt16}, speaker.Louder([]int16{50, -50, 30000}, 2))
}

func TestTry_IsHeardByNobodyAndGivesWayToAnAlert(t *testing.T) {
	playing(t, nil, func(s *speaker.Speaker, _ *words, done chan heard) {
		for _, sample := range speaker.Silence() {
			require.Zero(t, sample)
		}
		begun := time.Now()
		require.NoError(t, s.Try(context.Background(), speaker.Silence()))
		require.Equal(t, 500*time.Millisecond, time.Since(begun), "to its end")
		var loudest int16
		for _, sample := range speaker.Chirp() {
			loudest = max(loudest, sample)
		}
		require.Less(t, int(loudest), math.MaxInt16/16, "a chirp is quiet")

		tried := make(chan error, 1)
		go func() { tried <- s.Try(context.Background(), make([]int16, 10*speaker.Rate)) }()
		synctest.Wait()
		require.ErrorIs(t, s.Try(context.Background(), speaker.Silence()), speaker.ErrBusy, "one at a time")
		s.Give(begins("fire", contract.TierEmergency, "siren"))
		synctest.Wait()
		select {
		case err := <-tried:
			require.ErrorIs(t, err, speaker.ErrBusy, "the alert goes first")
		default:
			t.Fatal("what was tried goes on beside the alert")
		}
		require.ErrorIs(t, s.Try(context.Background(), speaker.Silence()), speaker.ErrBusy, "while an alert is heard")
		require.Equal(t, heard{"fire", nil}, <-done)
	})
	broken := errors.New("no card")
	playing(t, broken, func(s *speaker.Speaker, _ *words, _ chan heard) {
		require.ErrorIs(t, s.Try(context.Background(), speaker.Silence()), broken)
	})
}
