package alertcmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/channels/signal"
	"almenara/node/cli/command"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

const (
	// watchPace is the least time between two drawings: faster than people read.
	watchPace = 250 * time.Millisecond
	// watchAgain is the time after which the alert is read without an event, and a
	// broken stream is opened again.
	watchAgain = 2 * time.Second
)

func alertWatch(fs *pflag.FlagSet) command.Runner {
	limit := fs.Duration("for", 0, "give up after this time; 0 watches until Ctrl-C")
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		if *limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, *limit)
			defer cancel()
		}
		w := &watcher{Env: e, client: c, id: args[0]}
		return w.run(ctx)
	}
}

// watcher follows one alert. One goroutine uses it; another only rings changed.
type watcher struct {
	*command.Env
	client *client.Client
	id     string
	drawn  int    // lines on the terminal to draw over
	last   string // what was drawn; empty before the first time
	lost   bool   // the node does not answer, and this was said
}

// run draws the alert on every change until it is proven or over.
func (w *watcher) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	changed, followed := signal.New(), make(chan struct{})
	go func() {
		defer close(followed)
		w.follow(ctx, changed)
	}()
	defer func() {
		cancel()
		<-followed
	}()
	for {
		a, err := w.client.ShowAlert(ctx, w.id)
		if ctx.Err() != nil {
			return fmt.Errorf("%w when watching ended", command.ErrNotProven)
		}
		if over, err := w.step(a, err); over {
			return err
		}
		pause(ctx, changed)
	}
}

// step shows one reading. A node that stops answering is a state, said once; one
// that never answered, or refuses, ends the watch.
func (w *watcher) step(a wire.Alert, err error) (over bool, _ error) {
	var refused *wire.Problem
	switch {
	case err == nil:
		w.lost = false
		if err := w.draw(a); err != nil {
			return true, err
		}
		return verdict(a)
	case w.last == "", errors.As(err, &refused) && refused.Kind != wire.KindBusy:
		return true, err
	case !w.lost:
		w.lost, w.drawn = true, 0
		w.Complain(fmt.Errorf("%s; watching goes on", w.Sentence(err))) //nolint:errorlint // a sentence for people
	}
	return false, nil
}

// follow sets changed for every event, and reopens the stream when it ends.
func (w *watcher) follow(ctx context.Context, changed signal.Signal) {
	for ctx.Err() == nil {
		_ = w.client.Events(ctx, w.id, changed.Set, func(wire.Event) { changed.Set() })
		select {
		case <-ctx.Done():
		case <-time.After(watchAgain):
		}
	}
}

// pause waits for a change, and never shorter than people can read.
func pause(ctx context.Context, changed <-chan struct{}) {
	pace := time.NewTimer(watchPace)
	defer pace.Stop()
	again := time.NewTimer(watchAgain)
	defer again.Stop()
	select {
	case <-changed:
	case <-again.C:
	case <-ctx.Done():
		return
	}
	select {
	case <-pace.C:
	case <-ctx.Done():
	}
}

// verdict says whether there is nothing more to wait for, and how it ended.
func verdict(a wire.Alert) (over bool, err error) {
	addressed := a.Rungs.Queued
	switch {
	case a.RoundedTo == 0 && addressed > 0 && a.Rungs.Presented >= addressed:
		return true, nil
	case a.State.Over():
		return true, fmt.Errorf("%w: the alert is %s, and %s of %s presented it", command.ErrNotProven, a.State,
			terminal.Thousands(a.Rungs.Presented), terminal.Thousands(addressed))
	}
	return false, nil
}

// draw shows the alert: over the last drawing on a terminal, as one line elsewhere,
// and only when something changed.
func (w *watcher) draw(a wire.Alert) error {
	var b strings.Builder
	switch {
	case w.JSON():
		if err := json.NewEncoder(&b).Encode(a); err != nil {
			return fmt.Errorf("encoding alert: %w", err)
		}
	case w.IsTTY:
		fmt.Fprintf(&b, "%s\n%s, %s\n\n", terminal.Truncate(terminal.Clean(tables.Labelled(a)), w.Width), a.State, terminal.Clean(replication(a.Replication, a.HeldBy, a.HeldOf)))
		rungTable(w.Env, &b, a)
		countNotes(&b, a.CountsFrom, a.RoundedTo)
	default:
		fmt.Fprintf(&b, "%s: %s presented, %s delivered, %s sent\n", terminal.Clean(string(a.State)), presentedOf(a),
			terminal.Thousands(a.Rungs.Delivered), terminal.Thousands(a.Rungs.Sent))
		countNotes(&b, a.CountsFrom, a.RoundedTo)
	}
	if b.String() == w.last {
		return nil
	}
	w.last = b.String()
	if w.IsTTY && w.drawn > 0 {
		fmt.Fprintf(w.Out, "\x1b[%dA\x1b[J", w.drawn) // up, and clear to the end
	}
	w.drawn = strings.Count(w.last, "\n")
	_, err := fmt.Fprint(w.Out, w.last)
	return command.Writing(err)
}
