package intake

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/storage"
	"almenara/storage/rights"
)

// long is a selection of nobody, nearly as long as one may be.
func long() string {
	var ids []string
	for n := range 59 {
		ids = append(ids, fmt.Sprintf("nobody-%057d", n))
	}
	return "id in (" + strings.Join(ids, ", ") + ")"
}

// nested is a selection whose parentheses are as deep as they may be.
func nested() string {
	s := `place under "d/here" or id = nobody`
	for range 64 {
		s = "id = nobody or not (" + s + ")"
	}
	return s
}

// A selection that may be typed may be too long or too deep once it is kept to the places of its author, or to what the
// scenario selects: then no node could say whom the alert is for, and whoever lists alerts would get none.
func TestSend_RefusesWhatNoNodeCouldReadBack(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{})
	raw, err := json.Marshal(map[string]any{"info": []any{map[string]any{
		"language": "en", "category": []string{"Met"}, "event": "Rain", "urgency": "Future", "severity": "Minor", "certainty": "Likely", "headline": "Rain", "expires": "2026-07-20T13:00:00-00:00",
	}}})
	require.NoError(t, err)
	warden := authority.Caller{Name: "amy", Roles: composer, Places: []string{here, here + "/" + strings.Repeat("e", 64) + "/" + strings.Repeat("f", 64) + "/" + strings.Repeat("g", 64)}}
	anybody := authority.Caller{Name: "bob", Roles: composer}
	deep, wide := nested(), `place under "d/here" and not `+long()
	require.NoError(t, c.Intake.store.Update(func(txn *storage.Txn) error {
		return rights.Scenarios.Put(txn, rights.Scenario{ID: "rain", Alert: raw, Select: wide, Lifetime: 3600_000})
	}))
	for name, row := range map[string]struct {
		by   authority.Caller
		sent wire.SendAlert
		says string
	}{
		"too long for the places of its author":         {warden, wire.SendAlert{Alert: raw, Select: wide}, "cannot be kept to the places of its author"},
		"too deep for the places of its author":         {warden, wire.SendAlert{Alert: raw, Select: deep}, "nested deeper than 64"},
		"too long for the scenario":                     {anybody, wire.SendAlert{Scenario: "rain", Select: wide}, "cannot be kept to that of the scenario"},
		"a group too deep for the places of its author": {warden, wire.SendAlert{Alert: raw, Select: `place under "d/here"`, Escalate: &acts.Escalate{Answers: 1, Minutes: 1, Groups: []string{deep}}}, "the selection of group 2 cannot be kept"},
	} {
		for what, do := range map[string]func() error{
			"preview": func() error { _, err := c.PreviewAlert(t.Context(), row.by, row.sent); return err },
			"send":    func() error { _, err := c.SendAlert(t.Context(), row.by, row.sent, wire.WaitLocal); return err },
		} {
			require.Contains(t, problem(t, do(), wire.KindMalformed).Sentence, row.says, "%s: %s", name, what)
		}
	}
	require.Zero(t, c.journal.facts)
}
