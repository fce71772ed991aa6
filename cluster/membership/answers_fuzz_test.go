package membership

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/foreign"
	"almenara/cluster/group"
)

func FuzzAnswersOfPeers(f *testing.F) {
	for _, v := range []any{group.Pong{}, stranger{}} {
		b, err := cbor.Marshal(v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = foreign.Decode(b, &group.Pong{})
		_ = foreign.Decode(b, &stranger{})
	})
}
