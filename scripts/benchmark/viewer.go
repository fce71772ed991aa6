//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
)

// viewer lists without end, as two browsers that ask again at once.
type viewer struct {
	client *client.Client
	cancel context.CancelFunc
	group  sync.WaitGroup
	lists  atomic.Int64
	wrong  atomic.Pointer[error]
}

func (v *viewer) begin(ctx context.Context, node *almenara) error {
	made, err := node.client.AddUser(ctx, wire.AddUser{Name: fmt.Sprint("viewer-", stamp()), Roles: []string{"viewer"}})
	if err != nil {
		return fmt.Errorf("adding a viewer: %w", err)
	}
	if v.client, err = client.New(client.Config{URL: node.url, Token: made.Token, Timeout: time.Minute}); err != nil {
		return err
	}
	ctx, v.cancel = context.WithCancel(ctx)
	for range 2 {
		v.group.Go(func() {
			for ctx.Err() == nil {
				_, _, err := v.client.ListAlerts(ctx, wire.AlertQuery{Limit: 100})
				var p *wire.Problem
				switch {
				case err == nil:
					v.lists.Add(1)
				case errors.As(err, &p) && p.RetryAfter > 0:
					_ = pause(ctx, 10*time.Millisecond)
				case ctx.Err() == nil:
					v.wrong.Store(&err)
					return
				}
			}
		})
	}
	return nil
}

// end says how many lists there were.
func (v *viewer) end() (lists int, err error) {
	v.cancel()
	v.group.Wait()
	v.client.Close()
	if wrong := v.wrong.Load(); wrong != nil {
		err = fmt.Errorf("listing: %w", *wrong)
	}
	return int(v.lists.Load()), err
}
