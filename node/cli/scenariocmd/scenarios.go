// Package scenariocmd is the commands about prepared alerts: put, checked, shown, carried from one
// district to another as files, and those that come with the program.
package scenariocmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "scenario put", Purpose: "add or change prepared alerts from JSON files", Args: "FILE…", Min: 1, Max: -1, Setup: scenarioPut,
			More: "Each is tried first, in every language with the longest text that each blank takes. Where one of them cannot be sent, none is put.\n" +
				"With --if-unchanged, one that somebody has changed since 'scenario show' wrote its file is left as it is.\n" +
				"almenara scenario ready show block-fire prints a file to begin with; what a file may hold says almenara scenario check --help.",
			Example: "almenara scenario put flood.json\nalmenara scenario put --dry-run scenarios/*.json\nalmenara scenario put --if-unchanged flood.json",
		},
		{
			Name: "scenario check", Purpose: "say what is wrong with prepared alerts, change nothing", Args: "FILE…", Min: 1, Max: -1, Setup: scenarioCheck,
			More: checkMore, Example: "almenara scenario check flood.json\nalmenara scenario check --json scenarios/*.json",
		},
		{Name: "scenario list", Purpose: "list the prepared alerts", Setup: scenarioList, Example: "almenara scenario list"},
		{
			Name: "scenario show", Purpose: "show one prepared alert as JSON, to change and put back", Args: "SCENARIO", Min: 1, Max: 1,
			Setup: scenarioShow, Example: "almenara scenario show --file flood.json flood",
		},
		{
			Name: "scenario remove", Purpose: "remove a prepared alert; what was sent stays", Args: "SCENARIO", Min: 1, Max: 1,
			More:  "'scenario show' and 'scenario list --json' say the revision of each. With --if-unchanged, one that somebody has changed since stays.",
			Setup: scenarioRemove, Example: "almenara scenario remove flood\nalmenara scenario remove --if-unchanged 0f3a9c1e7b2d48560f3a9c1e7b2d4856 flood",
		},
		{
			Name: "scenario export", Purpose: "write every prepared alert to a folder, a file each", Args: "FOLDER", Min: 1, Max: 1,
			Setup: scenarioExport, Example: "almenara scenario export scenarios",
		},
		{
			Name: "scenario import", Purpose: "put every prepared alert of a folder, or none", Args: "FOLDER", Min: 1, Max: 1,
			Setup: scenarioImport, Example: "almenara scenario import --dry-run scenarios\nalmenara scenario import scenarios",
		},
		{
			Name: "scenario ready list", Purpose: "list those that come with the program", Needs: command.NeedsNothing,
			Setup: readyList, Example: "almenara scenario ready list",
		},
		{
			Name: "scenario ready show", Purpose: "show one of them as JSON, to change and put", Args: "SCENARIO", Min: 1, Max: 1, Needs: command.NeedsNothing,
			Setup: readyShow, Example: "almenara scenario ready show --file fire.json block-fire",
		},
		{
			Name: "scenario ready put", Purpose: "put some of them, or --all", Args: "[SCENARIO…]", Max: -1, Setup: readyPut,
			More:    "One that the district has under the same id is left as it is, unless --replace says otherwise: somebody may have changed its words.",
			Example: "almenara scenario ready put block-fire rain-black tc8ne\nalmenara scenario ready put --all --select 'not kind = phone'",
		},
	}
}

const checkMore = "A file holds one JSON object: id, title, alert (CAP's names; texts may hold {{name}}), minutes that it holds, select (whom) or choose (true: whoever sends it selects whom), " +
	"and, where wanted, approvals, usual_min and usual_max (members), blank_rules, checklist, sensitive, tier, sound and confirm.\n" +
	"blank_rules: [{\"name\":\"where\",\"for\":\"the block\",\"max_length\":20}], or values, the only texts that may fill it.\n" +
	"chain: the levels that a planned notice of it goes through before it is sent (almenara notice write --help).\n" +
	"tier, sound and confirm are held against how devices would present it. Unknown fields are refused."

func scenarioPut(fs *pflag.FlagSet) command.Runner {
	dryRun := fs.Bool("dry-run", false, "say what is wrong with them, and change nothing")
	unchanged := fs.Bool("if-unchanged", false, "only where nobody has changed them since 'scenario show' wrote the files")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		return putFiles(ctx, e, c, args, *dryRun, *unchanged)
	})
}

