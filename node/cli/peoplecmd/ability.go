package peoplecmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire/able"
)

func abilityCommands() []command.Command {
	return []command.Command{
		{
			Name: "ability", Purpose: "show which devices would show or sound an alert", Setup: abilityShow,
			More: "Every night from 3 to 5 o'clock each node has its devices test themselves silently. This lists what they came to, " +
				"those that did not pass with the reason, and the last nights by estate.",
			Example: "almenara ability --place tuen-mun/on-ting",
		},
		{
			Name: "ability test", Purpose: "have connected devices test themselves now, silently", Setup: abilityTest,
			More:    "Nobody sees or hears anything. It ends by itself at an emergency; almenara ability shows what it came to, some minutes later.",
			Example: "almenara ability test --place tuen-mun/on-ting/on-lai",
		},
	}
}

func abilityShow(fs *pflag.FlagSet) command.Runner {
	place := fs.String("place", "", "only devices at this place or below it")
	nights := fs.Int("nights", 7, "the most nights to list")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		able, err := c.Ability(ctx, *place)
		if err != nil {
			return err
		}
		return e.Print(able, func(w io.Writer) { printAbility(w, able, *nights, e.Width) })
	}
}

// percent has one decimal, and is 100 only where all are.
func percent(n, of uint64) string {
	if of == 0 {
		return "-"
	}
	tenths := n * 1000 / of
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

func printAbility(w io.Writer, a able.Ability, nights, width int) {
	fmt.Fprintf(w, "%s: %s of %s passed their last silent test.\n", percent(a.Passed, a.Devices), terminal.Thousands(int(a.Passed)), terminal.Plural(int(a.Devices), "device"))
	for _, s := range a.States {
		if s.Name != able.DevicePassed {
			fmt.Fprintf(w, "  %s %s\n", terminal.Thousands(int(s.Count)), terminal.Clean(s.Name))
		}
	}
	if a.Night == "" {
		fmt.Fprintln(w, "No night's tests are on record yet.")
	}
	if len(a.Unanswered) > 0 {
		fmt.Fprintf(w, "These nodes did not answer, and what they know is missing: %s\n", strings.Join(a.Unanswered, ", "))
	}
	if len(a.Missing) > 0 {
		fmt.Fprintln(w)
		t := terminal.NewTable("DEVICE", "KIND", "PLACE", "STATE", "LAST PASSED", "WHY")
		for _, d := range a.Missing {
			passed := "-"
			if !d.Passed.IsZero() {
				passed = d.Passed.Local().Format("2006-01-02 15:04")
			}
			t.Add(terminal.Clean(d.Device), terminal.Clean(d.Kind), terminal.Clean(d.Place), terminal.Clean(d.Stands), passed, cmp.Or(terminal.Clean(d.Why.Text), "-"))
		}
		t.Write(w, width)
	}
	if a.More > 0 {
		fmt.Fprintf(w, "%s more are not listed; ask with --place.\n", terminal.Thousands(int(a.More)))
	}
	if len(a.Nights) == 0 || nights <= 0 {
		return
	}
	fmt.Fprintln(w)
	t := terminal.NewTable("NIGHT", "ESTATE", "PASSED", "OF", "SHARE")
	for _, n := range a.Nights[:min(len(a.Nights), nights)] {
		for _, p := range n.Places {
			t.Add(n.Night, terminal.Clean(p.Place), terminal.Thousands(int(p.Passed)), terminal.Thousands(int(p.Devices)), percent(p.Passed, p.Devices))
		}
	}
	t.Write(w, width)
}

func abilityTest(fs *pflag.FlagSet) command.Runner {
	places := fs.StringSlice("place", nil, "only devices at these places or below them")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		begun, err := c.TestDevices(ctx, able.TestDevices{Places: *places})
		if err != nil {
			return err
		}
		return e.Print(begun, func(w io.Writer) {
			fmt.Fprintf(w, "%s %s tested now, silently. almenara ability shows what it came to.\n", terminal.Plural(begun.Devices, "device"), map[bool]string{true: "is", false: "are"}[begun.Devices == 1])
			if len(begun.Unanswered) > 0 {
				fmt.Fprintf(w, "These nodes did not begin: %s\n", strings.Join(begun.Unanswered, ", "))
			}
		})
	}
}

func deviceTest(*pflag.FlagSet) command.Runner {
	return askDevices(func(ctx context.Context, c *client.Client, id string) (able.DeviceTest, error) {
		return c.TestDevice(ctx, id)
	}, func(w io.Writer, d able.DeviceTest) {
		fmt.Fprintf(w, "%s %s%s.\n", terminal.Clean(d.Device), terminal.Clean(d.Stands), because(d))
	})
}

func deviceIdentify(*pflag.FlagSet) command.Runner {
	return askDevices(func(ctx context.Context, c *client.Client, id string) (able.DeviceTest, error) {
		return c.IdentifyDevice(ctx, id)
	}, func(w io.Writer, d able.DeviceTest) {
		if d.Stands == able.DevicePassed {
			fmt.Fprintf(w, "%s identifies itself now.\n", terminal.Clean(d.Device))
			return
		}
		fmt.Fprintf(w, "%s %s%s.\n", terminal.Clean(d.Device), terminal.Clean(d.Stands), because(d))
	})
}

// because is what was exercised, or why it did not pass.
func because(d able.DeviceTest) string {
	switch {
	case d.Why.Text != "":
		return ": " + terminal.Clean(d.Why.Text)
	case len(d.Exercised) > 0:
		return ": " + terminal.Clean(strings.Join(d.Exercised, " and "))
	}
	return ""
}

// askDevices asks one device after the other, and fails where one did not pass.
func askDevices(ask func(context.Context, *client.Client, string) (able.DeviceTest, error), tell func(io.Writer, able.DeviceTest)) command.Runner {
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		bad := 0
		for _, id := range args {
			got, err := ask(ctx, c, id)
			if err != nil {
				return err
			}
			if err := e.Print(got, func(w io.Writer) { tell(w, got) }); err != nil {
				return err
			}
			if got.Stands != able.DevicePassed {
				bad++
			}
		}
		if bad > 0 {
			return fmt.Errorf("%w: %s did not pass", command.ErrNotProven, terminal.Plural(bad, "device"))
		}
		return nil
	}
}
