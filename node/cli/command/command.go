package command

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/terminal"
)

// Runner is the work of a command once its flags are known.
type Runner func(ctx context.Context, e *Env, args []string) error

// Command is one line of the command table.
type Command struct {
	Name     string // one to three words
	Purpose  string // one line
	Args     string // what follows the flags, for help; empty is nothing
	Min, Max int    // how many arguments; max -1 is any number
	More     string // what else there is to know, in paragraphs of one line each; "" is nothing
	Example  string // one or more command lines
	Needs    needs  // which global flags have an effect
	Setup    func(fs *pflag.FlagSet) Runner
}

// needs is what a command works on besides its arguments.
type needs int

const (
	needsNode    needs = iota // a node, over the API
	NeedsFolder               // the data folder on this machine
	NeedsNothing              // neither
)

// Flags makes the flag set of the command, its own flags first.
func (c *Command) Flags(g *Globals) (*pflag.FlagSet, Runner) {
	fs := newFlagSet(c.Name)
	run := c.Setup(fs)
	g.register(fs)
	c.Needs.hide(fs)
	return fs, run
}

// hide keeps flags without effect out of the help. They are still taken: a script
// may give them to every command alike.
func (n needs) hide(fs *pflag.FlagSet) {
	if n == needsNode {
		return
	}
	for _, name := range []string{"api", "token", "ca"} {
		fs.Lookup(name).Hidden = true
	}
	fs.Lookup("data").Hidden = n == NeedsNothing
}

// Find picks the one of all that args begin with.
func Find(all []Command, args []string) (*Command, []string, error) {
	for words := min(3, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		if i := slices.IndexFunc(all, func(c Command) bool { return c.Name == name }); i >= 0 {
			return &all[i], args[words:], nil
		}
	}
	return groupHelp(all, args)
}

// groupHelp answers a word that is no command: part of one, or a slip.
func groupHelp(all []Command, args []string) (*Command, []string, error) {
	var names, within []string
	for _, c := range all {
		names = append(names, c.Name)
		if first, second, two := strings.Cut(c.Name, " "); two && first == args[0] {
			within = append(within, second)
		}
	}
	switch {
	case len(within) == 0:
		if near := Nearest(args[0], firstWords(names)); near != "" {
			return nil, nil, Usagef("there is no command %q; did you mean %q?", args[0], near)
		}
		return nil, nil, Usagef("there is no command %q; see almenara help", args[0])
	case len(args) == 1 || strings.HasPrefix(args[1], "-"):
		return helpCommand(), []string{args[0]}, nil
	}
	if near := Nearest(args[1], within); near != "" {
		return nil, nil, Usagef("there is no command %q; did you mean %q?", args[0]+" "+args[1], args[0]+" "+near)
	}
	return nil, nil, Usagef("there is no command %q; %s takes %s", args[0]+" "+args[1], args[0], strings.Join(within, ", "))
}

func firstWords(names []string) []string {
	var first []string
	for _, name := range names {
		word, _, _ := strings.Cut(name, " ")
		first = append(first, word)
	}
	return slices.Compact(first)
}

// helpColumns is how wide the help of a command is.
const helpColumns = 80

// help writes how one command is used.
func (e *Env) help(c *Command) {
	fs, _ := c.Flags(&Globals{data: usualData})
	fmt.Fprintf(e.Out, "almenara %s: %s\n\nUsage: almenara %s\n", c.Name, c.Purpose, strings.TrimSpace(c.Name+" [flags] "+c.Args))
	for _, paragraph := range strings.FieldsFunc(c.More, func(r rune) bool { return r == '\n' }) {
		fmt.Fprintln(e.Out)
		terminal.Wrapped(e.Out, helpColumns, "", paragraph)
	}
	fmt.Fprintf(e.Out, "\nFlags:\n%s", fs.FlagUsagesWrapped(helpColumns))
	fmt.Fprintf(e.Out, "\nExample:\n%s\n", indent(c.Example))
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// overview lists the commands.
func (e *Env) overview() {
	fmt.Fprint(e.Out, "Almenara warns a district: small boxes, any of which can warn alone.\n\n"+
		"Usage: almenara COMMAND [flags]\n\nCommands:\n")
	e.list(e.all)
	fmt.Fprint(e.Out, "\nalmenara COMMAND --help says more, with an example. Start with: almenara demo\n"+
		"Exit code: 0 done, 1 refused or failed, 2 usage, 3 not known or not all proven,\n"+
		"4 (status) alone or not ready, 75 (serve) it had to stop at once: start it again\n")
}

func (e *Env) list(all []Command) {
	t := terminal.Table{}
	for _, c := range all {
		t.Add("  "+c.Name, c.Purpose)
	}
	t.Write(e.Out, e.Width)
}

// Others are version and help.
func Others() []Command {
	return []Command{
		{
			Name: "version", Purpose: "print the version of this program", Example: "almenara version", Needs: NeedsNothing,
			Setup: func(*pflag.FlagSet) Runner { return printVersion },
		},
		*helpCommand(),
	}
}

func printVersion(_ context.Context, e *Env, _ []string) error {
	v := Or(e.Engine.Version, "unversioned")
	return e.Print(map[string]string{"version": v}, func(w io.Writer) { fmt.Fprintf(w, "almenara %s\n", v) })
}

func helpCommand() *Command {
	return &Command{
		Name: "help", Purpose: "say how a command is used", Args: "[COMMAND]", Max: 3, Example: "almenara help alert send",
		Needs: NeedsNothing,
		Setup: func(*pflag.FlagSet) Runner { return printHelp },
	}
}

// printHelp shows one command, the commands of a group, or all.
func printHelp(_ context.Context, e *Env, args []string) error {
	if len(args) == 0 {
		e.overview()
		return nil
	}
	name := strings.Join(args, " ")
	var group []Command
	for _, c := range e.all {
		if c.Name == name {
			e.help(&c)
			return nil
		}
		if strings.HasPrefix(c.Name, name+" ") {
			group = append(group, c)
		}
	}
	if len(group) == 0 {
		_, _, err := Find(e.all, args)
		return err
	}
	fmt.Fprintf(e.Out, "Usage: almenara %s COMMAND [flags]\n\nCommands:\n", name)
	e.list(group)
	return nil
}

// Nearest is the name that given most likely means; "" when none is near.
func Nearest(given string, names []string) string {
	best, least := "", max(2, len(given)/3)+1
	for _, name := range names {
		if d := distance(given, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is the number of letters to insert, drop or change (Levenshtein 1965).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Pairs registers a flag of texts by name, which may be repeated. usage says in backquotes what one is, as in pflag.
func Pairs(fs *pflag.FlagSet, into *map[string]string, name, usage string) {
	fs.StringToStringVar(into, name, nil, usage+"; may be repeated")
	fs.Lookup(name).DefValue = "" // else the help says [] of it
}
