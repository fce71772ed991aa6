package alert

import (
	"almenara/storage/coded"
)

// The bounds of a message that Parse reads. They leave real messages room.
const (
	// MaxMessageBytes bounds a message as it arrives, in any encoding.
	MaxMessageBytes = 4 << 20
	// MaxInfos bounds the info blocks of a message.
	MaxInfos = 200
	// MaxAreas bounds the area blocks of a message, over all infos.
	MaxAreas = 5_000
	// MaxResources bounds the resource blocks of a message, over all infos.
	MaxResources = 200
	// MaxReferences bounds the triplets of references.
	MaxReferences = 1_000
	// MaxListItems bounds addresses and incidents, each.
	MaxListItems = 10_000
	// MaxPoints bounds the points of all polygons of a message together. A live alert of a
	// weather service has some 106,000, one polygon of a signed one 41,009.
	MaxPoints = 250_000
)

// ErrTooBig is what reading a message beyond these bounds ends with.
var ErrTooBig = coded.New("too-big", "the message is beyond what a receiver has to accept")
