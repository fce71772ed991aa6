//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"almenara/node/wire"
)

const (
	stalledFor = 13 * time.Second // a node's watchdog gives its disk 10
	endsWithin = 3 * time.Second  // when the disk lets go

	// exitHalt is what a node ends with that must be started again.
	exitHalt = 75
)

// stallDrill leaves one node of a district alone and stalls its disk: a cancel
// then waits for the journal, which is all that it writes. It must end, and warn again
// when it is started on a disk that works.
func stallDrill(o options) error {
	return onDisk(o, func(ctx context.Context, d *district) error {
		if err := d.found(ctx, 3); err != nil {
			return err
		}
		t, err := newTraffic(ctx, d)
		if err != nil {
			return err
		}
		alone := d.members[0]
		sent, err := t.send(ctx, alone, t.next())
		if err != nil {
			return err
		}
		for _, m := range d.members[1:] {
			end(m)
		}
		if err := d.until(ctx, "n1 is alone", isAlone(alone)); err != nil {
			return err
		}
		ask := func() { _, _ = alone.client.CancelAlert(ctx, sent.Alert, wire.CancelAlert{Reason: "over"}, "local") }
		if err := endsByItself(d, alone, ask); err != nil {
			return err
		}
		t.unsure[sent.Alert] = true
		if err := d.again(ctx, 0); err != nil {
			return err
		}
		fmt.Println("a node without its peers ended when its disk had stalled, and is whole again")
		return t.check(ctx)
	})
}

// end kills one node.
func end(m *member) {
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
	m.process = nil
}

func isAlone(m *member) func(context.Context) error {
	return func(ctx context.Context) error {
		s, err := m.client.Status(ctx, false)
		if err == nil && !s.Alone {
			err = errors.New("it is not")
		}
		return err
	}
}

// endsByItself stalls the disk under what is asked of the node, and sees the process end
// with the code that says that it must be started again.
func endsByItself(d *district, m *member, ask func()) error {
	ended := make(chan struct{})
	go func() { defer close(ended); _ = m.process.Wait() }()
	d.disk.Stall()
	go ask() // nobody will answer
	time.Sleep(stalledFor)
	d.disk.Release() // a process cannot end while a thread of it waits for a disk
	late := time.NewTimer(endsWithin)
	defer late.Stop()
	select {
	case <-late.C:
		return fmt.Errorf("its disk stalled for %v, and it goes on", stalledFor)
	case <-ended:
	}
	code := m.process.ProcessState.ExitCode()
	m.process = nil
	if code != exitHalt {
		return fmt.Errorf("it ended with code %d", code)
	}
	return nil
}
