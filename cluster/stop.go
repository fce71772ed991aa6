package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Bounds of the steps of Stop, within the caller's context.
const (
	transferTimeout = 2 * time.Second
	drainTimeout    = 2 * time.Second
	shutdownTimeout = 5 * time.Second
)

// Stop leaves in order: no new proposals, leadership handed over, the port closed
// with all its connections (raft's shutdown would wait for reads that have no
// deadline), raft, the log. Every step is bounded, by ctx and by seconds of its
// own, the end of raft by the latter only; their errors are joined. The log stays
// open when raft does not end in time.
// Stop may be called again, and then does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	c.stopMu.Lock()
	defer c.stopMu.Unlock()
	if c.stopped {
		return nil
	}
	c.stopped = true
	c.handOver(ctx)
	return c.closeAll(ctx)
}

func (c *Cluster) handOver(ctx context.Context) {
	c.stopping.Store(true)
	if c.raft.State() != raft.Leader || c.voters() < 2 {
		return
	}
	if err := c.transfer(ctx); err != nil { // the others elect one without us, only later
		c.options.Logger.Warn("handing over leadership", "error", err)
	}
}

// transfer hands leadership over. Raft gives one attempt an election timeout, which a
// busy machine can miss, so it is tried again for 2 s in all.
func (c *Cluster) transfer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	for {
		err := await(ctx, func() error { return c.raft.LeadershipTransfer().Error() })
		if err == nil || c.raft.State() != raft.Leader {
			return nil
		}
		if !waitFor(ctx, nil, retryPause) {
			return err
		}
	}
}

func (c *Cluster) voters() int {
	n := 0
	for _, s := range c.servers() {
		if s.Suffrage == raft.Voter {
			n++
		}
	}
	return n
}

// await returns when f does or ctx ends; f must end by itself.
func await(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// closeAll takes down whatever Start has built so far.
func (c *Cluster) closeAll(ctx context.Context) error {
	c.stopping.Store(true)
	errs := []error{c.drain(ctx)}
	c.cancel()
	errs = append(errs, c.closePort(ctx))
	c.wg.Wait()
	if err := c.closeRaft(ctx); err != nil {
		return errors.Join(append(errs, err)...)
	}
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	return errors.Join(errs...)
}

// drain waits for the futures that raft still owes; raft must be running for it.
func (c *Cluster) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return c.proposals.shutAndWait(ctx)
}

func (c *Cluster) closePort(ctx context.Context) error {
	if c.port == nil {
		return nil
	}
	err := c.port.close()
	if c.raft == nil { // the servers never ran
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err = errors.Join(err, c.rpc.stop(ctx), c.handover.stop(ctx), c.join.Close())
	<-c.joined
	return err
}

func (c *Cluster) closeRaft(ctx context.Context) error {
	if c.raft == nil {
		if c.trans != nil {
			return c.trans.Close()
		}
		return nil
	}
	// Also when ctx has ended: a log that stays open keeps this process from starting
	// the node again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	stop := make(chan struct{})
	var draining sync.WaitGroup
	draining.Go(func() { c.drainSignals(stop) }) // raft blocks on its signals to the end
	err := await(ctx, c.shutdown)
	close(stop)
	draining.Wait()
	if err != nil {
		return fmt.Errorf("ending raft: %w", err)
	}
	return c.trans.Close()
}

func (c *Cluster) drainSignals(stop <-chan struct{}) {
	for {
		select {
		case <-c.notify:
		case <-c.observed:
		case <-stop:
			return
		}
	}
}
