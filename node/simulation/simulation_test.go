package simulation_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/inprocess"
	"almenara/node/simulation"
	"almenara/node/wire"
)

func TestSimulate_ProvesNothingOfDevicesThatNeverConnected(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := dead.Addr().String()
	require.NoError(t, dead.Close()) // nothing listens there any more
	root, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	all := []wire.Enrolled{{
		ID: "sim-1", Kind: "screen", Secret: base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		Servers: []string{"tcp://" + address}, RootKey: base64.RawURLEncoding.EncodeToString(root),
	}}
	result, err := simulation.Run(t.Context(), inprocess.SimulateOptions{Devices: all, For: 300 * time.Millisecond}, func(inprocess.SimulateResult) {})
	require.NoError(t, err)
	require.False(t, result.Proven)
	require.Equal(t, []int{1, 0, 1}, []int{result.Devices, result.Connected, result.Never})
	require.Equal(t, []inprocess.SimulatedKind{{Kind: "screen", Devices: 1}}, result.Kinds)
}

func TestSimulate_FaultyOnesAreKindsOfTheirOwn(t *testing.T) {
	root, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	var all []wire.Enrolled
	for range 10 {
		all = append(all, wire.Enrolled{ID: "sim-1", Kind: "screen", Servers: []string{"tcp://127.0.0.1:1"}, RootKey: base64.RawURLEncoding.EncodeToString(root)})
	}
	result, err := simulation.Run(t.Context(), inprocess.SimulateOptions{Devices: all, Faulty: 50, For: 100 * time.Millisecond}, func(inprocess.SimulateResult) {})
	require.NoError(t, err)
	var kinds []string
	for _, k := range result.Kinds {
		kinds = append(kinds, k.Kind)
	}
	require.Equal(t, []string{"screen", "screen, deaf", "screen, forging", "screen, rebooting", "screen, skewed", "screen, slow"}, kinds)
}
