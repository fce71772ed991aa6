package mqtt

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/storage/receipt"
)

func bothVersions(t *testing.T, f func(t *testing.T, v5 bool)) {
	t.Run("3.1.1", func(t *testing.T) { f(t, false) })
	t.Run("5", func(t *testing.T) { f(t, true) })
}

func TestDeliver_BodyThenManifestAndReceiptOnPuback(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		w := r.device(r.listen(TCP), "lift-1", v5)
		require.Equal(t, []byte{1, 1, 1}, w.subscribe(contract.TopicNow, contract.TopicKeys, ownFilterOf("lift-1")))

		r.Set(holds("manifest 1", delivery("flood", 1, 1, 2)))
		require.Equal(t, message{topic: contract.TopicKeys, payload: "key ring", retain: true}, w.message())
		body := w.message()
		require.Equal(t, message{contract.TopicAlert("lift-1", string(alertID("flood"))), "body of flood 1", 1, 1, false}, body)
		require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 1", retain: true}, w.message())
		require.Zero(t, r.receipts.count())

		w.send(w.ackPacket(kindPuback, body.id))
		got := r.receipts.awaitRung(t, 1, receipt.Delivered)
		require.Equal(t, alertID("flood"), got.Alert)
		r.hooks.awaitTold(t, "sent "+string(alertID("flood"))+" to [1]")
	})
}
