package scenario

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/rights"
)

type anywhere struct{}

func (anywhere) KnowsScheme(string) bool                               { return true }
func (anywhere) WithSpellings(s audience.Selection) audience.Selection { return s }

// A scenario may leave open whose visit it is about, and then it is judged when it is sent; what it says itself is
// judged before it is agreed on.
func TestCheck_LeavesOpenWhoWasThere(t *testing.T) {
	of := func(value string) rights.Scenario {
		return rights.Scenario{ID: "recall", Title: "Recall", Select: "all", Lifetime: 3600_000, Alert: []byte(`{"info":[{"language":"en","category":["Health"],"event":"Recall","urgency":"Future","severity":"Minor","certainty":"Likely","headline":"Do not eat it","parameter":[{"valueName":"almenara:visited","value":"` + value + `"}]}]}`)}
	}
	for value, good := range map[string]bool{"{{when}} {{where}}": true, "{{visited}}": true, "nonsense": false, "2026-07-20T09:00:00Z/2026-07-20T11:00:00Z d": true} {
		_, err := Check(of(value), "almenara.d", anywhere{}, noon)
		require.Equal(t, good, err == nil, "%s: %v", value, err)
	}
}
