package loglimit

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLine_IsWrittenOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		var l Line
		for range 1000 {
			l.Log(log, slog.LevelError, "receipts were not recorded", errors.New("full"))
		}
		require.Equal(t, 1, strings.Count(out.String(), "\n"))
		require.Contains(t, out.String(), "level=ERROR")
		time.Sleep(2 * Every)
		l.Log(log, slog.LevelError, "receipts were not recorded", errors.New("full"))
		require.Contains(t, out.String(), "left_out=999")
	})
}
