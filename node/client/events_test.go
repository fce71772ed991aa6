package client

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

func TestReadEvents_FollowsTheStandard(t *testing.T) {
	var got []wire.Event
	err := readEvents(strings.NewReader(": comment\n\nid: 7\nevent: x\nretry: 5\ndata: {\"type\":\ndata:\"alert\"}\n\ndata: {}\n\ndata: {\"cut"),
		func(e wire.Event) { got = append(got, e) })
	require.NoError(t, err)
	require.Equal(t, []wire.Event{{ID: "7", Type: "alert"}, {ID: "7"}}, got)
	require.Error(t, readEvents(strings.NewReader("data: x\n\n"), func(wire.Event) {}))
	require.Error(t, readEvents(strings.NewReader("data: "+strings.Repeat("x", maxEventLine)), func(wire.Event) {}))
}

func FuzzReadEvents(f *testing.F) {
	f.Add("id: 1\ndata: {\"type\":\"alert\"}\n\n")
	f.Add(":\n\n\r\ndata\n\ndata: null\n\n")
	f.Fuzz(func(_ *testing.T, stream string) {
		_ = readEvents(strings.NewReader(stream), func(wire.Event) {})
	})
}
