package judge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/node/judge"
	"almenara/storage/alert"
	"almenara/storage/alert/check"
)

// Where a selection says who is meant, that there is no area is nothing to warn of; everything
// else is said as ever.
func TestSelected_NoAreaIsNothingWrongThen(t *testing.T) {
	found := alert.Findings{{Level: alert.Warn, Rule: check.RuleNoArea}, {Level: alert.Warn, Rule: check.RuleNoShape}, {Level: alert.Warn, Rule: "text-cut"}}
	require.Equal(t, found, judge.Selected(found, "", ""))
	require.Equal(t, found[2:], judge.Selected(found, "", "all"))
	require.Len(t, found, 3)
}

// Of many texts that devices show otherwise the first ten are named, and how many more there are.
func TestMessage_SaysHowManyMoreTextsAreChanged(t *testing.T) {
	const odd = "<b>x</b>\u202ey\u0007"
	a := &alert.Alert{MsgType: alert.MsgTypeAlert, Infos: []alert.Info{{
		Event: odd, SenderName: odd, Headline: odd, Description: odd, Instruction: odd, Contact: odd, Web: "ftp://x",
		Areas: []alert.Area{{Description: odd}}, Resources: []alert.Resource{{Description: odd, URI: "ftp://x"}},
	}}}
	var distinct []channels.Taken
	for _, taken := range channels.TakenOut(&a.Infos[0]) {
		if !slices.Contains(distinct, taken) {
			distinct = append(distinct, taken)
		}
	}
	require.Greater(t, len(distinct), 11)
	var texts []string
	for _, f := range judge.Message(a) {
		if f.Rule == "text-changed" {
			texts = append(texts, f.Detail)
		}
	}
	require.Len(t, texts, 11, strings.Join(texts, "\n"))
	require.Equal(t, fmt.Sprintf("devices show %d more texts otherwise than they were written", len(distinct)-10), texts[10])
}

// That an audience is named in words is said once, behind everything else; notes and parameters, which
// most messages have, are not.
func TestMessage_SaysOnceThatAnAudienceInWordsNarrowsNothing(t *testing.T) {
	a := &alert.Alert{MsgType: alert.MsgTypeAlert, Note: "Created using a tool", Infos: []alert.Info{
		{Event: "Rain", Headline: "<b>x</b>", AudienceText: " ", Parameters: []alert.Named{{Name: "layer", Value: "1"}}}, {Event: "Rain", AudienceText: "Media"}, {Event: "Rain", AudienceText: "Everybody"},
	}}
	found := judge.Message(a)
	require.Equal(t, `info 2: the audience is named in words ("Media"), which narrows nothing, and devices are not told it`, found[len(found)-1].Detail)
	require.Len(t, found, 2, judge.Sentences(found))
	a.Infos = a.Infos[:1]
	require.Len(t, judge.Message(a), 1)
}
