package cluster

import (
	"almenara/cluster/peers"
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinks_LogEachChangeOnce(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	l := links{}
	for _, reachable := range []bool{false, true, true, false, false, false, true} {
		l.note(log, peers.Peer{ID: "b", Reachable: reachable})
	}
	require.Equal(t, 1, strings.Count(out.String(), "link lost"))
	require.Equal(t, 2, strings.Count(out.String(), "link is back"))
}
