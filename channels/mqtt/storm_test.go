package mqtt

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/mqtt/packet"
)

// resuming is a device's side of TLS that remembers its session.
func resuming(trust *tls.Config, cache tls.ClientSessionCache) *tls.Config {
	c := trust.Clone()
	c.ServerName, c.ClientSessionCache = "localhost", cache
	return c
}

// secured connects a device over TLS and reports whether its session was resumed. The
// ticket comes behind the handshake and is read with the CONNACK.
func (r *rig) secured(address, id string, c *tls.Config) (resumed bool) {
	r.t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 30 * time.Second}, "tcp", address, c)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { conn.Close() })
	w := &wire{Conn: conn, t: r.t}
	w.connect(id)
	return conn.ConnectionState().DidResume
}

func TestTickets_AreGoodAfterARestart(t *testing.T) {
	server, trust := testTLS(t)
	with := func(secret string) *rig {
		return newRig(t, func(o *Options) { o.TLS, o.Tickets = server, []byte(secret) })
	}
	device := resuming(trust, tls.NewLRUClientSessionCache(1))
	before, after, other := with("the secret of a node"), with("the secret of a node"), with("another node's secret")
	require.False(t, before.secured(before.listen(TLS), "lift-1", device))
	require.True(t, after.secured(after.listen(TLS), "lift-1", device))
	require.False(t, other.secured(other.listen(TLS), "lift-1", device), "it shakes hands in full, and is in")
}

func TestTLS_WhoSaysNothingKeepsNobodyOut(t *testing.T) {
	server, trust := testTLS(t)
	r := newRig(t, func(o *Options) {
		o.TLS = server
		o.Limits.Handshakes, o.Limits.ConnectTimeout = 1, time.Hour
	})
	address := r.listen(TLS)
	for range 20 {
		r.dial(address)                             // says nothing
		r.dial(address).send([]byte{0x16, 3, 1, 2}) // the beginning of a handshake
	}
	r.secured(address, "lift-1", resuming(trust, nil))
}

func TestHandshake_WaitingForAProcessorDoesNotCostTheDeadline(t *testing.T) {
	server, trust := testTLS(t)
	computing, computed := make(chan struct{}), make(chan struct{})
	var first sync.Once
	server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		first.Do(func() { close(computing); <-computed })
		return nil, nil
	}
	r := newRig(t, func(o *Options) {
		o.TLS = server
		o.Limits.Handshakes, o.Limits.ConnectTimeout = 1, time.Second
	})
	address := r.listen(TLS)
	go func() { // somebody for whom the gateway computes for longer than the timeout
		if conn, err := tls.Dial("tcp", address, trust); err == nil {
			conn.Close()
		}
	}()
	<-computing
	free := time.AfterFunc(1500*time.Millisecond, func() { close(computed) })
	defer free.Stop()
	r.secured(address, "lift-1", resuming(trust, nil))
}

// TestStorm_AllComeBackAndAlertsFlowMeanwhile is scripts/bench's storm at small scale.
func TestStorm_AllComeBackAndAlertsFlowMeanwhile(t *testing.T) {
	const devices = 60
	server, trust := testTLS(t)
	r := newRig(t, func(o *Options) {
		o.TLS, o.Tickets = server, []byte("the secret of a node")
	})
	address := r.listen(TLS)
	inside := r.device(r.listen(TCP), "lift-1", false)
	inside.subscribe(ownFilterOf("lift-1"))
	caches := make([]tls.ClientSessionCache, devices)
	for i := range caches {
		caches[i] = tls.NewLRUClientSessionCache(1)
	}
	alerts := 0
	come := func() {
		var all sync.WaitGroup
		for i := range devices {
			all.Go(func() { r.secured(address, fmt.Sprintf("bulk-%04d", i), resuming(trust, caches[i])) })
		}
		for range 10 {
			alerts++
			r.Set(holds("manifest", alertTo(fmt.Sprint("alert ", alerts), 1, 1)))
			m := inside.message()
			inside.send(inside.ackPacket(packet.KindPuback, m.id))
		}
		all.Wait()
		require.Equal(t, devices+1, r.Sessions())
	}
	come()
	for i := range devices {
		r.Drop(fmt.Sprintf("bulk-%04d", i))
	}
	r.hooks.await(t, "an empty gateway", func() bool { return r.Sessions() == 1 })
	come()
}
