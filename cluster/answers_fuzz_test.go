package cluster

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/foreign"
)

func FuzzAnswersOfPeers(f *testing.F) {
	for _, v := range []any{pong{}, stranger{}} {
		b, err := cbor.Marshal(v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = foreign.Decode(b, &pong{})
		_ = foreign.Decode(b, &stranger{})
	})
}
