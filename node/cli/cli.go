// Package cli is the command line. Everything it does with a district goes over
// the HTTP API; what needs a node in this process goes through Engine.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/client"
)

// The exit codes.
const (
	ExitDone    = 0 // it was done, all of it
	ExitFailed  = 1 // refused or failed: it was not done
	ExitUsage   = 2 // the command line makes no sense
	ExitUnknown = 3 // it is not known whether it was done, or not all was proven
)

// IO is what surrounds the program.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	IsTTY    bool                // Out is a terminal: draw over what was drawn
	Width    int                 // columns of the terminal; 0 is 80
	Getenv   func(string) string // nil is an empty environment
}

// Run runs one command and returns the exit code. It ends soon after ctx does.
func Run(ctx context.Context, args []string, streams IO, engine Engine) int {
	if streams.Width <= 0 {
		streams.Width = 80
	}
	if streams.Getenv == nil {
		streams.Getenv = func(string) string { return "" }
	}
	e := &env{IO: streams, engine: engine}
	return e.exit(e.run(ctx, args))
}

// env is what a running command has at hand.
type env struct {
	IO
	engine Engine
	global globals
}

// globals are the flags of every command.
type globals struct {
	api, token, data, ca string
	json, help           bool
}

// register adds the global flags; what is set already is the default.
func (g *globals) register(fs *pflag.FlagSet) {
	fs.StringVar(&g.api, "api", g.api, "address of a node (or ALMENARA_API)")
	fs.StringVar(&g.token, "token", g.token, "bearer token (or ALMENARA_TOKEN, or operator.token in the data folder)")
	fs.StringVar(&g.data, "data", g.data, "data folder of the node on this machine (or ALMENARA_DATA)")
	fs.StringVar(&g.ca, "ca", g.ca, "PEM file that the node's certificate is checked with (or ALMENARA_CA)")
	fs.BoolVar(&g.json, "json", g.json, "write JSON, for programs")
	fs.BoolVarP(&g.help, "help", "h", g.help, "say how this is used")
}

// or is the first text that is not empty.
func or(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func (e *env) run(ctx context.Context, args []string) error {
	e.global = globals{
		api: or(e.Getenv("ALMENARA_API"), "http://127.0.0.1:8480"), data: or(e.Getenv("ALMENARA_DATA"), "almenara-data"),
		ca: e.Getenv("ALMENARA_CA"),
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
	cmd, rest, err := find(root.Args())
	if err != nil {
		return err
	}
	return e.start(ctx, cmd, rest)
}

// start parses the flags of one command and runs it.
func (e *env) start(ctx context.Context, cmd *command, args []string) error {
	fs, run := cmd.flags(&e.global)
	if err := fs.Parse(args); err != nil {
		return flagError(fs, "almenara "+cmd.name, err)
	}
	if e.global.help {
		e.help(cmd)
		return nil
	}
	if n := fs.NArg(); n < cmd.min || (cmd.max >= 0 && n > cmd.max) {
		return usagef("almenara %s takes %s; see almenara %s --help", cmd.name, or(cmd.args, "no argument"), cmd.name)
	}
	e.IsTTY = e.IsTTY && !e.global.json
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

// client makes the API's client from the global flags.
func (e *env) client() (*client.Client, error) {
	token, err := e.tokenText()
	if err != nil {
		return nil, err
	}
	config := client.Config{URL: e.global.api, Token: token}
	if e.global.ca != "" {
		if config.CA, err = e.readFile(e.global.ca); err != nil {
			return nil, err
		}
	}
	c, err := client.New(config)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// print writes v as JSON where JSON is wanted, and else lets people read it.
func (e *env) print(v any, people func(w io.Writer)) error {
	if !e.global.json {
		var b strings.Builder
		people(&b)
		_, err := io.WriteString(e.Out, b.String())
		return writing(err)
	}
	enc := json.NewEncoder(e.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return writing(enc.Encode(v))
}

func writing(err error) error {
	if err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}

// errSilentUsage is a usage error whose text was printed already.
var errSilentUsage = errors.New("usage")
