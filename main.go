// Almenara keeps the audiences and receipts of a district on small boxes and fans
// alerts out to its screens, speakers and phones. This file reads the command line's
// surroundings, wires the node into it and returns the exit code.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"

	"almenara/node/cli"
	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/engine"
)

// version is set by the release script; a plain build tells its commit instead.
var version string

func main() { os.Exit(run()) }

// run ends the command in order at the first signal; the second ends the process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return cli.Run(ctx, os.Args[1:], surroundings(), engine.New(versionText()))
}

// surroundings are the process's streams, terminal and environment.
func surroundings() command.IO {
	streams := command.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Width: terminal.Unbounded, Getenv: os.Getenv}
	streams.ErrTTY = term.IsTerminal(int(os.Stderr.Fd()))
	if out := int(os.Stdout.Fd()); term.IsTerminal(out) {
		streams.IsTTY = streams.ErrTTY
		streams.Width, _, _ = term.GetSize(out) // 0 where it is not known
	}
	return streams
}

// versionText is the release, or the commit that this was built from.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "commit " + setting.Value
		}
	}
	return info.Main.Version
}
