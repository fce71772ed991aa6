package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"almenara/node/wire"
)

func demo(fs *pflag.FlagSet) runner {
	opts := DemoOptions{}
	var file string
	fs.IntVar(&opts.Devices, "devices", 300, "simulated screens, speakers and phones, in all")
	fs.IntVar(&opts.Nodes, "nodes", 3, "nodes of the district")
	fs.StringVar(&file, "cap", "", "CAP 1.2 file to send; a built-in exercise when absent")
	fs.BoolVar(&opts.Keep, "keep", false, "leave the nodes and the devices running until Ctrl-C")
	return func(ctx context.Context, e *env, _ []string) error {
		if e.engine.Demo == nil {
			return errNoEngine
		}
		if opts.Devices < 1 || opts.Nodes < 1 {
			return usagef("demo needs at least one device and one node")
		}
		if file != "" {
			raw, err := e.readFile(file)
			if err != nil {
				return err
			}
			opts.CAP = raw
		}
		return e.demo(ctx, opts)
	}
}

// demo runs the demonstration and keeps it open where that is wanted.
func (e *env) demo(ctx context.Context, opts DemoOptions) (err error) {
	steps := e.Out
	if e.global.json {
		steps = e.Err
	}
	result, err := e.engine.Demo(ctx, opts, steps)
	if result.Close != nil {
		defer func() { err = errors.Join(err, result.Close(context.WithoutCancel(ctx))) }()
	}
	if err != nil {
		return err
	}
	if err := e.print(result, func(w io.Writer) { e.demoTable(w, result) }); err != nil {
		return err
	}
	if opts.Keep {
		fmt.Fprintln(e.Err, "The nodes keep running until Ctrl-C.")
		<-ctx.Done()
	}
	if !result.Proven {
		return fmt.Errorf("%w: some addressed device did not present the alert", errNotProven)
	}
	return nil
}

func (e *env) demoTable(w io.Writer, r DemoResult) {
	title := labelled(wire.Alert{Status: r.Status, Headline: or(r.Headline, r.Alert)})
	fmt.Fprintf(w, "\n%s\n\n", truncate(clean(title), e.Width))
	if len(r.Groups) > 0 {
		t := newTable(rungColumns...)
		groupRows(t, r.Groups)
		t.write(w, e.Width)
		fmt.Fprintln(w)
	}
	e.proofs(w, r.Kinds)
	fmt.Fprintf(w, "\nFirst device after %.0f ms, last after %.0f ms.\n", r.FirstMS, r.LastMS)
	if r.Stopped != "" {
		fmt.Fprintf(w, "The leader, %s, was stopped on the way; %s leads now.\n", r.Stopped, or(r.Leader, "nobody"))
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
func demoFaults(w io.Writer, r DemoResult) {
	for _, fault := range []struct {
		devices int
		what    string
	}{
		{r.Missing, "did not prove the alert once"}, {r.Twice, "started it more than once"}, {r.Outside, "got it without being addressed"},
	} {
		if fault.devices > 0 {
			fmt.Fprintf(w, "%s %s.\n", plural(fault.devices, "device"), fault.what)
		}
	}
	if !r.Agree {
		fmt.Fprintln(w, "The nodes do not count what the devices told.")
	}
}

// proofs is the table of who proved an alert.
func (e *env) proofs(w io.Writer, kinds []KindProof) {
	t := newTable("KIND", ">ADDRESSED", ">CONNECTED", ">VERIFIED", ">PRESENTED", ">ACKNOWLEDGED")
	var sum KindProof
	for _, k := range kinds {
		t.add(k.Kind, thousands(k.Addressed), thousands(k.Connected), thousands(k.Verified), thousands(k.Presented), thousands(k.Acknowledged))
		sum.Addressed += k.Addressed
		sum.Connected += k.Connected
		sum.Verified += k.Verified
		sum.Presented += k.Presented
		sum.Acknowledged += k.Acknowledged
	}
	t.add("all", thousands(sum.Addressed), thousands(sum.Connected), thousands(sum.Verified), thousands(sum.Presented), thousands(sum.Acknowledged))
	t.write(w, e.Width)
}
