package mqtt

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A client that goes on sending while it is refused must be able to read why. Over
// the loopback, each write to a closed socket comes back as a reset.
func TestHangUp_ReasonArrivesAtAClientThatGoesOnSending(t *testing.T) {
	chatter := publishPacket(true, 0, 0, receiptTopic, "[]")
	goesOn := func(w *wire) {
		for range 50 {
			_, err := w.Write(chatter)
			require.NoError(w.t, err, "the connection was reset")
		}
	}
	t.Run("DISCONNECT", func(t *testing.T) {
		w := newRig(t).connected(t)
		w.send(append([]byte{0x82, 5, 0, 1, 0, 0, 0}, chatter...))
		w.expect([]byte{0xE0, 1, 0x81})
		goesOn(w)
	})
	t.Run("CONNACK", func(t *testing.T) {
		r := newRig(t)
		w := r.dial(r.listen(TCP))
		refused := connectPacket("lift-1", false, func(f *connectFields) { f.password = "guess" })
		w.send(append(refused, chatter...))
		w.expect([]byte{0x20, 2, 0, 4})
		goesOn(w)
	})
}

// connected is lift-1 with MQTT 5.
func (r *rig) connected(t testing.TB) *wire {
	t.Helper()
	return r.device(r.listen(TCP), "lift-1", true)
}
