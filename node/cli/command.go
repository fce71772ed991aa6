package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// runner is the work of a command once its flags are known.
type runner func(ctx context.Context, e *env, args []string) error

// command is one line of the command table.
type command struct {
	name     string // one or two words
	purpose  string // one line
	args     string // what follows the flags, for help; empty is nothing
	min, max int    // how many arguments; max -1 is any number
	example  string // one or more command lines
	needs    needs  // which global flags have an effect
	setup    func(fs *pflag.FlagSet) runner
}

// needs is what a command works on besides its arguments.
type needs int

const (
	needsNode    needs = iota // a node, over the API
	needsFolder               // the data folder on this machine
	needsNothing              // neither
)

// commands is every command, in the order of the overview.
func commands() []command {
	var all []command
	for _, group := range [][]command{
		nodeCommands(), recoverCommands(), backupCommands(), alertCommands(), authorityCommands(), audienceCommands(), deviceCommands(), userCommands(), auditCommands(), simulateCommands(),
		otherCommands(),
	} {
		all = append(all, group...)
	}
	return all
}

// flags makes the flag set of the command, its own flags first.
func (c *command) flags(g *globals) (*pflag.FlagSet, runner) {
	fs := newFlagSet(c.name)
	run := c.setup(fs)
	g.register(fs)
	c.needs.hide(fs)
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
	fs.Lookup("data").Hidden = n == needsNothing
}

// find picks the command that args begin with.
func find(args []string) (*command, []string, error) {
	all := commands()
	for words := min(2, len(args)); words > 0; words-- {
		name := strings.Join(args[:words], " ")
		if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
			return &all[i], args[words:], nil
		}
	}
	return groupHelp(all, args)
}

// groupHelp answers a word that is no command: part of one, or a slip.
func groupHelp(all []command, args []string) (*command, []string, error) {
	var names, within []string
	for _, c := range all {
		names = append(names, c.name)
		if first, second, two := strings.Cut(c.name, " "); two && first == args[0] {
			within = append(within, second)
		}
	}
	switch {
	case len(within) == 0:
		if near := nearest(args[0], firstWords(names)); near != "" {
			return nil, nil, usagef("there is no command %q; did you mean %q?", args[0], near)
		}
		return nil, nil, usagef("there is no command %q; see almenara help", args[0])
	case len(args) == 1 || strings.HasPrefix(args[1], "-"):
		return helpCommand(), []string{args[0]}, nil
	}
	if near := nearest(args[1], within); near != "" {
		return nil, nil, usagef("there is no command %q; did you mean %q?", args[0]+" "+args[1], args[0]+" "+near)
	}
	return nil, nil, usagef("there is no command %q; %s takes %s", args[0]+" "+args[1], args[0], strings.Join(within, ", "))
}

func firstWords(names []string) []string {
	var first []string
	for _, name := range names {
		word, _, _ := strings.Cut(name, " ")
		first = append(first, word)
	}
	return slices.Compact(first)
}

// help writes how one command is used.
func (e *env) help(c *command) {
	fs, _ := c.flags(&globals{api: "http://127.0.0.1:8480", data: "almenara-data"})
	fmt.Fprintf(e.Out, "almenara %s: %s\n\nUsage: almenara %s\n", c.name, c.purpose, strings.TrimSpace(c.name+" [flags] "+c.args))
	fmt.Fprintf(e.Out, "\nFlags:\n%s", fs.FlagUsagesWrapped(80))
	fmt.Fprintf(e.Out, "\nExample:\n%s\n", indent(c.example))
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// overview lists the commands.
func (e *env) overview() {
	fmt.Fprint(e.Out, "Almenara warns a district: small boxes, any of which can warn alone.\n\n"+
		"Usage: almenara COMMAND [flags]\n\nCommands:\n")
	e.list(commands())
	fmt.Fprint(e.Out, "\nalmenara COMMAND --help says more, with an example. Start with: almenara demo\n"+
		"Exit code: 0 done, 1 refused or failed, 2 usage, 3 not known or not all proven.\n")
}

func (e *env) list(all []command) {
	t := table{}
	for _, c := range all {
		t.add("  "+c.name, c.purpose)
	}
	t.write(e.Out, e.Width)
}

func otherCommands() []command {
	return []command{
		{
			name: "version", purpose: "print the version of this program", example: "almenara version", needs: needsNothing,
			setup: func(*pflag.FlagSet) runner { return printVersion },
		},
		*helpCommand(),
	}
}

func printVersion(_ context.Context, e *env, _ []string) error {
	v := or(e.engine.Version, "unversioned")
	return e.print(map[string]string{"version": v}, func(w io.Writer) { fmt.Fprintf(w, "almenara %s\n", v) })
}

func helpCommand() *command {
	return &command{
		name: "help", purpose: "say how a command is used", args: "[COMMAND]", max: 2, example: "almenara help alert send",
		needs: needsNothing,
		setup: func(*pflag.FlagSet) runner { return printHelp },
	}
}

// printHelp shows one command, the commands of a group, or all.
func printHelp(_ context.Context, e *env, args []string) error {
	if len(args) == 0 {
		e.overview()
		return nil
	}
	name := strings.Join(args, " ")
	var group []command
	for _, c := range commands() {
		if c.name == name {
			e.help(&c)
			return nil
		}
		if strings.HasPrefix(c.name, name+" ") {
			group = append(group, c)
		}
	}
	if len(group) == 0 {
		_, _, err := find(args)
		return err
	}
	fmt.Fprintf(e.Out, "Usage: almenara %s COMMAND [flags]\n\nCommands:\n", name)
	e.list(group)
	return nil
}

// nearest is the name that given most likely means; "" when none is near.
func nearest(given string, names []string) string {
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
