//go:build unix

package mqtt

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/signal"
	"almenara/storage/alert"
)

// BenchmarkSituation is one more alert to 1,000 devices in 20 places where so many are in
// force for one place each: from Set of the dispatcher until the gateway has written the body
// to the last device. What the devices are sent is read and thrown away.
func BenchmarkSituation(b *testing.B) {
	for _, count := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) { benchSituation(b, count) })
	}
}

func benchSituation(b *testing.B, count int) {
	const places = 20
	hooks := &countingHooks{sent: make(chan int, 1<<16)}
	r := newRig(b, func(o *Options) {
		o.Hooks = hooks
		o.Limits.AckTimeout = time.Hour
	})
	heard := someoneRead{signal.New()}
	address := r.listen(TCP)
	groups, all := make([]*roaring.Bitmap, places), roaring.New()
	for i := range groups {
		groups[i] = roaring.New()
	}
	for i := range uint32(benchDevices) {
		id := fmt.Sprintf("bulk-%04d", i)
		w := r.device(address, id, false, func(f *connectFields) { f.keepAlive = 0 })
		filters := append(appendString([]byte{0, 1}, ownFilterOf(id)), 0)
		w.send(framed(0x82, append(appendString(filters, contract.TopicNow), 0)...))
		require.NoError(b, w.SetReadDeadline(time.Time{}))
		go func() { _, _ = io.Copy(heard, w.Conn) }() // ends with the connection
		groups[i%places].Add(i)
		all.Add(i)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	d, err := channels.NewDispatcher(channels.Options{
		Signer: contract.Signer{KeyID: "k", Key: key}, Node: "n1", Outlets: []channels.Outlet{r.Gateway},
	})
	require.NoError(b, err)
	s := channels.Situation{Places: channels.NewPlaces(groups)}
	for i := range count {
		s.InForce = append(s.InForce, benchItem(fmt.Sprint("held-", i), "Minor", groups[i%places]))
	}
	require.NoError(b, d.Set(s))
	awaitSent(hooks, count*benchDevices/places)
	r.awaitRest(heard)
	b.ResetTimer()
	for i := range b.N {
		next := s
		next.InForce = append(s.InForce[:count:count], benchItem(fmt.Sprint("fire-", i), "Extreme", all))
		require.NoError(b, d.Set(next))
		awaitSent(hooks, benchDevices)
		b.StopTimer() // the next alert finds the manifests of this one delivered
		r.awaitRest(heard)
		b.StartTimer()
	}
}

// someoneRead throws away what devices read, and signals that one did.
type someoneRead struct{ signal.Signal }

func (s someoneRead) Write(b []byte) (int, error) {
	s.Set()
	return len(b), nil
}

// awaitRest waits until no session lacks anything. That a session lacks nothing is
// known before its device reads it.
func (r *rig) awaitRest(heard someoneRead) {
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for _, s := range r.allSessions() {
		for s.lacking() {
			select {
			case <-heard.Signal:
			case <-limit.C:
				require.FailNow(r.t, "a session still lacks something", "ended %v, %d bytes pending", s.ended, s.out.Pending())
			}
		}
	}
}

func (s *session) lacking() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Lacks(s.g.plan.Load())
}

func awaitSent(hooks *countingHooks, deliveries int) {
	for n := 0; n < deliveries; {
		n += <-hooks.sent
	}
}

func benchItem(name, severity string, to *roaring.Bitmap) channels.Item {
	expires := time.Now().Add(time.Hour)
	m := &alert.Alert{
		Identifier: name, Sender: "duty@tm", Sent: alert.NewDateTime(time.Now()), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{{
			Language: "en", Event: "Fire", Urgency: "Immediate", Severity: severity, Certainty: "Observed",
			Headline: "Fire in block 3", Instruction: "Leave by the stairs", Expires: alert.NewDateTime(expires),
		}},
	}
	return channels.Item{
		Alert: m.Key().ID(), Revision: m.Revision(), Digest: name, Expires: expires, Status: m.Status, Message: m,
		Parts: []channels.Part{{Infos: []int{0}, To: to}}, Concerns: to,
	}
}
