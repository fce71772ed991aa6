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
type Caller struct{ o CallerOptions }

// NewCaller makes one.
func NewCaller(o CallerOptions) *Caller { return &Caller{o} }

// Do calls the groups whose time has come. An error of one alert keeps no other from it.
func (c *Caller) Do(ctx context.Context) (all error) {
	now := c.o.Clock()
	for _, l := range c.o.Book.At(now).InForce {
		if l.Message.Escalation() == nil {
			continue
		}
		if err := c.call(ctx, l, now); err != nil {
			all = errors.Join(all, fmt.Errorf("calling the next group of alert %s: %w", l.ID, err))
		}
		if ctx.Err() != nil {
			return all // it is another node's now
		}
	}
	return all
}

// call calls the next group of one alert, if it is time.
func (c *Caller) call(ctx context.Context, l alerts.Live, now time.Time) error {
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
	if err != nil || next == 0 || now.Before(is.Next) {
		return err
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
