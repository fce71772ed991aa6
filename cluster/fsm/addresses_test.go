package fsm

import (
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/storage/audience"
)

// Who is called or texted: those asked for that have an address on the channel, with every
// such address, and nobody that was removed.
func TestAddresses_AreThoseOfMembersThatAreThere(t *testing.T) {
	s, r := newScript(t), newRig(t)
	var encoded [][]byte
	for _, m := range []audience.Member{
		{ID: "amy", Kind: audience.KindPerson, Place: "d/a", Languages: []string{"zh-HK", "en"}, Endpoints: []audience.Endpoint{{Channel: "sms", Address: "+1"}, {Channel: "mail", Address: "a@x"}, {Channel: "sms", Address: "+2"}}},
		{ID: "ben", Kind: audience.KindPerson, Place: "d/a", Endpoints: []audience.Endpoint{{Channel: "mail", Address: "b@x"}}},
		{ID: "cat", Kind: audience.KindPerson, Place: "d/a", Endpoints: []audience.Endpoint{{Channel: "sms", Address: "+3"}}},
		{ID: "dan", Kind: audience.KindPerson, Place: "d/a", Endpoints: []audience.Endpoint{{Channel: "sms", Address: "+4"}}},
	} {
		encoded = append(encoded, audience.EncodeMember(&m))
	}
	require.NoError(t, r.one(s.add(&command.PutMembers{Members: encoded})).Error())
	require.NoError(t, r.one(s.add(&command.RemoveMembers{IDs: []string{"cat"}})).Error())

	of := func(channel string, members ...uint32) (out []audience.Address) {
		for a, err := range r.read.Addresses(channel, roaring.BitmapOf(members...)) {
			require.NoError(t, err)
			out = append(out, a)
		}
		return out
	}
	require.Equal(t, []audience.Address{
		{Member: 0, Address: "+1", Languages: []string{"zh-HK", "en"}}, {Member: 0, Address: "+2", Languages: []string{"zh-HK", "en"}}, {Member: 3, Address: "+4"},
	}, of("sms", 0, 1, 2, 3, 99))
	require.Equal(t, []audience.Address{{Member: 3, Address: "+4"}}, of("sms", 1, 3), "only who was asked for")
	require.Empty(t, of("fax", 0, 1, 2, 3))
	for range r.read.Addresses("sms", roaring.BitmapOf(0, 3)) {
		break // whoever has enough is not asked again
	}
}
