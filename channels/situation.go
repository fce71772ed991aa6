package channels

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// Situation is what the node knows at one moment: what is in force in the
// district, for whom, and what has ended. It belongs to the Dispatcher once it was
// given to Set; nothing it points to may be modified afterwards.
//
// Bitmaps that are the same pointer are known to be equal: whoever sets a situation often
// should keep them.
type Situation struct {
	Places  *Places // whose members share a manifest; nil: everybody does
	InForce []Item
	Ended   []End
	Keys    []byte // signed key ring for /keys; nil: none yet
}

// Item is one revision of one alert that is in force. Without Parts it is listed
// in the manifest, and nobody gets a body.
type Item struct {
	Alert    alert.ID
	Revision alert.Revision
	Digest   string // of the CAP message's content
	Expires  time.Time
	Reminded time.Time // when it was to be presented again where nobody has confirmed it; zero: never
	Status   alert.Status
	Message  *alert.Alert
	Parts    []Part
	// Concerns is everybody whom any message of the alert ever addressed: who has an older
	// revision must hear of this one, also where it addresses others. Nil: that is not known,
	// and everybody is told. Empty: nobody is. Members of Parts are told in any case.
	Concerns *roaring.Bitmap
}

// End is one alert that must not be shown any more.
type End struct {
	contract.Ended
	// To is everybody who may show it: whom any of its messages ever addressed. Nil: that
	// is not known, and everybody is told. Empty: nobody is.
	To *roaring.Bitmap
	// Known says that a message of the alert is known here, so that some device may well
	// show it. Ends of others are listed last.
	Known bool
}

// Part is the members that get the same info blocks of one message. The parts of
// an item have disjoint members.
type Part struct {
	Infos []int // indexes into the message's Infos, ascending
	To    *roaring.Bitmap
}

// Split groups members by the exact set of info blocks that address them:
// perInfo[i] holds the members of block i, nil for nobody. Blocks in several
// languages for the same members give one part. The parts are disjoint, none is
// empty, and they come in the order of their Infos. The bitmaps given are left as
// they are.
func Split(perInfo []*roaring.Bitmap) []Part {
	var parts []Part
	for i, members := range perInfo {
		if members != nil && !members.IsEmpty() {
			parts = refine(parts, i, members)
		}
	}
	slices.SortFunc(parts, func(a, b Part) int { return slices.Compare(a.Infos, b.Infos) })
	return parts
}

// refine adds one more info block: members that were in a part move to a new one
// with this block added, the others make a part of their own.
func refine(parts []Part, info int, members *roaring.Bitmap) []Part {
	rest := members.Clone()
	refined := make([]Part, 0, len(parts)+1)
	for _, p := range parts {
		both := roaring.And(p.To, rest)
		if both.IsEmpty() {
			refined = append(refined, p)
			continue
		}
		rest.AndNot(both)
		refined = append(refined, Part{Infos: append(slices.Clip(p.Infos), info), To: both})
		if p.To.AndNot(both); !p.To.IsEmpty() {
			refined = append(refined, p)
		}
	}
	if !rest.IsEmpty() {
		refined = append(refined, Part{Infos: []int{info}, To: rest})
	}
	return refined
}
