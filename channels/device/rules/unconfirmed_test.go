package rules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

func asSigned(b *contract.Body) *contract.Body { return b }

// presentedAndCut is a device that had presented a revision when its power went.
func presentedAndCut(t *testing.T) *story {
	s := newStory(t)
	s.hears("A", listed(1))
	require.Equal(t, []string{"verified", "start"}, s.gets(s.body(1)))
	require.Equal(t, []string{"presented"}, shorten(s.Presented("fire", 1, s.now)))
	s.powerCut()
	return s
}

func (s *story) alone() []string { return shorten(s.Unconfirmed(s.now, asSigned)) }

func TestUnconfirmed_IsToldAsGoneOnlyOnceItIs(t *testing.T) {
	s := presentedAndCut(t)
	require.Equal(t, []string{"resume"}, s.alone())
	require.Empty(t, s.Presenting())
	require.Equal(t, []string{"stop ended"}, s.hears("A", ended(1)), "the page draws it still")
	require.Equal(t, []string{"cancelled"}, shorten(s.Stopped("fire", 1, s.now)))
	require.Empty(t, s.alone())

	dark := presentedAndCut(t)
	require.Equal(t, []string{"cancelled"}, dark.hears("A", ended(1)), "nothing was asked for: it is dark since the power went")
}

func TestUnconfirmed_GoesForTheReasonsForWhichAnAlertStops(t *testing.T) {
	for want, hears := range map[string]func(*story) []string{
		"stop ended":      func(s *story) []string { return s.hears("A", ended(1)) },
		"stop superseded": func(s *story) []string { return s.hears("A", listed(2)) },
		"stop expired":    func(s *story) []string { s.now = s.now.Add(time.Hour); return s.hears("A") },
		"resume":          func(s *story) []string { return s.hears("B") },
	} {
		s := presentedAndCut(t)
		require.Equal(t, []string{"resume"}, s.alone())
		require.Equal(t, []string{want}, hears(s), want)
		require.Empty(t, s.alone(), want)
	}
}

func TestUnconfirmed_ATakenUpPowerCutLeavesNothingToTell(t *testing.T) {
	s := presentedAndCut(t)
	s.alone()
	s.powerCut()
	require.Equal(t, []string{"cancelled"}, s.hears("A", ended(1)), "the second power cut has darkened it")
}

func TestUnconfirmed_IsNothingThatWasNotPresented(t *testing.T) {
	s := newStory(t)
	s.hears("A", listed(1))
	s.gets(s.body(1))
	s.powerCut()
	require.Empty(t, s.alone(), "it began, and nobody saw it")

	s = presentedAndCut(t)
	s.hears("A", listed(1))
	s.gets(s.body(2))
	s.powerCut()
	require.Empty(t, s.alone(), "a later revision has verified")
}

func TestUnconfirmed_IsTheSignedBody(t *testing.T) {
	s := presentedAndCut(t)
	require.Empty(t, s.Unconfirmed(s.now, func(*contract.Body) *contract.Body { return nil }))
	signed := s.body(1)
	signed.Status, signed.Expires = "Exercise", noon.Add(time.Minute)
	now := s.Unconfirmed(s.now, func(*contract.Body) *contract.Body { return &signed })
	require.Equal(t, Look{Tier: contract.TierDrill, Sound: "none"}, now[0].Look, "what lies beside the signature decides nothing")
	require.Empty(t, s.Unconfirmed(noon.Add(time.Minute), func(*contract.Body) *contract.Body { return &signed }), "nor how long it lasts")
}

func TestUnconfirmed_WhatHasRunOutStaysSo(t *testing.T) {
	s := presentedAndCut(t)
	s.Changed()
	require.Empty(t, s.Unconfirmed(noon.Add(time.Hour), asSigned))
	require.True(t, s.Changed(), "it is to be stored")
	require.Empty(t, s.alone(), "the clock was set back")
	s.powerCut()
	require.Empty(t, s.alone())
	require.Equal(t, []string{"resume"}, s.hears("A", listed(1)), "a node knows better than a clock that nobody had corrected")
	require.Equal(t, []string{"fire"}, s.Presenting())
	s.powerCut()
	require.Equal(t, []string{"resume"}, s.alone())
}
