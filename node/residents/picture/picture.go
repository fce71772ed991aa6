// Package picture draws the QR codes that people read with a phone. It imports nothing of ours.
package picture

import (
	"encoding/base64"
	"fmt"

	"rsc.io/qr"
)

// Draw gives the code of a text, which can be read with an eighth of it dirty: how many modules a side has, without a
// margin, and the modules as the device contract has them, a bit each in base64, row after row.
func Draw(text string) (modules int, bits string, err error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return 0, "", fmt.Errorf("drawing a code: %w", err)
	}
	all := make([]byte, (code.Size*code.Size+7)/8)
	for y := range code.Size {
		for x := range code.Size {
			if n := y*code.Size + x; code.Black(x, y) {
				all[n/8] |= 0x80 >> (n % 8)
			}
		}
	}
	return code.Size, base64.StdEncoding.EncodeToString(all), nil
}
