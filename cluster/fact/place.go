package fact

import "cmp"

// maxOrigin is how long the server id of an origin may be.
const maxOrigin = 63

// LaneKey names one origin's stream within one epoch.
type LaneKey struct {
	Origin string
	Stream Stream
	Epoch  uint64
}

// Lane is the stream that the fact is in.
func (f Fact) Lane() LaneKey { return LaneKey{f.Origin, f.Stream, f.Epoch} }

// Lane is how far one node has one origin's stream: all facts up to High, without
// a gap.
type Lane struct {
	_      struct{} `cbor:",toarray"`
	Origin string
	Stream Stream
	Epoch  uint64
	High   uint64
}

// Key is the stream, without how far it goes.
func (l Lane) Key() LaneKey { return LaneKey{l.Origin, l.Stream, l.Epoch} }

// Valid says that there may be such a stream: it has an origin, of 63 bytes at most, and
// is one of those that this software knows.
func (l Lane) Valid() bool {
	return l.Origin != "" && len(l.Origin) <= maxOrigin && (l.Stream == Alerts || l.Stream == Receipts)
}

// CompareLanes orders lanes by stream, origin and epoch.
func CompareLanes(a, b Lane) int {
	return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Epoch, b.Epoch))
}
