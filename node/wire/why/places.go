package why

// Reasons about single places of the tree.
const (
	PlaceGone       Reason = "place-gone"        // its path
	PlaceChanged    Reason = "place-changed"     // meanwhile, by somebody else; its path
	PlaceThere      Reason = "place-there"       // its path
	PlaceLarge      Reason = "place-large"       // its path, how many members
	PlaceHasMembers Reason = "place-has-members" // its path, how many members, how many devices
	PlaceHasBelow   Reason = "place-has-below"   // its path, how many places
	PlaceNamed      Reason = "place-named"       // its path, by how many
	PlaceCited      Reason = "place-cited"       // the code, its place, by how many
	CodeShared      Reason = "code-shared"       // the code, the other place that has it
	CodeUnfit       Reason = "code-unfit"        // the code; the node's sentence
	OutlineUnfit    Reason = "outline-unfit"     // the node's sentence
)
