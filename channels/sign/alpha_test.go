package sign_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/sign"
)

// The bytes as the protocol's own examples have them: NUL ×5, SOH, type and address, STX, command, EOT.
func TestShow_WritesThePriorityFile(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, sign.Show(&b, " FIRE:\tleave  now\n"))
	require.Equal(t, "\x00\x00\x00\x00\x00\x01Z00\x02A0\x1b0bFIRE: leave now\x04", b.String())
	b.Reset()
	require.NoError(t, sign.Clear(&b))
	require.Equal(t, "\x00\x00\x00\x00\x00\x01Z00\x02A0\x04", b.String())
}

func TestShow_RefusesWhatASignCannotSay(t *testing.T) {
	for _, text := range []string{"火警", "", " \n ", "a\x04b", "caf\u00e9"} {
		var b bytes.Buffer
		require.Error(t, sign.Show(&b, text), "%q", text)
		require.Zero(t, b.Len(), "nothing is half written")
	}
	var b bytes.Buffer
	require.NoError(t, sign.Show(&b, strings.Repeat("leave ", 40)))
	require.LessOrEqual(t, b.Len(), 125+16)
	require.Contains(t, b.String(), "\x1b0aleave", "a long text moves")
	require.True(t, strings.HasSuffix(b.String(), "leave\x04"), "it is cut at a word")
}
