package brokertest

import (
	"log/slog"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/stretchr/testify/require"
)

// Brokers close while clients come and go: of mochi's own listener one in some thousands never does.
func TestListen_ClosesWhileClientsLeave(t *testing.T) {
	for range 50 {
		b := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
		_, err := Listen(b, "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, b.Serve())
		stop := make(chan struct{})
		var leaving sync.WaitGroup
		for range 4 {
			leaving.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						b.Clients.Delete("somebody")
					}
				}
			})
		}
		closing, _ := b.Listeners.Get("tcp")
		for range 200 {
			closing.(*listener).end()
		}
		require.NoError(t, b.Close())
		close(stop)
		leaving.Wait()
	}
}
