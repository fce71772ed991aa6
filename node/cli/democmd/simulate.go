package democmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/peoplecmd"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// SimulateCommands is the simulation of devices.
func SimulateCommands() []command.Command {
	return []command.Command{checkCommand(), {
		Name: "simulate", Purpose: "connect simulated devices and see what they prove", Setup: simulate,
		More: "Slow devices show after some seconds, the clock of skewed ones is hours off, rebooting ones lose their power every few seconds: all of them must prove every alert, once. Deaf ones take alerts and show nothing, and must not be counted as if they did.",
		Example: "almenara simulate --devices 300 --place tuen-mun --for 2m\n" +
			"almenara simulate --file all.json --expect-alert 1 --servers tcp://n2:1883",
	}}
}

// crowd says which devices to simulate.
type crowd struct {
	devices       int
	file          string
	prefix, place string
	kinds         []string
}

func simulate(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.SimulateOptions
	var from crowd
	fs.IntVar(&from.devices, "devices", 0, "enrol so many devices first; this needs a device manager's token")
	fs.StringVar(&from.file, "file", "", "devices to be: what device enrol --json printed")
	fs.StringVar(&from.prefix, "prefix", "sim", "how the ids of enrolled devices begin")
	fs.StringVar(&from.place, "place", "", "place of the enrolled devices; the district when absent")
	fs.StringSliceVar(&from.kinds, "kinds", []string{"screen", "speaker", "phone"}, "kinds of the enrolled devices, in turn")
	fs.StringSliceVar(&opts.Servers, "servers", nil, "MQTT addresses instead of the devices' own")
	fs.DurationVar(&opts.For, "for", 0, "the longest time; 0 is until Ctrl-C")
	fs.IntVar(&opts.Expect, "expect-alert", 0, "end when every device presented so many alerts")
	fs.IntVar(&opts.Faulty, "faulty", 0, "so many percent are slow, skewed, rebooting or deaf, in turn")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		switch {
		case e.Engine.Simulate == nil:
			return command.ErrNoEngine
		case opts.Faulty < 0 || opts.Faulty > 100:
			return command.Usagef("--faulty is a percentage, 0 to 100")
		case (from.file == "") == (from.devices <= 0):
			return command.Usagef("simulate needs --devices or --file, and not both")
		case len(from.kinds) == 0:
			return command.Usagef("simulate needs at least one kind in --kinds")
		}
		var err error
		if opts.Devices, err = crowdOf(ctx, e, from); err != nil {
			return err
		}
		return runSimulate(ctx, e, opts)
	}
}

// crowd reads the devices or enrols them.
func crowdOf(ctx context.Context, e *command.Env, from crowd) (all []wire.Enrolled, err error) {
	if from.file == "" {
		return enrolCrowd(ctx, e, from)
	}
	raw, err := e.ReadFile(from.file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &all); err != nil || len(all) == 0 {
		return nil, fmt.Errorf("%s does not hold what device enrol --json prints", from.file)
	}
	return all, nil
}

func enrolCrowd(ctx context.Context, e *command.Env, from crowd) ([]wire.Enrolled, error) {
	c, err := e.Client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if from.place == "" {
		status, err := c.Status(ctx, false)
		if err != nil {
			return nil, err
		}
		from.place = status.District
	}
	wanted := make([]wire.Enrol, from.devices)
	for i := range wanted {
		wanted[i] = wire.Enrol{ID: fmt.Sprintf("%s-%06d", from.prefix, i+1), Kind: from.kinds[i%len(from.kinds)], Place: from.place}
	}
	bar := command.NewBar(e)
	defer bar.End()
	return peoplecmd.Enrol(ctx, c, wanted, bar.Tell)
}

// simulate runs the devices and prints what they proved.
func runSimulate(ctx context.Context, e *command.Env, opts inprocess.SimulateOptions) error {
	bar := command.NewBar(e)
	result, err := e.Engine.Simulate(ctx, opts, bar.Tell)
	bar.End()
	if err != nil {
		return err
	}
	err = e.Print(result, func(w io.Writer) {
		proofs(e, w, result.Kinds)
		fmt.Fprintf(w, "\n%s in %.1f s", terminal.Plural(len(result.Alerts), "alert"), result.Seconds)
		if len(result.Alerts) > 0 {
			fmt.Fprintf(w, ": %s", strings.Join(result.Alerts, ", "))
		}
		fmt.Fprintln(w, ".")
	})
	switch silent := result.Devices - result.Connected; {
	case err != nil || result.Proven:
		return err
	case silent > 0:
		return fmt.Errorf("%w: %s of %s never connected", command.ErrNotProven, terminal.Thousands(silent), terminal.Plural(result.Devices, "device"))
	case result.Twice > 0:
		return fmt.Errorf("%w: an alert began more than once at a device, %s too often in all", command.ErrNotProven, terminal.Thousands(result.Twice))
	}
	return fmt.Errorf("%w: some device did not present %s", command.ErrNotProven, terminal.Plural(opts.Expect, "alert"))
}
