package foreign

import (
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

func TestDecode_TakesWhatIsPlainOnly(t *testing.T) {
	good, err := cbor.Marshal(map[string]int{"a": 1})
	require.NoError(t, err)
	var m map[string]int
	require.NoError(t, Decode(good, &m))
	require.Equal(t, map[string]int{"a": 1}, m)

	large, err := cbor.Marshal(make([]int, 4097))
	require.NoError(t, err)
	deep := []byte{0x00}
	for range 9 {
		deep = append([]byte{0x81}, deep...)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "cut off": good[:2], "more behind it": append(good, 0), "too many elements": large, "too deep": deep,
		"a key twice":    {0xa2, 0x61, 'a', 0x01, 0x61, 'a', 0x02},
		"an open length": {0x9f, 0x01, 0xff},
	} {
		var v any
		require.Error(t, Decode(bad, &v), name)
	}
}
