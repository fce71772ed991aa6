package mqtt

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/mqtt/delivery"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

func TestSubscribe_OnlyWhatIsTheDevices(t *testing.T) {
	own := contract.DevicePrefix("lift-1")
	for _, test := range []struct {
		filter string
		v3, v5 byte
	}{
		{contract.TopicNow, 1, 1},
		{contract.TopicKeys, 1, 1},
		{own + "#", 1, 1},
		{own + "+", 1, 1},
		{own + "alert/+", 1, 1},
		{own + "+/" + string(alertID("flood")), 1, 1},
		{own + "command", 1, 1},
		{"#", 0x80, 0x87},
		{"+/#", 0x80, 0x87},
		{"almenara/1/#", 0x80, 0x87},
		{"almenara/1/+", 0x80, 0x87},
		{"almenara/1/device/+/alert/#", 0x80, 0x87},
		{"almenara/1/device/lift-10/#", 0x80, 0x87},
		{"almenara/1/device/lift-1", 0x80, 0x87},
		{"almenara/1/device/lift-2/alert/+", 0x80, 0x87},
		{"$SYS/#", 0x80, 0x87},
		{"$share/g/" + own + "#", 0x80, 0x9E},
		{"", 0x80, 0x8F},
		{own + "#/alert", 0x80, 0x8F},
		{own + "alert+", 0x80, 0x8F},
	} {
		t.Run(test.filter, func(t *testing.T) {
			bothVersions(t, func(t *testing.T, v5 bool) {
				r := newRig(t)
				r.Set(holds("manifest", alertTo("flood", 1, 2)))
				w := r.device(r.listen(TCP), "lift-1", v5)
				w.send(subscribePacket(v5, 7, test.filter))
				p := w.next()
				want := test.v3
				if v5 {
					want = test.v5
				}
				require.Equal(t, byte(packet.KindSuback), p.kind)
				require.Equal(t, want, p.body[len(p.body)-1])
			})
		})
	}
}

func TestSubscribe_QoS2IsGrantedAs1And0As0(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	body := append(append(appendString([]byte{0, 9}, contract.TopicNow), 2), append(appendString(nil, contract.TopicKeys), 0)...)
	w.send(framed(0x82, body...))
	w.expect([]byte{0x90, 4, 0, 9, 1, 0})
}

func TestSubscribe_MalformedEndsTheSessionAndNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		v5 bool
		b  []byte
	}{
		"7 bytes of version 5":       {true, []byte{0x82, 5, 0, 1, 0, 0, 0}},
		"property length too long":   {true, []byte{0x82, 5, 0, 1, 2, 0, 1}},
		"no filter, version 5":       {true, []byte{0x82, 3, 0, 1, 0}},
		"no filter, version 3.1.1":   {false, []byte{0x82, 2, 0, 1}},
		"filter cut off":             {false, []byte{0x82, 6, 0, 1, 0, 9, 'a', 1}},
		"reserved bits of QoS":       {false, []byte{0x82, 6, 0, 1, 0, 1, 'a', 4}},
		"QoS 3":                      {true, []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 3}},
		"reserved option bits":       {true, []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 0x41}},
		"retain handling 3":          {true, []byte{0x82, 7, 0, 1, 0, 0, 1, 'a', 0x31}},
		"packet id 0":                {true, []byte{0x82, 7, 0, 0, 0, 0, 1, 'a', 1}},
		"empty":                      {false, []byte{0x82, 0}},
		"unsubscribe, cut off":       {false, []byte{0xA2, 5, 0, 1, 0, 9, 'a'}},
		"unsubscribe without filter": {true, []byte{0xA2, 3, 0, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			address := r.listen(TCP)
			other := r.device(address, "lift-2", false)
			w := r.device(address, "lift-1", test.v5)
			w.send(test.b)
			if test.v5 {
				w.expect([]byte{0xE0, 1, 0x81})
			}
			w.closed()
			other.ping()
		})
	}
}

func TestSubscribe_SubscriptionIdentifierIsRefused(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", true)
	w.send(framed(0x82, append(appendString([]byte{0, 1, 2, 0x0B, 5}, contract.TopicNow), 1)...))
	w.expect([]byte{0x90, 4, 0, 1, 0, 0xA1})
}

func TestSubscribe_TooManyFiltersAreRefused(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", true)
	own := contract.DevicePrefix("lift-1")
	for i := range delivery.MaxFilters {
		require.Equal(t, []byte{1}, w.subscribe(own+string(rune('a'+i))))
	}
	require.Equal(t, []byte{0x97}, w.subscribe(own+"more"))
	require.Equal(t, []byte{1}, w.subscribe(own+"a"), "one that it has is replaced")
}

func TestSubscribe_CurrentValueIsRetainedLaterOnesAreNot(t *testing.T) {
	bothVersions(t, func(t *testing.T, v5 bool) {
		r := newRig(t)
		r.Set(holds("manifest 1"))
		w := r.device(r.listen(TCP), "lift-1", v5)
		w.subscribe(contract.TopicNow)
		require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 1", retain: true}, w.message())
		r.Set(holds("manifest 2"))
		require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 2"}, w.message())
		w.subscribe(contract.TopicNow)
		require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 2", retain: true}, w.message())
		r.Set(holds("manifest 2"))
		w.ping() // the same manifest is not sent again
	})
}

func TestSubscribe_RetainHandling(t *testing.T) {
	withHandling := func(handling byte) []byte {
		return framed(0x82, append(appendString([]byte{0, 1, 0}, contract.TopicNow), 1|handling<<4)...)
	}
	r := newRig(t)
	r.Set(holds("manifest 1"))
	w := r.device(r.listen(TCP), "lift-1", true)
	w.send(withHandling(2)) // never
	w.expect([]byte{0x90, 4, 0, 1, 0, 1})
	w.send(withHandling(1)) // if new
	w.expect([]byte{0x90, 4, 0, 1, 0, 1})
	w.ping()
	r.Set(holds("manifest 2"))
	require.Equal(t, message{topic: contract.TopicNow, payload: "manifest 2"}, w.message())
}

func TestUnsubscribe_EndsDeliveryAndTellsWhatWasThere(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", true)
	w.subscribe(contract.TopicNow, ownFilterOf("lift-1"))
	w.send(framed(0xA2, appendString(appendString(appendString([]byte{0, 3, 0}, contract.TopicNow), ownFilterOf("lift-1")), "#")...))
	w.expect([]byte{0xB0, 6, 0, 3, 0, 0, 0, 0x11})
	r.Set(holds("manifest", alertTo("flood", 1, 1)))
	w.ping()
}

func TestSubscribe_OneAlertOnly(t *testing.T) {
	r := newRig(t)
	w := r.device(r.listen(TCP), "lift-1", false)
	w.subscribe(contract.TopicAlert("lift-1", string(alertID("flood"))))
	r.Set(holds("manifest", alertTo("fire", 1, 1), alertTo("flood", 1, 1)))
	m := w.message()
	require.Equal(t, "body of flood 1", m.payload)
	w.ping()
	w.send(w.ackPacket(packet.KindPuback, m.id))
	r.receipts.awaitRung(t, 1, receipt.Delivered)
}
