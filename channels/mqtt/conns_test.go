package mqtt

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// countedConns remembers which connections are open.
type countedConns struct {
	*news
	open  map[net.Conn]bool
	known int
}

func (c *countedConns) Enter(_ Transport, conn net.Conn) bool {
	c.tell(func() { c.open[conn] = true })
	return true
}
func (c *countedConns) Known(net.Conn)      { c.tell(func() { c.known++ }) }
func (c *countedConns) Leave(conn net.Conn) { c.tell(func() { delete(c.open, conn) }) }

// A connection that a poller reads is not the accepted one any more; its place is given
// back all the same, or a node that devices come to often enough would let nobody in.
func TestConns_EveryConnectionLeavesThatEntered(t *testing.T) {
	for scheme, transport := range map[string]Transport{"tcp": TCP, "ws": WS} {
		t.Run(scheme, func(t *testing.T) {
			conns := &countedConns{news: newNews(), open: map[net.Conn]bool{}}
			r := newRig(t, func(o *Options) { o.Conns = conns })
			address := r.listen(transport)
			for range 3 {
				w := &wire{Conn: dialURL(t, scheme+"://"+address+"/mqtt", nil), t: t}
				w.connect("lift-1")
				w.ping()
				_ = w.Close()
				r.hooks.awaitTold(t, "lift-1 up false")
				conns.await(t, "that the connection leaves", func() bool { return len(conns.open) == 0 })
			}
			require.Equal(t, 3, conns.known)
		})
	}
}
