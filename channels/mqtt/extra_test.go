package mqtt

import (
	"go/build"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// What opens the topics to test suites is in builds with the tag conformance only.
func TestExtra_IsInNoProduct(t *testing.T) {
	product := build.Default
	product.BuildTags = nil
	built, err := product.MatchFile(".", "extra_conformance.go")
	require.NoError(t, err)
	require.False(t, built)
	_, opens := reflect.TypeFor[*Gateway]().MethodByName("OpenTestTopics")
	require.False(t, opens)
	require.Nil(t, newRig(t).extra)
}
