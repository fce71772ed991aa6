package frame

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInside_SendsNobodyElsewhere(t *testing.T) {
	q := &Request{frame: &Frame{opts: Options{}}}
	require.Equal(t, "/console/now?x=1", q.Inside("/console/now?x=1"))
	for _, elsewhere := range []string{"", "/", "//evil.example", "https://evil.example/console/", "/console/\r\nSet-Cookie: a", "/console/\\evil", "/consoleevil", "/console/" + strings.Repeat("x", 600)} {
		require.Equal(t, "/console/", q.Inside(elsewhere), elsewhere)
	}
}
