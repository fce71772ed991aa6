package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/judge"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
)

var asked = time.Date(2026, 11, 28, 18, 0, 0, 0, time.UTC)

// saysOf is a message with parameters, each NAME=VALUE.
func saysOf(pairs ...string) *alert.Alert {
	i := alert.Info{Language: "en", Event: "Recall", Categories: []string{"Health"}, Urgency: "Future", Severity: "Minor", Certainty: "Likely", Headline: "Do not eat it", Expires: alert.NewDateTime(asked.Add(time.Hour))}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		i.Parameters = append(i.Parameters, alert.Named{Name: name, Value: value})
	}
	zh := i
	zh.Language = "zh-Hant"
	return &alert.Alert{Identifier: "m", Sender: "s", Sent: alert.NewDateTime(asked), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{i, zh}}
}

func TestMessage_WarnsOnceOfParametersThatNobodyKnows(t *testing.T) {
	for pair, says := range map[string]string{
		"almenara:residents=seen help photo": "", "almenara:confirm=person": "", "almenara:confirm=none": "", "other:residents=x": "",
		"almenara:residents=seen halp": `asks for "halp"`, "almenara:residents=SEEN": `asks for "SEEN"`, "almenara:confirm=Person": "is taken for none",
		"almenara:visted=x": `"almenara:visted" is not known here`,
	} {
		found := judge.Message(saysOf(pair))
		require.False(t, found.Rejected(), pair)
		if says == "" {
			require.Empty(t, found, pair)
			continue
		}
		require.Len(t, found, 1, "%s: %v", pair, found)
		require.Contains(t, found[0].Detail, says)
	}
	many := saysOf()
	for n := range 5000 {
		many.Infos[0].Parameters = append(many.Infos[0].Parameters, alert.Named{Name: "almenara:" + strings.Repeat("x", n%50), Value: strings.Repeat("y", n)})
	}
	require.LessOrEqual(t, len(judge.Message(many)), 10)
}

func TestMessage_RefusesARecallThatNobodyCanBeMeantBy(t *testing.T) {
	span := "2026-11-28T10:00:00+08:00/2026-11-28T14:00:00+08:00"
	for value, says := range map[string]string{
		span + " d/market": "", span + " D/Market": "a path such as", span + " d/market\u202e": "a path such as", span + " <b>": "a path such as", span: "are expected",
		"2020-11-28T10:00:00+08:00/2026-11-28T14:00:00+08:00 d/market": "longer than the 28 days", "2026-11-28T10:00:00+08:00/2026-12-01T14:00:00+08:00 d/market": "after the message was sent",
		"2026-10-01T10:00:00+08:00/2026-10-02T14:00:00+08:00 d/market": "no phone keeps visits",
	} {
		found := judge.Message(saysOf("almenara:visited=" + value))
		require.Equal(t, says != "", found.Rejected(), value)
		if says != "" {
			require.Contains(t, found.Reason(), says, value)
		}
	}
	many := saysOf()
	for n := range visited.Most + 1 {
		many.Infos[0].Parameters = append(many.Infos[0].Parameters, alert.Named{Name: visited.Parameter, Value: span + " d/" + strings.Repeat("x", n+1)})
	}
	require.True(t, judge.Message(many).Rejected())
	stop := saysOf("almenara:visited=nonsense")
	stop.MsgType = alert.MsgTypeCancel
	require.False(t, judge.Message(stop).Rejected(), "what ends an alert is never held up")
}
