package engine_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/inprocess"
	"almenara/node/engine"
)

func TestWithClock_IsTheServedNodesTimeOfDay(t *testing.T) {
	var asked atomic.Int64
	e := engine.New("test", engine.WithClock(func() time.Time {
		asked.Add(1)
		return time.Now().Add(-time.Hour)
	}))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	listen := inprocess.Listen{Internode: "127.0.0.1:0", API: "127.0.0.1:0", MQTT: "127.0.0.1:0", MQTTTLS: "127.0.0.1:0", MQTTWS: "127.0.0.1:0"}
	dir := t.TempDir() + "/node"
	_, err := e.Init(ctx, inprocess.InitOptions{Data: dir, District: "tuen-mun", Listen: listen})
	require.NoError(t, err)
	require.Zero(t, asked.Load())
	require.NoError(t, e.Serve(ctx, inprocess.ServeOptions{Data: dir, Log: io.Discard}, func(inprocess.ServeInfo) { stop() }))
	require.Positive(t, asked.Load())
}
