package reachable

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck_RefusesWhatOthersCannotUse(t *testing.T) {
	for _, everywhere := range []string{"0.0.0.0:1883", "[::]:1883", ":1883"} {
		require.True(t, Unspecified(everywhere), everywhere)
		for _, n := range []Node{
			{Internode: everywhere},
			{Internode: "10.0.0.1:8470", Doors: []Door{{"mqtt", everywhere}}},
		} {
			require.ErrorIs(t, n.Check(), ErrEverywhere)
			require.ErrorContains(t, n.Check(), everywhere+"; say with --advertise HOST")
			n.Advertise = "box.example"
			require.NoError(t, n.Check())
		}
	}
	for _, wrong := range []string{"0.0.0.0", "[::]:8470", "::", ":8470", "two words", "http://box", "224.0.0.1", "-x"} {
		require.ErrorContains(t, Node{Advertise: wrong, Internode: "10.0.0.1:8470"}.Check(), "--advertise", wrong)
	}
	for _, wrong := range []string{"", "0.0.0.0", "a b", "0f6fc5c9-8a28-4035-a628-60f7ceee8b40", "*.example"} {
		require.ErrorContains(t, Node{Internode: "10.0.0.1:8470", Names: []string{wrong}}.Check(), "--tls-name", wrong)
	}
	for _, right := range []string{"", "box", "box.example", "10.0.0.7", "10.0.0.7:9000", "fd00::7", "[fd00::7]:9000", "盒.example"}[:7] {
		require.NoError(t, Node{Advertise: right, Internode: "10.0.0.1:8470"}.Check(), right)
	}
}

func TestNode_IsToldByItsAdvertisedHost(t *testing.T) {
	n := Node{
		Advertise: "box.example", Internode: "0.0.0.0:8470", Names: []string{"lift.example", "10.9.9.9"},
		Doors: []Door{{"API", ":8480"}, {"mqtt", "10.0.0.7:1883"}, {"mqtts", ""}},
	}
	require.Equal(t, "box.example:8470", n.InternodeAddr())
	require.Equal(t, "box.example:8480", n.Addr("[::]:8480"))
	require.Equal(t, "10.0.0.7:1883", n.Addr("10.0.0.7:1883"))
	require.Equal(t, []string{"box.example:8470", "10.0.0.7", "10.9.9.9", "box.example", "lift.example"}, n.Hosts())

	n.Advertise = "box.example:9000"
	require.Equal(t, "box.example:9000", n.InternodeAddr())
	require.Equal(t, "box.example:8480", n.Addr("0.0.0.0:8480"))
	n = Node{Internode: "10.0.0.7:8470"}
	require.Equal(t, "10.0.0.7:8470", n.InternodeAddr())
	require.Equal(t, []string{"10.0.0.7:8470", "10.0.0.7"}, n.Hosts())
	require.Equal(t, "10.0.0.7:0", Node{Internode: "10.0.0.7:0"}.InternodeAddr())
	require.Equal(t, "fd00::7", Node{Advertise: "fd00::7"}.host())
	require.Equal(t, "[fd00::7]:8470", Node{Advertise: "fd00::7", Internode: "[::]:8470"}.InternodeAddr())
}

func TestAddresses_URLIsWhereTheAPIIsReached(t *testing.T) {
	for api, want := range map[string]string{
		"": "", "http://127.0.0.1:8480": "http://127.0.0.1:8480", "http://127.0.0.1:0": "", "https://10.0.0.1": "https://10.0.0.1",
		"https://0.0.0.0:8480": "https://box.example:8480", "https://:8480": "https://box.example:8480",
	} {
		require.Equal(t, want, Addresses{API: api, Advertise: "box.example"}.URL(), api)
	}
}
