package scenariocmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

// show prints a scenario, or writes it to a file.
func show(e *command.Env, s wire.Scenario, file string) error {
	if file == "" {
		return command.PrintJSON(e, s)
	}
	if err := write(e, s, file); err != nil {
		return err
	}
	return command.Done(e, "written", s.ID, "Scenario %s is in %s.\n", terminal.Clean(s.ID), terminal.Clean(file))
}

// write writes the file of a scenario, which appears whole or not at all.
func write(e *command.Env, s wire.Scenario, file string) error {
	return e.WriteFile(file, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			return fmt.Errorf("writing scenario %s: %w", s.ID, err)
		}
		return nil
	})
}

func scenarioExport(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		all, err := c.ListScenarios(ctx)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(args[0], 0o755); err != nil {
			return fmt.Errorf("making folder: %w", err)
		}
		for _, s := range all {
			s.Revision = "" // they may be for another district
			if err := write(e, s, filepath.Join(args[0], url.PathEscape(s.ID)+".json")); err != nil {
				return err
			}
		}
		return command.Done(e, "exported", args[0], "%s in %s.\n", terminal.Plural(len(all), "scenario"), terminal.Clean(args[0]))
	})
}

func scenarioImport(fs *pflag.FlagSet) command.Runner {
	dryRun := fs.Bool("dry-run", false, "say what is wrong with them, and change nothing")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		files, err := filepath.Glob(filepath.Join(args[0], "*.json"))
		if err != nil {
			return fmt.Errorf("listing folder: %w", err)
		}
		if len(files) == 0 {
			return command.Usagef("there is no .json file in %s", args[0])
		}
		return putFiles(ctx, e, c, files, *dryRun, false)
	})
}
