package hclogs

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogger_KeepsRepeatingLinkErrorsForDebugging(t *testing.T) {
	var out bytes.Buffer
	log := New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
	log.Error("failed to heartbeat to", "peer", "b")
	require.Empty(t, out.String())
	log.Error("failed to take snapshot")
	require.Contains(t, out.String(), "failed to take snapshot")
}
