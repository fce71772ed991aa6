package api_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/wire"
)

// A word of an answer means one thing wherever it stands: a program that reads the state
// of an alert reads that of an outcome and of an event alike.
func TestOpenAPI_StateMeansOneThing(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Enum       []string
				Properties map[string]json.RawMessage
			}
		}
	}
	require.NoError(t, json.Unmarshal(api.OpenAPI(""), &doc))
	for member, means := range map[string]struct {
		schema string
		words  []string
		of     []string
	}{
		"state":       {"State", wire.State("").Enum(), []string{"Alert", "Event", "Outcome"}},
		"replication": {"Replication", wire.Replication("").Enum(), []string{"Alert", "Outcome"}},
		"copy":        {"Copy", wire.Copy("").Enum(), []string{"Original"}},
	} {
		var found []string
		for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
			raw, ok := doc.Components.Schemas[name].Properties[member]
			if !ok {
				continue
			}
			found = append(found, name)
			var property struct {
				Ref string `json:"$ref"`
			}
			require.NoError(t, json.Unmarshal(raw, &property))
			require.Equal(t, "#/components/schemas/"+means.schema, property.Ref, "%s.%s", name, member)
		}
		require.Equal(t, means.of, found, "%s", member)
		require.Equal(t, means.words, doc.Components.Schemas[means.schema].Enum)
	}
}
