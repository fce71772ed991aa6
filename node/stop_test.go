package node_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/shutdown"
	"almenara/node/wire"
)

// TestStop_EndsTheDailyCheckAndHandsOverFirst: the check reads for minutes on a slow
// disk, and the others need a leader at once.
func TestStop_EndsTheDailyCheckAndHandsOverFirst(t *testing.T) {
	t.Parallel()
	d := newTuned(t, 2, func(_ int, o *node.Options) { o.Scrub = time.Hour })
	leader := d.leader()
	d.stop(leader)
	d.opts[leader].Scrub = 50 * time.Millisecond
	n, err := node.New(d.opts[leader])
	require.NoError(t, err)
	checking := make(chan struct{})
	n.CheckWith(func(context.Context) error {
		close(checking)
		<-d.t.Context().Done() // it does not look at its own
		return nil
	})
	require.NoError(t, n.Start(d.ctx()))
	d.nodes[leader] = n
	told(t, checking)
	d.awaitOn(leader, func(s wire.Status) bool { return s.Ready })
	begun := time.Now()
	d.stop(leader)
	require.Less(t, time.Since(begun), 10*time.Second)
}

// TestStop_EndsWithoutItsFolder: a disk that is gone keeps no process. Badger writes its
// memtable again and again, for ever; what is stuck is named.
func TestStop_EndsWithoutItsFolder(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	n := d.nodes[0]
	d.nodes[0] = nil
	d.eventually("the folder is gone", func() bool { return os.RemoveAll(d.opts[0].Dir) == nil }) // it is written to
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Second)
	defer cancel()
	begun := time.Now()
	err := n.Stop(ctx)
	require.Less(t, time.Since(begun), 40*time.Second)
	require.ErrorIs(t, err, shutdown.ErrStuck)
}

// TestStop_HandsOverBeforeItWaitsForRequests: a request whose body comes slowly keeps the API
// from ending, and the others have a leader all the same.
func TestStop_HandsOverBeforeItWaitsForRequests(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	leader, other := d.leader(), d.follower()
	body, write := io.Pipe()
	r, err := http.NewRequestWithContext(d.ctx(), http.MethodPost, d.nodes[leader].API()+"/api/v1/cap", body)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Expect", "100-continue") // the body is sent once the node reads it
	answered := make(chan error, 1)
	go func() {
		response, err := (&http.Transport{ExpectContinueTimeout: patience}).RoundTrip(r)
		if err == nil {
			err = response.Body.Close()
		}
		answered <- err
	}()
	_, err = write.Write([]byte("<alert"))
	require.NoError(t, err, "the node reads it")

	stopping := d.nodes[leader]
	d.nodes[leader] = nil
	stopped := make(chan error, 1)
	go func() { stopped <- stopping.Stop(d.ctx()) }()
	d.awaitOn(other, func(s wire.Status) bool { return s.Role == "leader" })
	select {
	case err := <-stopped:
		require.Fail(t, "it waits for the request", "%v", err)
	default:
	}
	require.NoError(t, write.Close())
	require.NoError(t, told(t, answered))
	require.NoError(t, told(t, stopped), "the request was let end in time")
}
