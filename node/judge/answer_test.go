package judge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/judge"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
)

// A page says in the reader's language that a rule is broken, and which one in the words of the rule.
func TestRefusal_SaysWhichRuleAlsoOnPages(t *testing.T) {
	found := alert.Findings{{Level: alert.Reject, Rule: "event-empty", Detail: "event is empty", Code: "event-empty", With: []any{alert.Place{Info: 2}, alert.Span(90 * time.Second)}}}
	var p *wire.Problem
	require.ErrorAs(t, judge.Refusal(&alert.RejectError{Findings: found}, found), &p)
	require.Equal(t, "nothing was sent: event-empty: event is empty", p.Sentence)
	require.Equal(t, why.Why{Reason: why.NotValid, Points: why.Sentences{
		{Text: "reject: event is empty", Why: why.Why{Reason: why.Finding("event-empty"), With: []any{why.At{Info: 2}, 90 * time.Second}}},
	}}, p.Why)
	require.Equal(t, []string{"reject: event is empty"}, p.Details)
}
