//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"almenara/node/wire"
)

// The variants of a district of three nodes, all of whose devices are on one.
const (
	threeNodes = "3 nodes"
	twoDead    = "2 of 3 dead"
)

// districtTime bounds the making of a district: a node must keep up for ten seconds before it may vote.
const districtTime = 90 * time.Second

// grow lets two more nodes join, and waits until all three may vote.
func (a *almenara) grow(ctx context.Context) error {
	for _, name := range []string{"n2", "n3"} {
		if err := a.join(ctx, name); err != nil {
			return fmt.Errorf("joining %s: %w", name, err)
		}
	}
	for end := time.Now().Add(districtTime); ; {
		st, err := a.client.Status(ctx, false)
		voters := 0
		for _, n := range st.Nodes {
			if n.Voter {
				voters++
			}
		}
		switch {
		case err == nil && voters == 3:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%d of 3 nodes may vote after %v: %w", voters, districtTime, errors.Join(err, errRestless))
		}
		if err := errors.Join(a.alive(), pause(ctx, 100*time.Millisecond)); err != nil {
			return err
		}
	}
}

func (a *almenara) join(ctx context.Context, name string) error {
	at, err := freeAddresses(5)
	if err != nil {
		return err
	}
	invited, err := a.client.Invite(ctx, wire.Invite{})
	if err != nil {
		return err
	}
	data := filepath.Join(a.setup.dir, name)
	c, err := spawn(ctx, filepath.Join(a.setup.dir, name+"-join.log"), a.setup.program, "join", "--data", data, "--name", name,
		"--internode", at[0], "--listen", at[1], "--mqtt", at[2], "--mqtt-tls", at[3], "--mqtt-ws", at[4], invited.Token)
	if err != nil {
		return err
	}
	<-c.exited
	if c.why != nil {
		return fmt.Errorf("almenara join: %w (see %s)", c.why, c.log.Name())
	}
	other, err := a.run(ctx, filepath.Join(a.setup.dir, name+".log"), "serve", "--data", data)
	if err == nil {
		a.others = append(a.others, other)
	}
	return err
}

// lose kills the two others, as a power cut does, and waits until the node knows that it is alone.
func (a *almenara) lose(ctx context.Context) error {
	for _, other := range a.others {
		if err := other.cmd.Process.Signal(syscall.SIGKILL); err != nil {
			return err
		}
		<-other.exited
	}
	a.alone = true
	for end := time.Now().Add(awaitTime); ; {
		st, err := a.client.Status(ctx, false)
		switch {
		case err == nil && !st.Quorum:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("the node does not know that it is alone: %w", errors.Join(err, errRestless))
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// district measures three nodes, receipts that a majority commits, and the one that is left when the others lose power.
func (c *cell) district(ctx context.Context, units []*unit) error {
	for _, u := range units {
		node, ok := u.sys.(*almenara)
		if !ok {
			continue
		}
		for n := range c.runs {
			if err := c.series(ctx, u, n, 1); err != nil {
				return err
			}
			s, err := u.receipts(ctx, node)
			if err := c.keep(s, err, u, receipts+", "+threeNodes, n); err != nil {
				return err
			}
		}
		if err := node.lose(ctx); err != nil {
			return err
		}
		c.variant = twoDead
		for n := range c.runs {
			if err := c.series(ctx, u, n, 1); err != nil {
				return err
			}
		}
		c.variant = threeNodes
	}
	return nil
}
