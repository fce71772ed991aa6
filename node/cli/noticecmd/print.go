package noticecmd

import (
	"fmt"
	"io"
	"strings"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/wire/notices"
)

// printed prints how a notice stands after something was done about it.
func printed(e *command.Env, n notices.Notice, err error) error {
	if err != nil {
		return err
	}
	return e.Print(n, func(w io.Writer) { line(w, n) })
}

// lines print a list.
func lines(all []notices.Notice) func(io.Writer) {
	return func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "No planned notice is open.")
		}
		for _, n := range all {
			line(w, n)
		}
	}
}

// line writes a notice in two lines: what it is, and for whom it waits.
func line(w io.Writer, n notices.Notice) {
	fmt.Fprintf(w, "%s  version %d  %s\n  %s\n", n.ID, n.Version, terminal.Clean(n.Title), terminal.Clean(stands(n)))
}

// stands says how a notice stands.
func stands(n notices.Notice) string {
	switch n.Standing {
	case notices.Waiting:
		text := fmt.Sprintf("waits at level %d since %s for %s more: %s", n.Level, terminal.Clock(n.Since), terminal.Plural(n.Missing, "person"), strings.Join(n.MayPass, ", "))
		if len(n.MayPass) == 0 {
			text = fmt.Sprintf("waits at level %d since %s, and nobody may pass it on there", n.Level, terminal.Clock(n.Since))
		}
		if n.Next != "" {
			text += "; asked now: " + n.Next
		}
		if n.Overdue {
			text = "OVERDUE since " + terminal.Clock(n.Due) + ": " + text
		}
		return text
	case notices.SentBack:
		return "sent back to " + n.Author + ": " + n.Why
	case notices.Locked:
		if n.At.IsZero() {
			return "locked; it goes out now"
		}
		return "locked; it goes out at " + terminal.Clock(n.At)
	case notices.Sent:
		return "sent as alert " + n.Alert
	case notices.Failed:
		return "could not go out: " + n.Why
	}
	return "withdrawn " + terminal.Clock(n.Since)
}

// whole prints all of one notice.
func whole(n notices.Notice) func(io.Writer) {
	return func(w io.Writer) {
		line(w, n)
		fmt.Fprintf(w, "\nWritten by %s. Levels:\n", terminal.Clean(n.Author))
		for i, l := range n.Levels {
			asks := l.Level.Role
			if len(l.Level.People) > 0 {
				asks = strings.TrimSpace(asks + " " + strings.Join(l.Level.People, ", "))
			}
			fmt.Fprintf(w, "  %d  %s (%s, %s)", i+1, terminal.Clean(command.Or(l.Level.Title, "-")), terminal.Clean(asks), terminal.Plural(max(l.Level.Count, 1), "person"))
			if len(l.Passed) > 0 {
				fmt.Fprintf(w, ", passed on by %s", terminal.Clean(strings.Join(l.Passed, ", ")))
			}
			fmt.Fprintln(w)
			for k, check := range l.Level.Checklist {
				fmt.Fprintf(w, "       [%d] %s\n", k+1, terminal.Clean(check))
			}
		}
		if len(n.Versions) > 0 {
			version(w, n.Versions[len(n.Versions)-1])
		}
		for _, f := range n.Found {
			said := "is looked at with care"
			if f.Ticked != "" {
				said = "may stand there, says " + f.Ticked
			} else if f.Tick {
				said = "must be ticked by a second person"
			}
			fmt.Fprintf(w, "\nSensitive: %q in %s %s. %s\n", terminal.Clean(f.Word), f.Language, terminal.Clean(said), terminal.Clean(f.Why))
		}
		fmt.Fprintln(w, "\nWhat was done:")
		for _, a := range n.Acts {
			act(w, a)
		}
	}
}

func version(w io.Writer, v notices.NoticeVersion) {
	fmt.Fprintf(w, "\nVersion %d", v.N)
	if v.Why != "" {
		fmt.Fprintf(w, ": %s", terminal.Clean(v.Why))
	}
	fmt.Fprintln(w)
	for _, t := range v.Texts {
		fmt.Fprintf(w, "  [%s] %s\n", terminal.Clean(t.Language), terminal.Clean(t.Headline))
		for _, text := range []string{t.Description, t.Instruction, t.Areas} {
			if text != "" {
				fmt.Fprintf(w, "    %s\n", terminal.Clean(text))
			}
		}
	}
	for _, c := range v.Changed {
		fmt.Fprintf(w, "  changed %s %s: %q, was %q\n", terminal.Clean(c.Language), c.Field, terminal.Clean(c.Is), terminal.Clean(c.Was))
	}
}

func act(w io.Writer, a notices.NoticeAct) {
	text := a.Text
	if a.Language != "" {
		text = "[" + a.Language + "] " + text
	}
	for _, line := range append(append([]string{}, a.Ticked...), a.Words...) {
		text += " [x] " + line
	}
	fmt.Fprintf(w, "  %s  version %d  %s  %s  %s\n", terminal.Clock(a.At), a.Version, terminal.Clean(a.By), a.Do, terminal.Clean(strings.TrimSpace(text)))
}
