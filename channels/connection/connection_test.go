package connection

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"
)

// answer is a token that is done when the other side has answered.
type answer struct {
	mqtt.Token
	done chan struct{}
	err  error
}

func (a answer) Done() <-chan struct{} { return a.done }
func (a answer) Error() error          { return a.err }

func TestWait_NeverWaitsForEver(t *testing.T) {
	refusal := errors.New("refused")
	closed := make(chan struct{})
	close(closed)
	for name, c := range map[string]struct {
		token answer
		meet  func(c *Connection, cancel func())
		want  error
		after time.Duration
	}{
		"answered":  {token: answer{done: closed}},
		"refused":   {token: answer{done: closed, err: refusal}, want: refusal},
		"given up":  {meet: func(_ *Connection, cancel func()) { cancel() }, want: context.Canceled},
		"lost":      {meet: func(c *Connection, _ func()) { c.End(); c.End() }, want: ErrLost},
		"no answer": {want: ErrSilence, after: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				conn := New(Options{URL: "tcp://127.0.0.1:1"}, func(*mqtt.ClientOptions) {})
				if c.meet != nil {
					c.meet(conn, cancel)
				}
				begun := time.Now()
				require.ErrorIs(t, conn.Wait(ctx, c.token, time.Second), c.want)
				require.Equal(t, c.after, time.Since(begun))
			})
		})
	}
}

// A client that connects again by itself would send again what may not hold any more.
func TestNew_NeverConnectsAgainByItself(t *testing.T) {
	c := New(Options{URL: "tcp://127.0.0.1:1", ClientID: "lift-7", Timeout: time.Second}, func(o *mqtt.ClientOptions) { o.SetCleanSession(false) })
	r := c.Client.OptionsReader()
	require.False(t, r.AutoReconnect())
	require.False(t, r.ConnectRetry())
	require.False(t, r.CleanSession(), "the caller's own")
	require.EqualValues(t, 4, r.ProtocolVersion())
	select {
	case <-c.Lost():
		require.Fail(t, "lost before it was connected")
	default:
	}
}
