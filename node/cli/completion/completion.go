// Package completion writes what shells and manuals know of the command line: scripts that
// complete it in bash, zsh and fish, and a manual page for each command. It lays the command
// table on spf13/cobra, which writes them; the commands themselves are parsed by command, whose
// errors are one sentence.
package completion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"almenara/node/cli/command"
)

// Commands are completion and manual, over the table that all gives.
func Commands(all func() []command.Command) []command.Command {
	return []command.Command{
		{
			Name: "completion", Purpose: "print the script that completes commands in a shell", Args: "bash|zsh|fish", Min: 1, Max: 1,
			Example: "almenara completion bash > /etc/bash_completion.d/almenara", Needs: command.NeedsNothing,
			Setup: func(*pflag.FlagSet) command.Runner {
				return func(_ context.Context, e *command.Env, args []string) error {
					return script(e.Out, tree(all()), args[0])
				}
			},
		},
		{
			Name: "manual", Purpose: "write a manual page for each command", Args: "FOLDER", Min: 1, Max: 1,
			Example: "almenara manual /usr/local/share/man/man1", Needs: command.NeedsNothing,
			Setup: func(*pflag.FlagSet) command.Runner {
				return func(_ context.Context, e *command.Env, args []string) error {
					pages, err := manual(tree(all()), args[0])
					if err != nil {
						return err
					}
					return e.Print(map[string]int{"pages": pages}, func(w io.Writer) { fmt.Fprintf(w, "%d pages in %s\n", pages, args[0]) })
				}
			},
		},
	}
}

// script writes the script of one shell.
func script(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	}
	return command.Usagef("there is no completion for %.100q; there is for bash, zsh and fish", shell)
}

// manual writes the pages of the program and of each command into a folder, which is made
// where it is missing, and says how many.
func manual(root *cobra.Command, folder string) (pages int, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, fmt.Errorf("making the folder of the manual: %w", err)
	}
	if err := doc.GenManTree(root, &doc.GenManHeader{Title: "ALMENARA", Section: "1"}, folder); err != nil {
		return 0, fmt.Errorf("writing the manual: %w", err)
	}
	return count(root), nil
}

// count is of a command and those below it that have a page.
func count(c *cobra.Command) int {
	n := 1
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			n += count(below)
		}
	}
	return n
}

// Asked reports whether the arguments are a question of a completion script.
func Asked(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// Answer writes what may come at the end of the command line that a script asks about, and
// returns the exit code.
func Answer(args []string, out io.Writer, all []command.Command) int {
	root := tree(all)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(io.Discard)
	if err := root.Execute(); err != nil {
		return command.ExitUsage
	}
	return 0
}

// errNotRun: the tree is for completion and manuals.
var errNotRun = errors.New("this command is not run by cobra")

// tree is the table as cobra knows it. It runs nothing.
func tree(all []command.Command) *cobra.Command {
	root := &cobra.Command{
		Use: "almenara", Short: "warn a district: small boxes, any of which can warn alone",
		SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	groups := map[string]*cobra.Command{"": root}
	for _, c := range all {
		words := strings.Fields(c.Name)
		group, name := root, words[len(words)-1]
		for n := range words[:len(words)-1] {
			about := strings.Join(words[:n+1], " ")
			if groups[about] == nil {
				groups[about] = &cobra.Command{Use: words[n], Short: "commands about: " + about, DisableAutoGenTag: true}
				group.AddCommand(groups[about])
			}
			group = groups[about]
		}
		made := &cobra.Command{
			Use: strings.TrimSpace(name + " [flags] " + c.Args), Short: c.Purpose, Long: strings.TrimSpace(c.Purpose + ".\n\n" + c.More),
			Example: "  " + strings.ReplaceAll(c.Example, "\n", "\n  "), DisableAutoGenTag: true, DisableFlagsInUseLine: true,
			RunE: func(*cobra.Command, []string) error { return errNotRun },
		}
		fs, _ := c.Flags(&command.Globals{})
		made.Flags().AddFlagSet(fs)
		group.AddCommand(made)
	}
	return root
}
