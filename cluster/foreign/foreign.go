// Package foreign reads bytes that another machine wrote. It owns the limits of what is
// believed, and imports nothing of this program.
package foreign

import "github.com/fxamacker/cbor/v2"

var strict, _ = cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxArrayElements: 4096, MaxMapPairs: 4096,
	MaxNestedLevels: 8, IndefLength: cbor.IndefLengthForbidden,
}.DecMode()

// Decode reads one CBOR value into v: no key twice, no open lengths, at most 4,096 elements
// and 8 levels. After an error v may be half filled.
func Decode(b []byte, v any) error { return strict.Unmarshal(b, v) }
