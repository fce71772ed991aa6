package wire

// Wait says how long an answer waits for a fact to get further.
type Wait string

// The values of Wait. WaitLocal answers after the local fsync; the others also
// answer after 3 seconds, with what was reached by then.
const (
	WaitLocal     Wait = "local"
	WaitHeld      Wait = "held" // by another node
	WaitCommitted Wait = "committed"
)

// ImportOptions say what an import may do. The zero value adds and changes.
type ImportOptions struct {
	DryRun  bool // say what would change, change nothing
	Replace bool // remove the members that the file does not hold
	Yes     bool // also those that devices are enrolled for
}
