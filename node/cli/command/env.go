// Package command is what every command of the command line is and has at hand: its line in
// the table, flags, streams, files, the API's client, and how errors are said. Everything
// that is done with a district goes over the HTTP API; what needs a node in this process goes
// through Engine.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/access"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
	"almenara/node/client"
)

// The exit codes.
const (
	ExitDone    = 0 // it was done, all of it
	ExitFailed  = 1 // refused or failed: it was not done
	ExitUsage   = 2 // the command line makes no sense
	ExitUnknown = 3 // it is not known whether it was done, or not all was proven
	// ExitNotReady is for status: the node answered that it is alone or not ready.
	ExitNotReady = 4
)

// IO is what surrounds the program.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	IsTTY    bool                // Out is a terminal: draw over what was drawn
	ErrTTY   bool                // Err is a terminal: progress is drawn there
	Width    int                 // columns of the terminal; 0 is 80, Unbounded is no terminal
	Getenv   func(string) string // nil is an empty environment
}

// Run runs one of all the commands and returns the exit code. It ends soon after ctx does.
func Run(ctx context.Context, args []string, streams IO, engine inprocess.Engine, all []Command) int {
	if streams.Width <= 0 {
		streams.Width = 80
	}
	if streams.Getenv == nil {
		streams.Getenv = func(string) string { return "" }
	}
	e := &Env{IO: streams, Engine: engine, all: all}
	return e.exit(e.run(ctx, args))
}

// Env is what a running command has at hand.
type Env struct {
	IO
	Engine inprocess.Engine
	global Globals
	all    []Command
}

// JSON says that programs read the output.
func (e *Env) JSON() bool { return e.global.json }

// Data is the data folder on this machine.
func (e *Env) Data() string { return e.global.data }

// Globals are the flags of every command.
type Globals struct {
	api, token, data, ca string
	json, help           bool
	said                 bool   // somebody named the data folder
	noToken              bool   // neither a flag nor the environment nor the node's folder has a token
	from                 string // the file that api was read from; "" where it was given
}

// register adds the global flags; what is set already is the default.
func (g *Globals) register(fs *pflag.FlagSet) {
	fs.StringVar(&g.api, "api", g.api, "address of a node (or ALMENARA_API, or the data folder's node, or "+usualAPI+")")
	fs.StringVar(&g.token, "token", g.token, "bearer token (or ALMENARA_TOKEN, or "+access.TokenFile+" in the data folder)")
	fs.StringVar(&g.data, "data", g.data, "data folder of the node on this machine (or ALMENARA_DATA)")
	fs.StringVar(&g.ca, "ca", g.ca, "PEM file of the authority that signs the node's certificate (or ALMENARA_CA, or "+access.AuthorityFile+" in the data folder)")
	fs.BoolVar(&g.json, "json", g.json, "write JSON, for programs")
	fs.BoolVarP(&g.help, "help", "h", g.help, "say how this is used")
}

// Or is the first text that is not empty.
func Or(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// usualData is the data folder where none is named.
const usualData = "almenara-data"

func (e *Env) run(ctx context.Context, args []string) error {
	e.global = Globals{
		api: e.Getenv("ALMENARA_API"), data: Or(e.Getenv("ALMENARA_DATA"), usualData), ca: e.Getenv("ALMENARA_CA"),
	}
	root := newFlagSet("almenara")
	root.SetInterspersed(false)
	e.global.register(root)
	if err := root.Parse(args); err != nil {
		return flagError(root, "almenara", err)
	}
	if root.NArg() == 0 {
		e.overview()
		if e.global.help {
			return nil
		}
		return errSilentUsage
	}
	cmd, rest, err := Find(e.all, root.Args())
	if err != nil {
		return err
	}
	return e.parse(ctx, cmd, rest)
}

// parse parses the flags of one command and runs it.
func (e *Env) parse(ctx context.Context, cmd *Command, args []string) error {
	fs, run := cmd.Flags(&e.global)
	if err := fs.Parse(args); err != nil {
		return flagError(fs, "almenara "+cmd.Name, err)
	}
	if e.global.help {
		e.help(cmd)
		return nil
	}
	if n := fs.NArg(); n < cmd.Min || (cmd.Max >= 0 && n > cmd.Max) {
		return Usagef("almenara %s takes %s; see almenara %s --help", cmd.Name, Or(cmd.Args, "no argument"), cmd.Name)
	}
	e.IsTTY, e.global.said = e.IsTTY && !e.global.json, e.global.data != usualData
	return run(ctx, e, fs.Args())
}

// newFlagSet makes a set that prints nothing by itself.
func newFlagSet(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.SortFlags = false
	return fs
}

// Print writes v as JSON where JSON is wanted, and else lets people read it.
func (e *Env) Print(v any, people func(w io.Writer)) error {
	if !e.global.json {
		var b strings.Builder
		people(&b)
		_, err := io.WriteString(e.Out, b.String())
		return Writing(err)
	}
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return Writing(enc.Encode(v))
}

// Writing says of an error that it is one of the output; nil stays nil.
func Writing(err error) error {
	if err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}

// errSilentUsage is a usage error whose text was printed already.
var errSilentUsage = errors.New("usage")

// Zone says below a table of so many rows which zone its short clocks are in; where the
// output is no terminal the clocks say it themselves.
func (e *Env) Zone(w io.Writer, rows int, now time.Time) {
	if rows > 0 && e.Width != terminal.Unbounded {
		fmt.Fprintf(w, "Times are UTC%s.\n", now.Local().Format("-07:00"))
	}
}

// called runs with a client of the node.
func WithClient(do func(ctx context.Context, e *Env, c *client.Client, args []string) error) Runner {
	return func(ctx context.Context, e *Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		return do(ctx, e, c, args)
	}
}

// Done prints the end of a command that has no other tables.
func Done(e *Env, verb, id, format string, args ...any) error {
	return e.Print(map[string]string{verb: id}, func(w io.Writer) { fmt.Fprintf(w, format, args...) })
}
