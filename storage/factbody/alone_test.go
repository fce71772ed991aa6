package factbody

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAlone_ReadsWhatItWrote(t *testing.T) {
	a := Alone{From: 1, To: 2, Policy: 41, Why: AloneLost, Saw: []string{"a", "b"}}
	raw, err := a.Encode()
	require.NoError(t, err)
	got, err := DecodeAlone(raw)
	require.NoError(t, err)
	require.Equal(t, a, got)
}

func TestAlone_RefusesWhatCannotBe(t *testing.T) {
	for _, a := range []Alone{{From: 2, To: 1}, {From: -1}, {Saw: make([]string, MaxSaw+1)}} {
		raw, err := a.Encode()
		require.NoError(t, err)
		_, err = DecodeAlone(raw)
		require.Error(t, err)
	}
}

func FuzzDecodeAlone(f *testing.F) {
	raw, _ := Alone{From: 1, To: 2, Why: AloneEnded}.Encode()
	f.Add(raw)
	f.Add([]byte{0xa0})
	f.Add([]byte{0xa2, 0x01, 0x02, 0x02, 0x01})             // ends before it begins
	f.Add([]byte{0xa1, 0x05, 0x9b, 0, 0, 0, 1, 0, 0, 0, 0}) // 2³² members
	f.Add([]byte{0xa1, 0x05, 0x82, 0x61, 'a', 0x61, 0xff})  // a name that is no UTF-8
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := DecodeAlone(raw)
		if err != nil {
			return
		}
		require.LessOrEqual(t, a.From, a.To)
		require.LessOrEqual(t, len(a.Saw), MaxSaw)
		again, err := a.Encode()
		require.NoError(t, err)
		_, err = DecodeAlone(again)
		require.NoError(t, err)
	})
}
