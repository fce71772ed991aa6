package escalation

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// CallerOptions say what a Caller needs. None may be nil.
type CallerOptions struct {
	Book      *alerts.Book
	Stories   *stories.Finder
	Addressed *addressed.Resolver
	Reached   *reached.Known
	Reader    *Reader
	Record    func(ctx context.Context, u factbody.FollowUp) error // makes a follow-up fact; durable here when it returns
	Clock     func() time.Time
}

// Caller calls groups. It is a duty of one node, and of each that is without a majority (duties.AtOne).
type Caller struct {
	o    CallerOptions
	seen map[step]time.Time // when Do first saw an alert at that step
}

// step is that a message waits for its group to be called.
type step struct {
	fact  string
	group int
}

// NewCaller makes one.
func NewCaller(o CallerOptions) *Caller { return &Caller{o: o} }

// Do calls the groups whose time has come. An error of one alert keeps no other from it. It is called by one goroutine.
func (c *Caller) Do(ctx context.Context) (all error) {
	now, before := c.o.Clock(), c.seen
	c.seen = map[step]time.Time{}
	for _, l := range c.o.Book.At(now).InForce {
		if l.Message.Escalation() == nil {
			continue
		}
		if err := c.call(ctx, l, now, before); err != nil {
			all = errors.Join(all, fmt.Errorf("calling the next group of alert %s: %w", l.ID, err))
		}
		if ctx.Err() != nil {
			return all // it is another node's now
		}
	}
	return all
}

// call calls the next group of one alert, if it is time.
func (c *Caller) call(ctx context.Context, l alerts.Live, now time.Time, before map[step]time.Time) error {
	s, err := c.o.Stories.Of(l.ID)
	if err != nil {
		return err
	}
	m := s.Current()
	if m == nil || c.o.Stories.State(s) != wire.StateInForce {
		return nil
	}
	who, err := c.o.Addressed.Of(s, m)
	if err != nil {
		return err
	}
	view, err := c.o.Reached.Now()
	if err != nil {
		return err
	}
	is, next, err := c.o.Reader.Of(s, m, who.Entitled(), view)
	if err != nil || next == 0 {
		return err
	}
	at := step{m.Fact, next}
	c.seen[at] = now
	if since, known := before[at]; known {
		c.seen[at] = since
	}
	// The clock of the node that took the alert may have been ahead by hours: nobody waits longer than the
	// message says, as of when it was seen here.
	if now.Before(alert.Earlier(is.Next, c.seen[at].Add(time.Duration(is.Minutes)*time.Minute))) {
		return nil
	}
	fact, err := hex.DecodeString(m.Fact)
	if err != nil {
		return fmt.Errorf("reading the id of a fact: %w", err)
	}
	if ctx.Err() != nil {
		return nil
	}
	return c.o.Record(ctx, factbody.FollowUp{
		Alert: string(s.ID), Revision: uint64(m.Entry.Revision), What: factbody.Call, By: m.Entry.Author, At: now.UnixMilli(),
		Fact: fact, Group: uint32(next), Answered: uint32(is.Answered),
	})
}
