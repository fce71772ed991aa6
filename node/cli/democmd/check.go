package democmd

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// checkCommand is the check of a device that somebody else has made.
func checkCommand() command.Command {
	return command.Command{
		Name: "device check", Purpose: "grade somebody else's device against the contract", Needs: command.NeedsNothing, Setup: deviceCheck,
		More: "It plays a district of two nodes on ports of its own, and needs none. The device connects by MQTT 3.1.1 or 5, over TCP or WebSocket on the same ports, with what the file of --enrolment says. " +
			"Then it gets real, forged, late and repeated messages, and is graded by its receipts and its state, line by line. Every line names a section of channels/contract/CONTRACT.md.\n" +
			"With --run the device is a program: its power is cut with SIGKILL, and it finds its enrolment in the file that $ENROLMENT names and may keep what must survive in the folder $STATE. " +
			"Otherwise you are asked to cut the power, unless --no-power-cut is given.",
		Example: "almenara device check --enrolment screen.json --listen 192.168.1.5:1883\n" +
			"almenara device check --run 'node screen.mjs'",
	}
}

func deviceCheck(fs *pflag.FlagSet) command.Runner {
	var o inprocess.CheckOptions
	fs.StringVar(&o.ID, "id", "lift-1", "id of the device")
	fs.StringSliceVar(&o.Listen, "listen", []string{"127.0.0.1:0", "127.0.0.1:0"}, "host:port of each node that is played; 0 is any free port")
	fs.StringVar(&o.Run, "run", "", "command line that is the device")
	fs.StringVar(&o.File, "enrolment", "", "file to write what the device has to be given, as device enrol --json does")
	fs.DurationVar(&o.Within, "within", 10*time.Second, "how long the device may take to show what it must")
	fs.StringArrayVar(&o.Only, "only", nil, "try only lines with these words in their name")
	noPower := fs.Bool("no-power-cut", false, "leave out what needs the power of the device to be cut")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		switch {
		case e.Engine.Check == nil:
			return command.ErrNoEngine
		case o.Run == "" && o.File == "":
			return command.Usagef("device check needs --run or --enrolment")
		case len(o.Listen) == 0:
			return command.Usagef("device check needs at least one address in --listen")
		}
		if !*noPower {
			o.Power = func() { fmt.Fprintln(e.Err, "Cut the power of the device now, and bring it back.") }
		}
		return runCheck(ctx, e, o)
	}
}

// runCheck prints each line as it is graded, or all at the end as JSON.
func runCheck(ctx context.Context, e *command.Env, o inprocess.CheckOptions) error {
	result, err := e.Engine.Check(ctx, o, func(enrolled wire.Enrolled) error {
		if o.Run == "" {
			fmt.Fprintf(e.Err, "Waiting for %s at %s, with %s.\n", enrolled.ID, enrolled.Servers[0], o.File)
		}
		return nil
	}, func(l inprocess.CheckLine) {
		if !e.JSON() {
			writeCheckLine(e.Out, l)
		}
	})
	if err != nil {
		return err
	}
	err = e.Print(result, func(w io.Writer) {
		fmt.Fprintf(w, "\n%s: %d ok, %d failed, %d not seen.\n", result.Device, result.Passed, result.Failed, result.NotSeen)
	})
	if err == nil && result.Failed > 0 {
		return command.ErrReported
	}
	return err
}

func writeCheckLine(w io.Writer, l inprocess.CheckLine) {
	fmt.Fprintf(w, "%-8s  §%-4s %s\n", l.Result, l.Section, l.Name)
	if l.Why != "" {
		terminal.Wrapped(w, 80, "                ", l.Why)
	}
}
