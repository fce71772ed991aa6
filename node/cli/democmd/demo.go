// Package democmd is the commands that try a district out: the demonstration and simulated
// devices.
package democmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// DemoCommands is the demonstration, the first line of the overview.
func DemoCommands() []command.Command {
	return []command.Command{
		{
			Name: "demo", Purpose: "run three nodes and 300 devices here, and warn them", Setup: demo, Needs: command.NeedsNothing,
			Example: "almenara demo\nalmenara demo --devices 1000 --cap flood.xml --keep",
		},
	}
}

func demo(fs *pflag.FlagSet) command.Runner {
	opts := inprocess.DemoOptions{}
	var file string
	fs.IntVar(&opts.Devices, "devices", 300, "simulated screens, speakers and phones, in all")
	fs.IntVar(&opts.Nodes, "nodes", 3, "nodes of the district")
	fs.StringVar(&file, "cap", "", "CAP 1.2 file to send; a built-in exercise when absent")
	fs.BoolVar(&opts.Keep, "keep", false, "leave the nodes and the devices running until Ctrl-C")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if e.Engine.Demo == nil {
			return command.ErrNoEngine
		}
		if opts.Devices < 1 || opts.Nodes < 1 {
			return command.Usagef("demo needs at least one device and one node")
		}
		if file != "" {
			raw, err := e.ReadFile(file)
			if err != nil {
				return err
			}
			opts.CAP = raw
		}
		return runDemo(ctx, e, opts)
	}
}

// demo runs the demonstration and keeps it open where that is wanted.
func runDemo(ctx context.Context, e *command.Env, opts inprocess.DemoOptions) (err error) {
	steps := e.Out
	if e.JSON() {
		steps = e.Err
	}
	result, err := e.Engine.Demo(ctx, opts, steps)
	if result.Close != nil {
		defer func() { err = errors.Join(err, result.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	if err := e.Print(result, func(w io.Writer) { demoTable(e, w, result) }); err != nil {
		return err
	}
	if opts.Keep {
		fmt.Fprintln(e.Err, "The nodes keep running until Ctrl-C.")
		<-ctx.Done()
	}
	if !result.Proven {
		return fmt.Errorf("%w: some addressed device did not present the alert", command.ErrNotProven)
	}
	return nil
}

func demoTable(e *command.Env, w io.Writer, r inprocess.DemoResult) {
	title := tables.Labelled(wire.Alert{Status: r.Status, Headline: command.Or(r.Headline, r.Alert)})
	fmt.Fprintf(w, "\n%s\n\n", terminal.Truncate(terminal.Clean(title), e.Width))
	if len(r.Groups) > 0 {
		t := terminal.NewTable(tables.RungColumns...)
		tables.GroupRows(t, r.Groups)
		t.Write(w, e.Width)
		fmt.Fprintln(w)
	}
	proofs(e, w, r.Kinds)
	fmt.Fprintf(w, "\nFirst device after %.0f ms, last after %.0f ms.\n", r.FirstMS, r.LastMS)
	if r.Stopped != "" {
		fmt.Fprintf(w, "The leader, %s, was stopped on the way; %s leads now.\n", r.Stopped, command.Or(r.Leader, "nobody"))
	}
	demoFaults(w, r)
	for _, api := range r.API {
		fmt.Fprintf(w, "API:     %s\n", api)
	}
	for _, gate := range r.MQTT {
		fmt.Fprintf(w, "Devices: %s\n", gate)
	}
	if r.TokenFile != "" {
		fmt.Fprintf(w, "Token:   %s\n", r.TokenFile)
	}
}

// demoFaults says what a demonstration must not show.
func demoFaults(w io.Writer, r inprocess.DemoResult) {
	for _, fault := range []struct {
		devices int
		what    string
	}{
		{r.Missing, "did not prove the alert once"}, {r.Twice, "started it more than once"}, {r.Outside, "got it without being addressed"},
	} {
		if fault.devices > 0 {
			fmt.Fprintf(w, "%s %s.\n", terminal.Plural(fault.devices, "device"), fault.what)
		}
	}
	if !r.Agree {
		fmt.Fprintln(w, "The nodes do not count what the devices told.")
	}
}

// proofs is the table of who proved an alert.
func proofs(e *command.Env, w io.Writer, kinds []inprocess.KindProof) {
	t := terminal.NewTable("KIND", ">ADDRESSED", ">CONNECTED", ">VERIFIED", ">PRESENTED", ">ACKNOWLEDGED", ">STOPPED")
	var sum inprocess.KindProof
	for _, k := range kinds {
		t.Add(k.Kind, terminal.Thousands(k.Addressed), terminal.Thousands(k.Connected), terminal.Thousands(k.Verified), terminal.Thousands(k.Presented), terminal.Thousands(k.Acknowledged), terminal.Thousands(k.Stopped))
		sum.Addressed += k.Addressed
		sum.Connected += k.Connected
		sum.Verified += k.Verified
		sum.Presented += k.Presented
		sum.Acknowledged += k.Acknowledged
		sum.Stopped += k.Stopped
	}
	t.Add("all", terminal.Thousands(sum.Addressed), terminal.Thousands(sum.Connected), terminal.Thousands(sum.Verified), terminal.Thousands(sum.Presented), terminal.Thousands(sum.Acknowledged),
		terminal.Thousands(sum.Stopped))
	t.Write(w, e.Width)
}
