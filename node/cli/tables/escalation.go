package tables

import (
	"fmt"
	"io"

	"almenara/node/cli/terminal"
	"almenara/node/wire/acts"
)

// Escalation writes which groups an alert is for one after the other, and how far that has got; nothing
// where it is for all at once. width is that of the terminal.
func Escalation(w io.Writer, e *acts.Escalation, width int) {
	if e == nil {
		return
	}
	t := terminal.NewTable(">GROUP", ">MEMBERS", "CALLED", "WHY", "WHO")
	for n, g := range e.Groups {
		called, why := "-", ""
		if !g.Called.IsZero() {
			called = terminal.Clock(g.Called)
		}
		if g.Because != nil {
			why = fmt.Sprintf("%s of %d had answered", terminal.Thousands(*g.Because), e.Answers)
		}
		t.Add(fmt.Sprint(n+1), terminal.Thousands(g.Members), called, why, terminal.Clean(g.Select))
	}
	t.Write(w, width)
	fmt.Fprintf(w, "%s of %d answered.%s\n", terminal.Thousands(e.Answered), e.Answers, nextGroup(e))
}

func nextGroup(e *acts.Escalation) string {
	switch {
	case e.Enough:
		return " No further group is called."
	case !e.Next.IsZero():
		return " The next group is called at " + terminal.Clock(e.Next) + "."
	}
	return ""
}
