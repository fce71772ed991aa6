package enrol

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the white margin around a QR code, in modules (ISO/IEC 18004, 9.1).
const quiet = 4

// picture is a QR code as an SVG path of black modules, in a square of Size modules with its margin.
type picture struct {
	Size int
	Path string
}

// draw makes the QR code of a text, which can be read with an eighth of it dirty.
func draw(text string) (picture, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return picture{}, fmt.Errorf("drawing a code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return picture{code.Size + 2*quiet, path.String()}, nil
}
