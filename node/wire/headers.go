package wire

// HeaderNext is the header of a page that is not the last one: pass its value as after.
const HeaderNext = "Almenara-Next"

// HeaderDrill is the header of every answer of a node that is of a drill copy of a district, a
// backup restored with --isolated; its value is DrillCopy. Other answers do not have it.
const (
	HeaderDrill = "Almenara-Drill"
	DrillCopy   = "copy"
)

// HeaderCountsFrom is the header of a list of who was reached or missed that says whose
// knowledge it is: a Source.
const HeaderCountsFrom = "Almenara-Counts-From"
