package present

import (
	"fmt"
	"log/slog"
	"testing"
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
)

// town is an audience whose sets have names, and the messages of its alerts.
type town struct {
	sets       map[string]*roaring.Bitmap
	generation uint64
	resolved   int
	messages   map[alert.ID][]alerts.Addressing
	incomplete map[alert.ID]bool
	told       map[string]*roaring.Bitmap // by fact
}

func newTown() (*town, *Builder[*town]) {
	x := &town{
		sets: map[string]*roaring.Bitmap{}, messages: map[alert.ID][]alerts.Addressing{},
		incomplete: map[alert.ID]bool{}, told: map[string]*roaring.Bitmap{},
	}
	return x, NewBuilder(BuilderOptions[*town]{
		Audience: func() *town { return x }, Messages: x, Logger: slog.New(slog.DiscardHandler),
		Told: func(_ alert.ID, m alerts.Addressing) (*roaring.Bitmap, error) {
			if to := x.told[m.Fact]; to != nil {
				return to.Clone(), nil
			}
			return roaring.New(), nil
		},
	})
}

func (x *town) Generation() uint64 { return x.generation }

func (x *town) Groups(depth int) []*roaring.Bitmap {
	return []*roaring.Bitmap{roaring.BitmapOf(1, 2), roaring.BitmapOf(3, 4)}
}

func (x *town) Resolve(t audience.Target) (lookup.Resolution, error) {
	x.resolved++
	if x.sets[t.Select] == nil {
		return lookup.Resolution{}, audience.ErrNoArea
	}
	return lookup.Resolution{Members: x.sets[t.Select].Clone()}, nil
}

func (x *town) MessagesOf(id alert.ID) ([]alerts.Addressing, bool) {
	return x.messages[id], !x.incomplete[id] && len(x.messages[id]) > 0
}
func (x *town) MessageCount(id alert.ID) int { return len(x.messages[id]) }

// warn adds a message of an alert to a set.
func (x *town) warn(name, severity, to string) alerts.Live {
	a := &alert.Alert{
		Identifier: name, Sender: "duty@tm", Sent: alert.NewDateTime(noon), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert,
		Infos: []alert.Info{{Event: "Fire", Urgency: "Immediate", Severity: severity, Certainty: "Observed", Expires: alert.NewDateTime(noon.Add(time.Hour))}},
	}
	l := alerts.Live{Active: board.Active{
		ID: a.Key().ID(), Revision: a.Revision(), Digest: name, Key: a.Key(), Fact: name, Status: a.Status, Expires: noon.Add(time.Hour),
	}}
	issue := factbody.Issue{Accepted: noon.UnixMilli(), Targets: []audience.Target{{Select: to}}}
	l.Message = &alerts.Message{Fact: name, Issue: issue, Alert: a, Entry: issue.Entry(a, name, name)}
	x.messages[l.ID] = append(x.messages[l.ID], l.Message.Addressing())
	return l
}

func names(s channels.Situation) (names []string) {
	for _, it := range s.InForce {
		names = append(names, it.Message.Identifier)
	}
	return names
}

func TestBuild_AnEmergencyDoesNotWaitForABurst(t *testing.T) {
	x, b := newTown()
	x.sets["all"] = roaring.BitmapOf(1, 2, 3)
	var inForce []alerts.Live
	for i := range 500 {
		inForce = append(inForce, x.warn(fmt.Sprint("notice-", i), "Minor", "all"))
	}
	inForce = append(inForce, x.warn("fire", "Extreme", "all"))
	s, todo := b.Build(inForce, nil)
	require.Contains(t, names(s), "fire")
	require.Positive(t, todo.Missing)
	require.LessOrEqual(t, x.resolved, maxResolved+1)
	require.Equal(t, len(inForce), len(s.InForce)+todo.Missing)
	for calls := 0; todo.Missing > 0; calls++ {
		require.Less(t, calls, 501)
		s, todo = b.Build(inForce, nil)
	}
	require.Len(t, s.InForce, len(inForce), "nothing is left out in the end")
	require.Equal(t, 501, x.resolved, "nothing is worked out twice")

	again, _ := b.Build(inForce, nil)
	require.Equal(t, 501, x.resolved)
	require.Same(t, s.Places, again.Places)
	require.Same(t, s.InForce[7].Parts[0].To, again.InForce[7].Parts[0].To)
	require.Same(t, s.InForce[7].Concerns, again.InForce[7].Concerns)
}

