package rights

import (
	"crypto/sha256"
	"fmt"
)

// RevisionBytes is how long a Revision is.
const RevisionBytes = 16

// Revision is what tells a scenario from what it was before; all zeros where it was removed, or never was. It is over
// each field by name and the same for every software, because replicas compare it: a field that is added to
// scenarios later is no part of it before a new version of commands says so.
func (s Scenario) Revision() []byte {
	if s.Removed || s.ID == "" {
		return make([]byte, RevisionBytes)
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %q %q %d %d %d %d\n", s.ID, s.Title, s.Alert, s.Select, s.Approvals, s.Lifetime, s.UsualMin, s.UsualMax)
	fmt.Fprintf(sum, "%q %q %t %d %d %d %q\n", s.Checklist, s.Sensitive, s.Choose, s.Remind, s.Answers, s.Details.Minutes, s.Groups)
	for _, b := range s.Blanks {
		fmt.Fprintf(sum, "blank %q %q %q %d\n", b.Name, b.For, b.Values, b.Max)
	}
	if s.Chain != nil {
		for _, l := range s.Chain.Levels {
			fmt.Fprintf(sum, "level %q %q %q %d %d %q\n", l.Title, l.Role, l.People, l.Count, l.Hours, l.Checklist)
		}
		for _, w := range s.Chain.Words {
			fmt.Fprintf(sum, "word %q %q %t\n", w.Word, w.Why, w.Tick)
		}
	}
	return sum.Sum(nil)[:RevisionBytes]
}
