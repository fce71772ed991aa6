package scenariocmd

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/client"
	"almenara/node/scenario/ready"
	"almenara/node/wire"
)

func readyList(*pflag.FlagSet) command.Runner {
	return func(_ context.Context, e *command.Env, _ []string) error {
		all, err := ready.All()
		if err != nil {
			return err
		}
		return e.Print(all, func(w io.Writer) { table(w, e.Width, all) })
	}
}

func readyShow(fs *pflag.FlagSet) command.Runner {
	file := fs.String("file", "", "write it to this file instead")
	return func(_ context.Context, e *command.Env, args []string) error {
		s, err := readyNamed(args[0])
		if err != nil {
			return err
		}
		return show(e, s, *file)
	}
}

// readyNamed is one that comes with the program.
func readyNamed(id string) (wire.Scenario, error) {
	s, ok, err := ready.Get(id)
	if err == nil && !ok {
		return s, command.Usagef("no scenario %s comes with the program; almenara scenario ready list lists them", id)
	}
	return s, err
}

func readyPut(fs *pflag.FlagSet) command.Runner {
	every := fs.Bool("all", false, "all of them")
	selection := fs.String("select", "", "whom those address that address the whole district")
	replace := fs.Bool("replace", false, "also those that the district has")
	dryRun := fs.Bool("dry-run", false, "say what is wrong with them, and change nothing")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if *every == (len(args) > 0) {
			return command.Usagef("scenario ready put needs the names of some, or --all")
		}
		wanted, err := ready.All()
		if err != nil {
			return err
		}
		if !*every {
			wanted = nil
			for _, id := range args {
				s, err := readyNamed(id)
				if err != nil {
					return err
				}
				wanted = append(wanted, s)
			}
		}
		have, err := c.ListScenarios(ctx)
		if err != nil {
			return err
		}
		var all []source
		for _, s := range wanted {
			if !*replace && slices.ContainsFunc(have, func(h wire.Scenario) bool { return h.ID == s.ID }) {
				fmt.Fprintf(e.Err, "The district has a scenario %s; it is left as it is.\n", s.ID)
				continue
			}
			if *selection != "" && !s.Choose {
				s.Select = *selection
			}
			all = append(all, source{s.ID, s})
		}
		return putAll(ctx, e, c, all, *dryRun)
	})
}
