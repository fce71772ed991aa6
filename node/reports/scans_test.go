package reports

import (
	"encoding/binary"
	"image"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// progressive is a grey JPEG of 8 × 8 pixels that goes over them in so many scans, each of which says in two bytes that
// all blocks are as they were.
func progressive(scans int) []byte {
	segment := func(marker byte, content ...byte) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2)), content...)
	}
	code := func(class, symbol byte) []byte { // a Huffman table in which 0 is the symbol
		return segment(0xc4, append(append([]byte{class, 1}, make([]byte, 15)...), symbol)...)
	}
	out := slices.Concat([]byte{0xff, 0xd8},
		segment(0xdb, append([]byte{0}, slices.Repeat([]byte{1}, 64)...)...),
		segment(0xc2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), // 8 bits, 8 × 8, one component
		code(0x00, 0), code(0x10, 0xe0),
		segment(0xda, 1, 1, 0, 0, 0, 0), []byte{0})
	for range scans - 1 {
		out = append(append(out, segment(0xda, 1, 1, 0, 1, 63, 0)...), 0, 0)
	}
	return append(out, 0xff, 0xd9)
}

// A scan of some bytes goes over all pixels: a megabyte of them would keep a node at one photo for minutes, and whoever
// needs help and sends a photo waits behind it.
func TestRedraw_RefusesAPhotoOfThousandsOfScans(t *testing.T) {
	_, size, err := Redraw(progressive(mostScans))
	require.NoError(t, err)
	require.Equal(t, image.Pt(8, 8), size)
	for _, scans := range []int{mostScans + 1, 80_000} {
		_, _, err = Redraw(progressive(scans))
		require.ErrorContains(t, err, "scans")
		require.ErrorIs(t, err, errPhoto)
	}
}
