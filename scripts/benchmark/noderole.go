//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"almenara/node/cli"
	"almenara/node/engine"
)

// nodeRole is Almenara's own command line with one addition: SIGUSR1 begins
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
	io := cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
	if code := cli.Run(ctx, args, io, engine.New("benchmark")); code != 0 {
		return fmt.Errorf("exit code %d", code)
	}
	return nil
}
