package accept

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"almenara/channels/mqtt/nonblocking"
)

// newServer hands what it lets in to the test.
func newServer(t *testing.T, most int) (s *Server, begun chan *nonblocking.Conn) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var goroutines sync.WaitGroup
	begun = make(chan *nonblocking.Conn, 8)
	counter := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{Name: "n"}) }
	s, err := New(ctx, Options{
		Begin:      func(out *nonblocking.Conn, _ net.Conn, _ Transport) { begun <- out },
		Goroutines: &goroutines, Clock: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Metrics: Metrics{
			Connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"}), Rate: counter(), Full: counter(), Protocol: counter(),
		},
		MaxConnections: most, AcceptPerSecond: 100, AcceptBurst: 100, Handshakes: 1, ConnectTimeout: time.Second,
		MaxPending: 1 << 10, Stall: time.Second, SendBuffer: 4 << 10,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		s.Close()
		for _, c := range s.Conns() {
			c.Kill()
		}
		goroutines.Wait()
	})
	return s, begun
}

func TestServer_LetsInWhatTheLimitsAllowAndGivesPlacesBack(t *testing.T) {
	s, begun := newServer(t, 1)
	addr, err := s.Listen("127.0.0.1:0", TCP)
	require.NoError(t, err)
	require.Equal(t, []net.Addr{addr}, s.Addrs())
	first, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	defer first.Close()
	out := <-begun
	require.Len(t, s.Conns(), 1)

	refused, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	defer refused.Close()
	_, err = refused.Read(make([]byte, 1))
	require.Error(t, err, "one is open already")

	out.Kill()
	require.Empty(t, s.Conns())
	again, err := net.Dial("tcp", addr.String())
	require.NoError(t, err)
	defer again.Close()
	<-begun
}

func TestServer_ServesNothingAfterItsEnd(t *testing.T) {
	s, _ := newServer(t, 1)
	_, err := s.Listen("127.0.0.1:0", TLS)
	require.ErrorContains(t, err, "no TLS configuration")
	s.Close()
	_, err = s.Listen("127.0.0.1:0", TCP)
	require.ErrorIs(t, err, ErrStopped)
}

func TestTickets_KeysFollowTheDate(t *testing.T) {
	today, err := ticketKeys([]byte("the secret of a node"), 20_000)
	require.NoError(t, err)
	tomorrow, err := ticketKeys([]byte("the secret of a node"), 20_001)
	require.NoError(t, err)
	require.Equal(t, today[:ticketDays-1], tomorrow[1:], "yesterday's tickets are still good")
	require.NotEqual(t, today[0], tomorrow[0])
	other, err := ticketKeys([]byte("another node's secret"), 20_000)
	require.NoError(t, err)
	require.NotEqual(t, today[0], other[0])
}

func TestRates_RefillAndForget(t *testing.T) {
	rates := newRates(1, 2)
	at := time.Now()
	addr := addressOf(&addressed{addr: "[2001:db8::1]:5"})
	same := addressOf(&addressed{addr: "[2001:db8::2]:6"})
	require.Equal(t, addr, same, "one /64 is one address")
	require.True(t, rates.allow(addr, at))
	require.True(t, rates.allow(same, at))
	require.False(t, rates.allow(addr, at))
	require.True(t, rates.allow(addr, at.Add(time.Second)))
	rates.forget(at.Add(time.Second))
	require.Len(t, rates.buckets, 1)
	rates.forget(at.Add(time.Minute))
	require.Empty(t, rates.buckets)
}

type addressed struct {
	net.Conn
	addr string
}

func (a *addressed) RemoteAddr() net.Addr {
	addr, _ := net.ResolveTCPAddr("tcp", a.addr)
	return addr
}
