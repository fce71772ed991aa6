package alertcmd

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
	"almenara/node/client"
	"almenara/node/wire"
)

func newWatcher(tty bool) (*watcher, *bytes.Buffer, *bytes.Buffer) {
	var out, err bytes.Buffer
	return &watcher{Env: &command.Env{IO: command.IO{Out: &out, Err: &err, IsTTY: tty, Width: 80}}, id: apitest.AlertID}, &out, &err
}

func TestWatcher_DrawsOverItselfOnATerminal(t *testing.T) {
	w, out, _ := newWatcher(true)
	a := apitest.ExampleAlert()
	require.NoError(t, w.draw(a))
	first := out.String()
	require.NotContains(t, first, "\x1b")
	require.NoError(t, w.draw(a))
	require.Equal(t, first, out.String(), "nothing changed, nothing drawn")
	out.Reset()
	a.Rungs.Presented = 3
	require.NoError(t, w.draw(a))
	require.True(t, strings.HasPrefix(out.String(), "\x1b[6A\x1b[J[Exercise] "), "%q", out.String())
	require.Equal(t, 6, strings.Count(first, "\n"))
}

func TestWatcher_SaysALostNodeOnceAndGoesOn(t *testing.T) {
	w, _, err := newWatcher(false)
	over, failed := w.step(wire.Alert{}, client.ErrUnreachable)
	require.True(t, over, "a node that never answered")
	require.ErrorIs(t, failed, client.ErrUnreachable)

	over, failed = w.step(apitest.ExampleAlert(), nil)
	require.False(t, over)
	require.NoError(t, failed)
	for range 3 {
		over, failed = w.step(wire.Alert{}, client.ErrUnreachable)
		require.False(t, over)
		require.NoError(t, failed)
	}
	require.Equal(t, 1, strings.Count(err.String(), "watching goes on"))
	_, _ = w.step(apitest.ExampleAlert(), nil)
	_, _ = w.step(wire.Alert{}, wire.Problemf(wire.KindBusy, "busy"))
	require.Equal(t, 2, strings.Count(err.String(), "watching goes on"), "lost again")

	over, failed = w.step(wire.Alert{}, wire.Problemf(wire.KindForbidden, "no more"))
	require.True(t, over)
	require.EqualError(t, failed, "no more")
}
