package channels

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"almenara/channels/contract"
)

// MaxBody is the size of the largest signed body and manifest, in bytes as they
// travel: what a small device's MQTT client takes in one packet of 64 KiB, less
// topic and header.
const MaxBody = 60 << 10

// keptAreas is how many area names stay when the list has to be cut.
const keptAreas = 8

// ErrTooLarge is returned for a body whose headlines and instructions alone are
// over MaxBody. They are never cut: half an instruction can be the wrong one.
var ErrTooLarge = errors.New("alert too large for devices")

// fit makes b small enough to be signed within MaxBody, giving up the least
// important first: files that travel inside (largest first; digest and address
// stay), then the ends of descriptions, then the list of files, then area names.
func fit(b *contract.Body, signedSize func(payload int) int) error {
	fits := func() bool { return signedSize(jsonSize(b)) <= MaxBody }
	for !fits() {
		if !dropLargestData(b) {
			break
		}
	}
	if fits() || cutDescriptions(b, fits) {
		return nil
	}
	b.Files = nil
	if fits() {
		return nil
	}
	for i := range b.Texts {
		if areas := b.Texts[i].Areas; len(areas) > keptAreas {
			b.Texts[i].Areas = append(areas[:keptAreas:keptAreas], "…")
		}
	}
	if !fits() {
		return fmt.Errorf("%w: %s", ErrTooLarge, b.Alert)
	}
	return nil
}

// jsonSize is at least the size of b's payload: HTML characters are counted
// escaped.
func jsonSize(v any) int {
	raw, err := json.Marshal(v)
	if err != nil {
		return MaxBody + 1
	}
	return len(raw)
}

func dropLargestData(b *contract.Body) bool {
	largest := -1
	for i, f := range b.Files {
		if f.Data != "" && (largest < 0 || len(f.Data) > len(b.Files[largest].Data)) {
			largest = i
		}
	}
	if largest < 0 {
		return false
	}
	b.Files[largest].Data = ""
	return true
}

// cutDescriptions finds the longest common length to which descriptions must be
// cut, so that no language pays for another. It reports whether that was enough.
func cutDescriptions(b *contract.Body, fits func() bool) bool {
	whole := make([]string, len(b.Texts))
	longest := 0
	for i := range b.Texts {
		whole[i] = b.Texts[i].Description
		longest = max(longest, len(whole[i]))
	}
	cut := func(n int) bool {
		for i := range b.Texts {
			b.Texts[i].Description = shorten(whole[i], n)
		}
		return fits()
	}
	low, high := 0, longest // cut(high) does not fit
	for high-low > 1 {
		if middle := (low + high) / 2; cut(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return cut(low)
}

// shorten cuts s to at most n bytes, at a character, and says so with "…".
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