func scenarioCheck(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		return putFiles(ctx, e, c, args, true, false)
	})
}

// putFiles puts the scenarios of all files, or none. unchanged holds each against the revision in its file; else
// that is left out, because a file may come from another district.
func putFiles(ctx context.Context, e *command.Env, c *client.Client, files []string, dryRun, unchanged bool) error {
	var all []source
	for _, file := range files {
		s := source{name: file}
		if err := command.ReadJSON(e, file, &s.scenario); err != nil {
			return err
		}
		switch {
		case !unchanged:
			s.scenario.Revision = ""
		case s.scenario.Revision == "":
			return command.Usagef("%s has no revision: write it with scenario show, or leave out --if-unchanged", file)
		}
		all = append(all, s)
	}
	return putAll(ctx, e, c, all, dryRun)
}

// source is a scenario and where it was read.
type source struct {
	name     string
	scenario wire.Scenario
}

// putAll tries every scenario, and then puts all of them.
func putAll(ctx context.Context, e *command.Env, c *client.Client, all []source, dryRun bool) error {
	from := map[string]string{}
	for n := range all {
		s := &all[n]
		if before, double := from[s.scenario.ID]; double {
			return command.Usagef("%s and %s are both the scenario %s", before, s.name, s.scenario.ID)
		}
		from[s.scenario.ID], s.scenario.Blanks = s.name, nil
	}
	out := []wire.PutScenario{}
	for _, s := range all {
		checked, err := c.CheckScenario(ctx, s.scenario)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		out = append(out, checked)
	}
	for n, s := range all {
		if dryRun {
			break
		}
		if err := c.PutScenario(ctx, s.scenario); err != nil {
			return fmt.Errorf("%s (the %d before it are put): %w", s.name, n, err)
		}
		out[n].DryRun = false
	}
	return e.Print(out, func(w io.Writer) {
		for _, s := range out {
			tell(w, e.Width, s)
		}
	})
}

// tell says what became of one.
func tell(w io.Writer, width int, s wire.PutScenario) {
	said := "is in force"
	if s.DryRun {
		said = "can be put"
	}
	fmt.Fprintf(w, "Scenario %s %s; it addresses %s now.\n", terminal.Clean(s.ID), said, terminal.Plural(s.Addressed, "member"))
	for _, warning := range s.Warnings {
		terminal.Wrapped(w, width, "  Warning: ", terminal.Clean(warning.Text)+".")
	}
	for _, f := range s.Words {
		terminal.Wrapped(w, width, "  Words: ", terminal.Clean(f.Text)+".")
	}
}

func scenarioList(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		all, err := c.ListScenarios(ctx)
		if err != nil {
			return err
		}
		return e.Print(all, func(w io.Writer) { table(w, e.Width, all) })
	})
}

func table(w io.Writer, width int, all []wire.Scenario) {
	t := terminal.NewTable("SCENARIO", "TIER", ">MINUTES", ">APPROVALS", "~BLANKS", "~TITLE")
	for _, s := range all {
		for _, b := range s.BlankRules { // what comes with the program lists no names besides
			if !slices.Contains(s.Blanks, b.Name) {
				s.Blanks = append(s.Blanks, b.Name)
			}
		}
		t.Add(s.ID, s.Tier, terminal.Thousands(s.Minutes), terminal.Thousands(s.Approvals), command.Or(strings.Join(s.Blanks, ","), "-"), s.Title)
	}
	t.Write(w, width)
}

func scenarioShow(fs *pflag.FlagSet) command.Runner {
	file := fs.String("file", "", "write it to this file instead")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		s, err := c.ShowScenario(ctx, args[0])
		if err != nil {
			return err
		}
		return show(e, s, *file)
	})
}

func scenarioRemove(fs *pflag.FlagSet) command.Runner {
	revision := fs.String("if-unchanged", "", "only where this is still its revision")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		if err := c.RemoveScenario(ctx, args[0], *revision); err != nil {
			return err
		}
		return command.Done(e, "removed", args[0], "Scenario %s is removed.\n", terminal.Clean(args[0]))
	})
}
