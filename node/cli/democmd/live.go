package democmd

import (
	"fmt"
	"strings"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
)

// live shows how a simulation stands: the table, drawn over the last one, on a terminal, and
// elsewhere a line where it says something else than the last one. Programs that read JSON get
// the end alone. One goroutine uses it at a time.
type live struct {
	e     *command.Env
	drawn int // lines on the terminal to draw over
	last  string
}

// show takes a picture. What cannot be written is left out: the end says it all again.
func (l *live) show(now inprocess.SimulateResult) {
	var b strings.Builder
	switch {
	case l.e.JSON():
		return
	case l.e.IsTTY:
		stands(now).Write(&b, l.e.Width)
		fmt.Fprintf(&b, "%s\n%.0f s. Ctrl-C ends it.\n", again(now), now.Seconds)
	default:
		b.WriteString(line(now) + "\n")
	}
	if b.String() == l.last {
		return
	}
	l.wipe()
	l.last = b.String()
	if l.e.IsTTY {
		l.drawn = strings.Count(l.last, "\n")
	}
	fmt.Fprint(l.e.Out, l.last)
}

// end takes the drawing away, so that the result stands in its place.
func (l *live) end() { l.wipe() }

func (l *live) wipe() {
	if l.drawn > 0 {
		fmt.Fprintf(l.e.Out, "\x1b[%dA\x1b[J", l.drawn) // up, and clear to the end
		l.drawn = 0
	}
}

// line is a picture in words.
func line(now inprocess.SimulateResult) string {
	sum := total(now)
	said := fmt.Sprintf("%s of %s online", terminal.Thousands(now.Online), terminal.Plural(now.Devices, "device"))
	if now.Never > 0 {
		said += fmt.Sprintf(", %s never connected so far", terminal.Thousands(now.Never))
	}
	if len(now.Alerts) == 0 {
		return said + "; no alert yet"
	}
	said += fmt.Sprintf("; %s: %s showing, %s verified, %s presented, %s late", terminal.Plural(len(now.Alerts), "alert"),
		terminal.Thousands(sum.Showing), terminal.Thousands(sum.Verified), terminal.Thousands(sum.Presented), terminal.Thousands(sum.Late))
	if sum.Twice > 0 {
		said += fmt.Sprintf(", %s began too often", terminal.Thousands(sum.Twice))
	}
	return said
}

// stands is a picture as a table, which 80 columns hold.
func stands(now inprocess.SimulateResult) *terminal.Table {
	t := terminal.NewTable("~KIND", ">ALL", ">ONLINE", ">SHOWING", ">VERIFIED", ">PRESENTED", ">LATE", ">NEVER")
	for _, k := range append(now.Kinds, total(now)) {
		t.Add(k.Kind, terminal.Thousands(k.Devices), terminal.Thousands(k.Online), terminal.Thousands(k.Showing), terminal.Thousands(k.Verified),
			terminal.Thousands(k.Presented), terminal.Thousands(k.Late), terminal.Thousands(k.Devices-k.Connected))
	}
	return t
}

// again says how often an alert began anew; "" for never, as it must be.
func again(now inprocess.SimulateResult) string {
	if now.Twice == 0 {
		return ""
	}
	return fmt.Sprintf("An alert began again at a device: %s.\n", strings.TrimSuffix(terminal.Plural(now.Twice, "time"), "."))
}

// total is all kinds together.
func total(now inprocess.SimulateResult) inprocess.SimulatedKind {
	sum := inprocess.SimulatedKind{Kind: "all"}
	for _, k := range now.Kinds {
		sum.Devices += k.Devices
		sum.Connected += k.Connected
		sum.Online += k.Online
		sum.Showing += k.Showing
		sum.Verified += k.Verified
		sum.Presented += k.Presented
		sum.Late += k.Late
		sum.Twice += k.Twice
	}
	return sum
}
