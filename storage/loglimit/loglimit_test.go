package loglimit

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLines_AreWrittenOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		var l Lines
		for range 1000 {
			l.Log(log, slog.LevelError, "receipts were not recorded", "error", "full")
		}
		require.Equal(t, 1, strings.Count(out.String(), "\n"))
		require.Contains(t, out.String(), "level=ERROR")
		require.NotContains(t, out.String(), "left_out")
		time.Sleep(2 * time.Minute)
		l.Log(log, slog.LevelError, "receipts were not recorded", "error", "full")
		require.Contains(t, out.String(), "error=full left_out=999")
	})
}

func TestLines_AreBoundedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		l := Lines{Most: 10, Per: time.Second}
		for range 510 {
			l.Log(log, slog.LevelWarn, "publish refused")
		}
		require.Equal(t, 10, strings.Count(out.String(), "\n"))
		time.Sleep(time.Second)
		l.Log(log, slog.LevelWarn, "publish refused")
		require.Contains(t, out.String(), "left_out=500")
		require.Equal(t, 11, strings.Count(out.String(), "\n"))
		l.Log(log, slog.LevelWarn, "publish refused")
		require.Equal(t, 1, strings.Count(out.String(), "left_out"))
	})
}
