//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"

	"almenara/node/cli"
	"almenara/node/cli/command"
	"almenara/node/engine"
)

// aheadVariable names the environment variable that says how far the node's time of day is
// ahead, a duration such as 48h: what was sent before it was started is as old then.
const aheadVariable = "ALMENARA_AHEAD"

// nodeRole is Almenara's own command line with two additions: aheadVariable, and SIGUSR1 begins
// profiles in the file that ALMENARA_PROFILE names and beside it, SIGUSR2 ends them. Only profiles
// use it; what is measured is the program as it is shipped.
func nodeRole(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	begin, end := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(begin, syscall.SIGUSR1)
	signal.Notify(end, syscall.SIGUSR2)
	go func() { // ends with the process
		for {
			select {
			case <-begin:
				if err := startProfile(os.Getenv("ALMENARA_PROFILE")); err != nil {
					fmt.Fprintln(os.Stderr, "starting the profile:", err)
				}
			case <-end:
				pprof.StopCPUProfile()
			}
		}
	}()
	io := command.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
	var options []engine.Option
	if text := os.Getenv(aheadVariable); text != "" {
		ahead, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s: %w", aheadVariable, err)
		}
		options = append(options, engine.WithClock(func() time.Time { return time.Now().Add(ahead) }))
	}
	if code := cli.Run(ctx, args, io, engine.New("benchmark", options...)); code != 0 {
		return fmt.Errorf("exit code %d", code)
	}
	return nil
}
