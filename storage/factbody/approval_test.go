package factbody

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeApproval_ReadsWhatItWrote(t *testing.T) {
	a := Approval{Fact: bytes.Repeat([]byte{7}, 32), Digest: "d", By: "bob", Policy: 41, At: 1, Expires: 2, Reason: "seen"}
	raw, err := a.Encode()
	require.NoError(t, err)
	got, err := DecodeApproval(raw)
	require.NoError(t, err)
	require.Equal(t, a, got)
	_, err = DecodeApproval(raw[:len(raw)-1])
	require.Error(t, err)
}

// FuzzDecodeApproval holds the decoder to: no panic, and what was read once reads the
// same again after it was written.
func FuzzDecodeApproval(f *testing.F) {
	raw, _ := Approval{Fact: bytes.Repeat([]byte{7}, 32), Digest: "d", By: "bob", Policy: 41, At: 1, Expires: 2, Reason: "seen"}.Encode()
	f.Add(raw)
	f.Add([]byte{0xa0})
	f.Add([]byte{0xa1, 0x05, 0x1b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) // At, the largest
	f.Add([]byte{0xa1, 0x01, 0x40})                                                 // no fact
	f.Add([]byte{0xbf, 0x03, 0x63, 'b', 'o', 'b', 0xff})                            // of indefinite length
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := DecodeApproval(raw)
		if err != nil {
			return
		}
		require.Equal(t, a.By, a.OnBoard().By)
		again, err := a.Encode()
		require.NoError(t, err)
		b, err := DecodeApproval(again)
		require.NoError(t, err)
		require.Equal(t, len(a.Fact), len(b.Fact))
		b.Fact = a.Fact // empty and none are one
		require.Equal(t, a, b)
	})
}
