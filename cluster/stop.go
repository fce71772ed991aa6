package cluster

import (
	"almenara/cluster/group"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Bounds of the steps of Stop, within the caller's context.
const (
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
	c.proposals.Stop()
	c.HandLeadershipOver(ctx)
	return c.closeAll(ctx)
}

// HandLeadershipOver gives leadership to another node, when this one leads and there is
// another that votes. Everything goes on otherwise; it takes 2 s at most. Where nobody takes it, that is logged. Stop
// does so too, but whoever has more to stop begins with this.
func (c *Cluster) HandLeadershipOver(ctx context.Context) {
	if c.group.Raft.State() != raft.Leader || c.group.Voters() < 2 {
		return
	}
	if err := c.group.Transfer(ctx); err != nil { // the others elect one without us, only later
		c.options.Logger.Warn("handing over leadership", "error", err)
	}
}

// closeAll takes down whatever Start has built so far.
func (c *Cluster) closeAll(ctx context.Context) error {
	c.proposals.Stop()
	errs := []error{c.proposals.Drain(ctx)}
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

func (c *Cluster) closePort(ctx context.Context) error {
	if c.port == nil {
		return nil
	}
	err := c.port.Close()
	if c.group.Raft == nil { // the servers never ran
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err = errors.Join(err, c.rpc.Stop(ctx), c.handover.Stop(ctx), c.join.Close())
	<-c.joined
	return err
}

func (c *Cluster) closeRaft(ctx context.Context) error {
	if c.group.Raft == nil {
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
	draining.Go(func() { c.proposals.DrainSignals(stop) }) // raft blocks on its signals to the end
	err := group.Await(ctx, c.group.Shutdown)
	close(stop)
	draining.Wait()
	if err != nil {
		return fmt.Errorf("ending raft: %w", err)
	}
	return c.trans.Close()
}
