package rights

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever differs makes another revision: each field of a scenario, and of what lies in it.
func TestRevision_HasEveryField(t *testing.T) {
	whole := func() Scenario {
		return Scenario{ID: "fire", Title: "Fire", Details: Details{Blanks: []Blank{{Name: "where"}}}, Chain: &Chain{Levels: []Level{{Count: 1}}, Words: []Word{{Word: "x"}}}}
	}
	seen := map[string]string{hex.EncodeToString(whole().Revision()): "as it is"}
	var walk func(path string, v func(s *Scenario) reflect.Value)
	try := func(path string, s Scenario) {
		is := hex.EncodeToString(s.Revision())
		before, twice := seen[is]
		require.False(t, twice, "%s is no other revision than %s", path, before)
		seen[is] = path
	}
	walk = func(path string, v func(s *Scenario) reflect.Value) {
		of := whole()
		at := v(&of)
		switch at.Kind() {
		case reflect.Struct:
			for i := range at.NumField() {
				if path+"."+at.Type().Field(i).Name != ".Removed" {
					walk(path+"."+at.Type().Field(i).Name, func(s *Scenario) reflect.Value { return v(s).Field(i) })
				}
			}
			return
		case reflect.Pointer:
			walk(path, func(s *Scenario) reflect.Value { return v(s).Elem() })
			return
		case reflect.Slice:
			switch {
			case at.Type().Elem().Kind() == reflect.Struct:
				walk(path+"[0]", func(s *Scenario) reflect.Value { return v(s).Index(0) })
				at.Set(reflect.Append(at, reflect.Zero(at.Type().Elem())))
			case at.Type().Elem().Kind() == reflect.Uint8:
				at.SetBytes([]byte(path))
			default:
				at.Set(reflect.ValueOf([]string{path}))
			}
		case reflect.String:
			at.SetString(at.String() + path)
		case reflect.Bool:
			at.SetBool(!at.Bool())
		case reflect.Int64:
			at.SetInt(at.Int() + 7)
		default:
			at.SetUint(at.Uint() + 7)
		}
		try(path, of)
	}
	walk("", func(s *Scenario) reflect.Value { return reflect.ValueOf(s).Elem() })
	require.Greater(t, len(seen), 25)

	none := make([]byte, RevisionBytes)
	require.Equal(t, none, Scenario{}.Revision())
	require.Equal(t, none, Scenario{ID: "fire", Title: "Fire", Removed: true}.Revision())
	require.False(t, bytes.Equal(none, whole().Revision()))
	require.Equal(t, "cef2de256139e83147a8eeb2334a4fc2", hex.EncodeToString(whole().Revision()), "replicas compare it: it changes only with a new version of commands")
}
