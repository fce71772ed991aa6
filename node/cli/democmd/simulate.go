package democmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
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
		More: "Slow devices show after some seconds, the clock of skewed ones is hours off, rebooting ones lose their power every few seconds: all of them must prove every alert, once. Deaf ones take alerts and show nothing, and must not be counted as if they did. Forging ones also tell of alerts that they never got, twice, of times to come, and in the name of others.\n" +
			"The table is what the devices know of themselves: online now, showing now, and, once for each alert, verified, presented (as a node has acknowledged) and late: not presented 10 seconds after the first device of all, or 5 seconds after it was connected. Never are those that were not connected once.",
		Example: "almenara simulate --devices 300 --place tuen-mun --for 2m\n" +
			"almenara simulate --file all.json --expect-alert 1 --servers tcp://n2:1883",
	}}
}

// crowd says which devices to simulate.
type crowd struct {
	devices       int
	file, keep    string
	prefix, place string
	kinds         []string
}

func simulate(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.SimulateOptions
	var from crowd
	fs.IntVar(&from.devices, "devices", 0, "enrol so many devices first; this needs a device manager's token")
	fs.StringVar(&from.file, "file", "", "devices to be: what device enrol --json printed")
	fs.StringVar(&from.keep, "keep", "", "write the enrolled devices, with their secrets, to this file, for --file")
	fs.StringVar(&from.prefix, "prefix", "sim", "how the ids of enrolled devices begin")
	fs.StringVar(&from.place, "place", "", "place of the enrolled devices; the district when absent")
	fs.StringSliceVar(&from.kinds, "kinds", []string{"screen", "speaker", "phone"}, "kinds of the enrolled devices, in turn")
	fs.StringSliceVar(&opts.Servers, "servers", nil, "MQTT addresses instead of the devices' own")
	fs.DurationVar(&opts.For, "for", 0, "the longest time; 0 is until Ctrl-C")
	fs.IntVar(&opts.Expect, "expect-alert", 0, "end when every device presented so many alerts")
	fs.IntVar(&opts.Faulty, "faulty", 0, "so many percent are slow, skewed, rebooting, deaf or forging, in turn")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		switch {
		case e.Engine.Simulate == nil:
			return command.ErrNoEngine
		case opts.Faulty < 0 || opts.Faulty > 100:
			return command.Usagef("--faulty is a percentage, 0 to 100")
		case (from.file == "") == (from.devices <= 0):
			return command.Usagef("simulate needs --devices or --file, and not both")
		case from.keep != "" && from.devices <= 0:
			return command.Usagef("--keep is for devices that --devices enrols")
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
	enrolled, err := peoplecmd.Enrol(ctx, c, wanted, bar.Tell)
	if err != nil || from.keep == "" {
		return enrolled, err
	}
	raw, err := json.Marshal(enrolled)
	if err != nil {
		return nil, fmt.Errorf("encoding the enrolled devices: %w", err)
	}
	if err := os.WriteFile(from.keep, raw, 0o600); err != nil {
		return nil, fmt.Errorf("keeping the enrolled devices: %w", err)
	}
	return enrolled, nil
}

// runSimulate runs the devices, shows how they stand, and prints what they proved.
func runSimulate(ctx context.Context, e *command.Env, opts inprocess.SimulateOptions) error {
	now := live{e: e}
	result, err := e.Engine.Simulate(ctx, opts, now.show)
	now.end()
	if err != nil {
		return err
	}
	err = e.Print(result, func(w io.Writer) {
		stands(result).Write(w, e.Width)
		fmt.Fprintf(w, "%s\n%s in %.1f s", again(result), terminal.Plural(len(result.Alerts), "alert"), result.Seconds)
		if len(result.Alerts) > 0 {
			fmt.Fprintf(w, ": %s", strings.Join(result.Alerts, ", "))
		}
		fmt.Fprintln(w, ".")
		for _, p := range []struct {
			inprocess.Pace
			who string
		}{{result.There, "were connected when it began"}, {result.Back, "were connected later"}} {
			if p.Due > 0 {
				terminal.Wrapped(w, e.Width, "", fmt.Sprintf("Of those without a fault that %s, %s of %s presented it in time: half within %.1f s, 99 %% within %.1f s, the last of them after %.1f s.",
					p.who, terminal.Thousands(p.InTime), terminal.Thousands(p.Due), p.P50MS/1000, p.P99MS/1000, p.LastMS/1000))
			}
		}
	})
	switch {
	case err != nil || result.Proven:
		return err
	case result.Never > 0:
		return fmt.Errorf("%w: %s of %s never connected", command.ErrNotProven, terminal.Thousands(result.Never), terminal.Plural(result.Devices, "device"))
	case result.Twice > 0:
		return fmt.Errorf("%w: an alert began more than once at a device, %s too often in all", command.ErrNotProven, terminal.Thousands(result.Twice))
	}
	return fmt.Errorf("%w: some device did not present %s", command.ErrNotProven, terminal.Plural(opts.Expect, "alert"))
}
