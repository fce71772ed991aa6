package joining

import (
	"crypto/x509"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/foreign"
	"almenara/cluster/identity"
)

func FuzzJoinMessages(f *testing.F) {
	id, err := identity.Pending(f.TempDir())
	require.NoError(f, err)
	public, err := x509.MarshalPKIXPublicKey(&id.Key.PublicKey)
	require.NoError(f, err)
	m := Message{Secret: make([]byte, 32), NodeID: id.NodeID, PublicKey: public, SigningKey: id.SigningPublic(), Addrs: []string{"h:1"}}
	for _, v := range []any{m, Answer{Unused: []byte("x")}} {
		b, err := cbor.Marshal(v)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, key, err := Decode(b); err == nil {
			require.NotNil(t, key)
			require.True(t, identity.IsUUID(m.NodeID))
		}
		var answer Answer
		if foreign.Decode(b, &answer) == nil {
			_ = (&identity.Identity{NodeID: id.NodeID, Key: id.Key}).Admit(answer.District, answer.Cert, nil, identity.Token{})
		}
	})
}
