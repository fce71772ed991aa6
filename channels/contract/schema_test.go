package contract

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// schema is what is compared of a JSON Schema.
type schema struct {
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
}

func TestSchemas_HaveTheMembersOfThePayloads(t *testing.T) {
	for name, payload := range map[string]any{
		"manifest": Manifest{}, "body": Body{}, "command": Command{}, "keys": KeyRing{}, "receipts": []Receipt{}, "state": State{}, "report": Report{},
	} {
		raw, err := os.ReadFile("schema/" + name + ".json")
		require.NoError(t, err)
		var s schema
		require.NoError(t, json.Unmarshal(raw, &s), name)
		same(t, name, &s, reflect.TypeOf(payload))
	}
}

// same holds a schema to a type: the same members, and those that are never left out required.
func same(t *testing.T, at string, s *schema, of reflect.Type) {
	t.Helper()
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct {
		require.NotNil(t, s.Items, at)
		same(t, at+"[]", s.Items, of.Elem())
		return
	}
	if of.Kind() != reflect.Struct || of.PkgPath() == "time" {
		return
	}
	var members, always []string
	for i := range of.NumField() {
		tag := of.Field(i).Tag.Get("json")
		name, rest, _ := strings.Cut(tag, ",")
		members = append(members, name)
		if !strings.Contains(rest, "omit") {
			always = append(always, name)
		}
		require.Contains(t, s.Properties, name, at)
		same(t, at+"."+name, s.Properties[name], of.Field(i).Type)
	}
	require.ElementsMatch(t, members, slices.Collect(maps.Keys(s.Properties)), at)
	if at == "state" { // a will is a state without the rest
		always = []string{"state"}
	}
	require.ElementsMatch(t, always, s.Required, at)
}
