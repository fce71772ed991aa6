package answers

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/mqtt/packet"
)

// begin takes a publish that is fresh.
func begin(t *testing.T, o *Owed, qos byte, id uint16) Publish {
	t.Helper()
	p, begun, err := o.Begin(packet.Publish{QoS: qos, ID: id}, 3, false)
	require.NoError(t, err)
	require.Equal(t, Fresh, begun)
	return p
}

func TestOwed_AnswersGoOutInOrderAndKindsDoNotWait(t *testing.T) {
	var o Owed
	first, second, other := begin(t, &o, 1, 10), begin(t, &o, 1, 11), begin(t, &o, 2, 12)
	o.Ready(second, packet.CodeSuccess)
	require.Zero(t, o.Due(1), "the first is waited for")
	o.Ready(other, packet.CodeSuccess)
	require.Equal(t, []byte{0x50, 2, 0, 12}, o.AppendDue(nil, 2, o.Due(2), false))
	o.Ready(first, packet.CodeSuccess)
	require.Equal(t, []byte{0x40, 2, 0, 10, 0x40, 2, 0, 11}, o.AppendDue(nil, 1, o.Due(1), false))
	require.Zero(t, o.taking)
}

func TestOwed_IsFullUntilSomethingIsAnswered(t *testing.T) {
	var o Owed
	for id := range uint16(3) {
		begin(t, &o, 0, id)
	}
	_, begun, err := o.Begin(packet.Publish{QoS: 1, ID: 9}, 3, false)
	require.NoError(t, err)
	require.Equal(t, Full, begun)
	_, _, err = o.Begin(packet.Publish{QoS: 1, ID: 9}, 3, true)
	require.ErrorIs(t, err, packet.ErrReceiveMaximum, "MQTT 5 devices were told")
	o.Unanswered()
	begin(t, &o, 1, 9)
}

func TestOwed_AnExchangeIsTakenOnceAndReleasedOnce(t *testing.T) {
	var o Owed
	p := begin(t, &o, 2, 7)
	_, begun, err := o.Begin(packet.Publish{QoS: 2, ID: 7}, 3, false)
	require.NoError(t, err)
	require.Equal(t, Repeated, begun)
	_, err = o.Release(7)
	require.ErrorIs(t, err, packet.ErrUnexpected, "PUBREL before PUBREC")
	o.Ready(p, packet.CodeSuccess)
	o.AppendDue(nil, 2, o.Due(2), false)
	_, begun, err = o.Begin(packet.Publish{QoS: 2, ID: 7}, 3, false)
	require.NoError(t, err)
	require.Equal(t, Repeated, begun)
	require.Equal(t, []byte{0x50, 2, 0, 7}, o.AppendDue(nil, 2, o.Due(2), false), "it is answered again")
	c, err := o.Release(7)
	require.NoError(t, err)
	require.Equal(t, packet.CodeSuccess, c)
	c, err = o.Release(7)
	require.NoError(t, err)
	require.Equal(t, packet.CodeUnknownID, c)
	require.Zero(t, o.taking)
}

func TestOwed_AllocatesNothingOnceWarm(t *testing.T) {
	var o Owed
	buf := make([]byte, 0, 16)
	round := func() {
		a, _, _ := o.Begin(packet.Publish{QoS: 1, ID: 1}, 3, false)
		b, _, _ := o.Begin(packet.Publish{QoS: 1, ID: 2}, 3, false)
		o.Ready(b, packet.CodeSuccess)
		o.Ready(a, packet.CodeSuccess)
		buf = o.AppendDue(buf[:0], 1, o.Due(1), false)
	}
	round()
	require.Zero(t, testing.AllocsPerRun(100, round))
}
