package factbody

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage/alert"
	"almenara/storage/audience/areas"
	"almenara/storage/audience/geometry"
)

// OriginalsSince is the first version of commands that knows Issue.Original.
const OriginalsSince = 3

// Original is what an issue says of a message that was too large for its fact. The
// message itself is a file of the nodes, named by its SHA-256; nothing that a node does
// for its devices depends on it.
type Original struct {
	SHA256  []byte `cbor:"1,keyasint"`           // of the bytes as they came
	Size    int64  `cbor:"2,keyasint"`           // bytes
	Content []byte `cbor:"3,keyasint"`           // alert.Digest of the whole message: its identity
	Kept    bool   `cbor:"4,keyasint,omitempty"` // its origin keeps the bytes, and the others fetch them
	Until   int64  `cbor:"5,keyasint"`           // ms since 1970: until then nothing may take its room

	// The outlines of all targets, each once, because every language of a message names
	// the same ones. In memory they are in Issue.Targets.
	Shapes [][]byte   `cbor:"6,keyasint,omitempty"`
	Of     [][]uint32 `cbor:"7,keyasint,omitempty"` // by target, in order: which of Shapes
}

var errOriginal = errors.New("what is said of the original cannot be read")

// Content is the digest of the whole message, of which a is what the issue carries.
func (i Issue) Content(a *alert.Alert) alert.Digest {
	if i.Original != nil && len(i.Original.Content) == len(alert.Digest{}) {
		return alert.Digest(i.Original.Content)
	}
	return a.Digest()
}

// IssueVersion is the lowest version of commands whose software reads the body of an
// alert fact as it is meant; 1 for bytes that are no issue.
func IssueVersion(body []byte) uint64 {
	var probe struct {
		Original   cbor.RawMessage `cbor:"21,keyasint"`
		Escalation cbor.RawMessage `cbor:"23,keyasint"`
		Remind     uint64          `cbor:"24,keyasint"`
	}
	switch err := cbor.Unmarshal(body, &probe); {
	case err != nil:
		return 1
	case len(probe.Escalation) > 0 || probe.Remind > 0:
		return EscalationsSince
	case len(probe.Original) > 0:
		return OriginalsSince
	}
	return 1
}

// packShapes moves the shapes of the targets into the original. i is a copy; what it
// points to is not changed.
func (i *Issue) packShapes() {
	o := *i.Original
	o.Shapes, o.Of = nil, make([][]uint32, len(i.Targets))
	at := map[string]uint32{}
	targets := slices.Clone(i.Targets)
	for n := range targets {
		o.Of[n] = make([]uint32, len(targets[n].Shapes))
		for s, shape := range targets[n].Shapes {
			packed := geometry.Pack(shape)
			index, known := at[string(packed)]
			if !known {
				index = uint32(len(o.Shapes))
				at[string(packed)], o.Shapes = index, append(o.Shapes, packed)
			}
			o.Of[n][s] = index
		}
		targets[n].Shapes = nil
	}
	i.Targets, i.Original = targets, &o
}

// unpackShapes moves them back. Targets share a shape that they have in common.
func (i *Issue) unpackShapes() error {
	o := i.Original
	if len(o.Of) != len(i.Targets) || len(o.SHA256) != sha256.Size || len(o.Content) != len(alert.Digest{}) || o.Size < 0 {
		return errOriginal
	}
	shapes := make([]geometry.Polygon, len(o.Shapes))
	for n, packed := range o.Shapes {
		var err error
		if shapes[n], err = geometry.Unpack(packed); err != nil {
			return fmt.Errorf("%w: %w", errOriginal, err)
		}
	}
	total := 0
	for n := range i.Targets {
		i.Targets[n].Shapes = nil
		for _, index := range o.Of[n] {
			if int(index) >= len(shapes) {
				return errOriginal
			}
			if total += len(shapes[index]); total > maxUnpacked {
				return errOriginal
			}
			i.Targets[n].Shapes = append(i.Targets[n].Shapes, shapes[index])
		}
	}
	o.Shapes, o.Of = nil, nil
	return nil
}

// maxUnpacked bounds the points of all targets together: a hostile fact could name one
// shape a hundred thousand times. It is the bound of one target for each info block.
const maxUnpacked = areas.MaxPoints * alert.MaxInfos
