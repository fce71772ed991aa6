package plain

// Change is in which way a text is shown otherwise than it was written.
type Change string

// The values of Change.
const (
	Markup    Change = "markup"    // tags are not shown
	Controls  Change = "controls"  // control characters are shown as spaces
	Windows   Change = "windows"   // control characters are read as Windows-1252
	Overrides Change = "overrides" // characters that turn the direction of the text round are left out
	Marks     Change = "marks"     // byte order marks within the text are left out
)

// Taken is what was taken out of a text or read as something else. It can be compared.
type Taken struct {
	Change Change
	Names  string // of the tags or characters, with spaces between them
}

// String is a sentence for the sender.
func (t Taken) String() string {
	switch t.Change {
	case Markup:
		return "the markup " + t.Names + " is not shown"
	case Controls:
		return "control characters are shown as spaces: " + t.Names
	case Windows:
		return "control characters are read as Windows-1252: " + t.Names
	case Overrides:
		return "characters that turn the direction of the text round are left out: " + t.Names
	default:
		return "byte order marks within the text are left out: " + t.Names
	}
}
