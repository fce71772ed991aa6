package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/wire"
)

func simulateCommands() []command {
	return []command{{
		name: "simulate", purpose: "connect simulated devices and see what they prove", setup: simulate,
		example: "almenara simulate --devices 300 --place tuen-mun --for 2m\n" +
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

func simulate(fs *pflag.FlagSet) runner {
	var opts SimulateOptions
	var from crowd
	fs.IntVar(&from.devices, "devices", 0, "enrol so many devices first; this needs a device manager's token")
	fs.StringVar(&from.file, "file", "", "devices to be: what device enrol --json printed")
	fs.StringVar(&from.prefix, "prefix", "sim", "how the ids of enrolled devices begin")
	fs.StringVar(&from.place, "place", "", "place of the enrolled devices; the district when absent")
	fs.StringSliceVar(&from.kinds, "kinds", []string{"screen", "speaker", "phone"}, "kinds of the enrolled devices, in turn")
	fs.StringSliceVar(&opts.Servers, "servers", nil, "MQTT addresses instead of the devices' own")
	fs.DurationVar(&opts.For, "for", 0, "the longest time; 0 is until Ctrl-C")
	fs.IntVar(&opts.Expect, "expect-alert", 0, "end when every device presented so many alerts")
	return func(ctx context.Context, e *env, _ []string) error {
		switch {
		case e.engine.Simulate == nil:
			return errNoEngine
		case (from.file == "") == (from.devices <= 0):
			return usagef("simulate needs --devices or --file, and not both")
		case len(from.kinds) == 0:
			return usagef("simulate needs at least one kind in --kinds")
		}
		var err error
		if opts.Devices, err = e.crowd(ctx, from); err != nil {
			return err
		}
		return e.simulate(ctx, opts)
	}
}

// crowd reads the devices or enrols them.
func (e *env) crowd(ctx context.Context, from crowd) (all []wire.Enrolled, err error) {
	if from.file == "" {
		return e.enrolCrowd(ctx, from)
	}
	raw, err := e.readFile(from.file)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &all); err != nil || len(all) == 0 {
		return nil, fmt.Errorf("%s does not hold what device enrol --json prints", from.file)
	}
	return all, nil
}

func (e *env) enrolCrowd(ctx context.Context, from crowd) ([]wire.Enrolled, error) {
	c, err := e.client()
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
	bar := e.newBar()
	defer bar.end()
	return enrol(ctx, c, wanted, bar.tell)
}

// simulate runs the devices and prints what they proved.
func (e *env) simulate(ctx context.Context, opts SimulateOptions) error {
	bar := e.newBar()
	result, err := e.engine.Simulate(ctx, opts, bar.tell)
	bar.end()
	if err != nil {
		return err
	}
	err = e.print(result, func(w io.Writer) {
		e.proofs(w, result.Kinds)
		fmt.Fprintf(w, "\n%s in %.1f s", plural(len(result.Alerts), "alert"), result.Seconds)
		if len(result.Alerts) > 0 {
			fmt.Fprintf(w, ": %s", strings.Join(result.Alerts, ", "))
		}
		fmt.Fprintln(w, ".")
	})
	if err == nil && !result.Proven {
		err = fmt.Errorf("%w: some device did not present %s", errNotProven, plural(opts.Expect, "alert"))
	}
	return err
}