func TestBuild_AChangedAudienceIsFollowedLoudestFirst(t *testing.T) {
	x, b := newTown()
	x.sets["all"], x.sets["some"] = roaring.BitmapOf(1, 2), roaring.BitmapOf(3)
	var inForce []alerts.Live
	for i := range 200 {
		inForce = append(inForce, x.warn(fmt.Sprint("notice-", i), "Minor", "some"))
	}
	inForce = append(inForce, x.warn("fire", "Extreme", "all"))
	s, todo := b.Build(inForce, nil)
	for todo.Missing > 0 {
		s, todo = b.Build(inForce, nil)
	}
	before := s.InForce[0].Parts[0].To
	x.sets["all"], x.generation = roaring.BitmapOf(1, 4), 1
	s, todo = b.Build(inForce, nil)
	require.Zero(t, todo.Missing, "what is in force stays so meanwhile")
	require.Positive(t, todo.Stale)
	require.Len(t, s.InForce, 201)
	fire := s.InForce[200]
	require.Equal(t, []uint32{1, 4}, fire.Parts[0].To.ToArray())
	require.Equal(t, []uint32{1, 2, 4}, fire.Concerns.ToArray(), "who has moved away may still show it")
	for todo.Stale > 0 {
		s, todo = b.Build(inForce, nil)
	}
	require.Same(t, before, s.InForce[0].Parts[0].To, "equal sets stay the same ones")
}

func TestBuild_AnEndGoesToWhoeverMayShowIt(t *testing.T) {
	x, b := newTown()
	x.sets["all"] = roaring.BitmapOf(1)
	fire := x.warn("fire", "Extreme", "all")
	x.told["fire"] = roaring.BitmapOf(2)
	s, _ := b.Build([]alerts.Live{fire}, nil)
	require.Equal(t, []uint32{1, 2}, s.InForce[0].Concerns.ToArray(), "the record counts")

	x.sets["all"], x.generation = roaring.BitmapOf(3), 1
	b.Build([]alerts.Live{fire}, nil)
	x.sets["all"], x.generation = roaring.New(), 2
	known, unknown := board.End{ID: fire.ID, At: noon}, board.End{ID: "never-seen", At: noon}
	s, todo := b.Build(nil, []board.End{known, unknown})
	require.Zero(t, todo)
	require.Equal(t, []uint32{1, 2, 3}, s.Ended[0].To.ToArray())
	require.True(t, s.Ended[0].Known)
	require.Nil(t, s.Ended[1].To, "whom that was for nobody knows")
	require.False(t, s.Ended[1].Known)

	x.incomplete[fire.ID] = true
	x.messages[fire.ID] = append(x.messages[fire.ID], fire.Message.Addressing())
	s, _ = b.Build(nil, []board.End{known})
	require.Nil(t, s.Ended[0].To, "a message that is missing may have addressed anybody")
}

func TestBuild_WhatCannotBeResolvedIsListedForEverybody(t *testing.T) {
	_, b := newTown()
	x := b.BuilderOptions.Audience()
	s, _ := b.Build([]alerts.Live{x.warn("fire", "Extreme", "unheard of")}, nil)
	require.Len(t, s.InForce, 1)
	require.Empty(t, s.InForce[0].Parts)
	require.Nil(t, s.InForce[0].Concerns)
}
