//go:build linux

// Command benchmark is the part of scripts/bench that a shell cannot do. Without a
// role it is the driver: it runs Almenara, mosquitto and a floor of bare writes side
// by side, each server a process of its own and each with a fleet of devices in
// another, and prints what they cost as ratios. The roles are those processes; they
// take orders on standard input and end with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// roles are what this program can be besides the driver.
var roles = map[string]func(args []string) error{
	"awake":     awakeRole,
	"fleet":     fleetRole,
	"floor":     floorRole,
	"gateway":   gatewayRole,
	"node":      nodeRole,
	"strangers": strangersRole,
}

func main() {
	err := run(os.Args[1:])
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		if role, ok := roles[args[0]]; ok {
			return role(args[1:])
		}
	}
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = drive(ctx, o)
	if ctx.Err() != nil {
		return fmt.Errorf("stopped: %w (raw output so far in %s)", context.Cause(ctx), o.out)
	}
	return err
}
