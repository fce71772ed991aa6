package factbody

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
)

func TestEscalation_AddsGroupAfterGroup(t *testing.T) {
	first := []audience.Target{{Select: "all", Area: true}, {Select: "all", Private: true}}
	e := &Escalation{Answers: 1, Minutes: 1, Groups: []string{"kind = phone", "kind = screen"}}
	selects := func(targets []audience.Target) (out []string) {
		for _, t := range targets {
			out = append(out, t.Select)
		}
		return out
	}
	require.Equal(t, []string{"all", "all"}, selects(e.Targets(first, 0)))
	second := e.Targets(first, 1)
	require.Equal(t, []string{"all", "all", "kind = phone", "kind = phone"}, selects(second))
	require.True(t, second[2].Area && second[3].Private, "their areas hold for all groups")
	require.Len(t, e.Targets(first, 9), 6, "there are no more")
	require.Equal(t, e.Everybody(first), e.Targets(first, 2))
	e.Called = 1
	require.Equal(t, second, e.Targets(first, 0), "who was called before hears a change")
	require.Equal(t, []string{"all", "all"}, selects(first), "and what was given is as it was")
	var none *Escalation
	require.Equal(t, first, none.Everybody(first))
}

func TestDecodeIssue_RefusesAnEscalationBeyondItsBounds(t *testing.T) {
	good := Escalation{Answers: 2, Minutes: 10, Groups: []string{"all"}}
	raw, err := Issue{Author: "amy", Escalation: &good, Remind: 5}.Encode()
	require.NoError(t, err)
	got, err := DecodeIssue(raw)
	require.NoError(t, err)
	require.Equal(t, []any{&good, uint32(5)}, []any{got.Escalation, got.Remind})
	require.EqualValues(t, EscalationsSince, IssueVersion(raw))
	for what, change := range map[string]func(i *Issue){
		"no answers":       func(i *Issue) { i.Escalation.Answers = 0 },
		"too many answers": func(i *Issue) { i.Escalation.Answers = MaxNeeded + 1 },
		"no time":          func(i *Issue) { i.Escalation.Minutes = 0 },
		"too long":         func(i *Issue) { i.Escalation.Minutes = MaxEscalationWait + 1 },
		"no group":         func(i *Issue) { i.Escalation.Groups = nil },
		"too many groups":  func(i *Issue) { i.Escalation.Groups = strings.Split("aaaaaaaa", "") },
		"an empty group":   func(i *Issue) { i.Escalation.Groups = []string{""} },
		"a long group":     func(i *Issue) { i.Escalation.Groups = []string{strings.Repeat("x", audience.MaxSelectionBytes+1)} },
		"called too many":  func(i *Issue) { i.Escalation.Called = 2 },
		"reminders":        func(i *Issue) { i.Remind = MaxRemindEvery + 1 },
	} {
		e := good
		i := Issue{Author: "amy", Escalation: &e}
		change(&i)
		raw, err := i.Encode()
		require.NoError(t, err)
		_, err = DecodeIssue(raw)
		require.Error(t, err, what)
	}
	for _, i := range []Issue{{Author: "amy"}, {Author: "amy", Blanks: map[string]string{"x": "y"}}} {
		raw, err := i.Encode()
		require.NoError(t, err)
		require.EqualValues(t, 1, IssueVersion(raw))
	}
}

func TestDecodeFollowUp_ReadsCallsAndWhatIsTakenBack(t *testing.T) {
	call := FollowUp{Alert: someAlert, Revision: 4, What: Call, By: "amy", At: 5, Fact: make([]byte, 32), Group: 1, Answered: 1}
	back := FollowUp{Alert: someAlert, Revision: 4, What: TakeBack, Members: []uint32{7}, By: "amy", At: 5}
	for _, f := range []FollowUp{call, back} {
		raw, err := f.Encode()
		require.NoError(t, err)
		got, err := DecodeFollowUp(raw)
		require.NoError(t, err)
		require.Equal(t, f, got)
		require.EqualValues(t, EscalationsSince, FollowUpVersion(raw))
	}
	told, err := FollowUp{Alert: someAlert, What: Told, Members: []uint32{7}, By: "amy"}.Encode()
	require.NoError(t, err)
	require.EqualValues(t, 6, FollowUpVersion(told))
	for what, change := range map[string]func(f *FollowUp){
		"no message":        func(f *FollowUp) { f.Fact = nil },
		"a short fact":      func(f *FollowUp) { f.Fact = make([]byte, 31) },
		"the first group":   func(f *FollowUp) { f.Group = 0 },
		"beyond all groups": func(f *FollowUp) { f.Group = MaxGroups },
		"of members":        func(f *FollowUp) { f.Members = []uint32{1} },
		"taken back of all": func(f *FollowUp) { *f = back; f.Members = nil },
		"taken back, group": func(f *FollowUp) { *f = back; f.Group = 1 },
		"told, answered":    func(f *FollowUp) { *f = back; f.What, f.Answered = Told, 1 },
	} {
		f := call
		change(&f)
		raw, err := f.Encode()
		require.NoError(t, err)
		_, err = DecodeFollowUp(raw)
		require.Error(t, err, what)
	}
}
