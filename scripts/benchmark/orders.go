//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// order is what the driver tells a role; which fields count depends on Do.
type order struct {
	Do       string
	Count    int
	QoS      byte
	Size     int    // bytes of each body
	Members  int    // the first so many devices only; 0 is all
	Alert    string // id
	Revision uint64
	Path     string // file
}

// reply is what the role answers.
type reply struct {
	Error     string
	Addr, TLS string // addresses that are served
	At        int64  // stamp
	First     int64  // stamp
	Count     int
	Min, Max  int
	Payload   int // bytes of the largest body

	P50, P99, Longest int64 // waits in a storm, in nanoseconds
	Resumed           int
}

// obey answers orders until standard input ends. ready is the first answer.
func obey(ready reply, handle func(order) (reply, error)) error {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	if err := out.Encode(ready); err != nil {
		return err
	}
	for {
		var o order
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading an order: %w", err)
		}
		r, err := handle(o)
		if err != nil {
			r.Error = err.Error()
		}
		if err := out.Encode(r); err != nil {
			return err
		}
	}
}

// child is a process of this benchmark. What it writes to standard error goes into a
// file of the output folder. It is killed when the context ends that it was started
// with.
type child struct {
	cmd    *exec.Cmd
	log    *os.File
	in     io.WriteCloser // nil: it takes no orders
	out    *json.Decoder
	exited chan struct{}
	why    error // why it ended, once exited is closed
}

// spawn starts a program whose output goes to a log.
func spawn(ctx context.Context, log, program string, args ...string) (*child, error) {
	c, err := prepare(ctx, log, program, args...)
	if err != nil {
		return nil, err
	}
	c.cmd.Stdout = c.log
	return c, c.launch()
}

// spawnRole starts this program in a role and returns its first answer.
func spawnRole(ctx context.Context, log string, args ...string) (*child, reply, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, reply{}, err
	}
	c, err := prepare(ctx, log, self, args...)
	if err != nil {
		return nil, reply{}, err
	}
	read, write, err := os.Pipe() // not StdoutPipe, which Wait would close too early
	if err != nil {
		return nil, reply{}, err
	}
	c.cmd.Stdout = write
	c.out = json.NewDecoder(bufio.NewReader(read))
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, reply{}, err
	}
	err = c.launch()
	write.Close()
	if err != nil {
		return nil, reply{}, err
	}
	first, err := c.hear()
	if err != nil {
		c.stop()
		return nil, reply{}, err
	}
	return c, first, nil
}

func prepare(ctx context.Context, log, program string, args ...string) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, program, args...), exited: make(chan struct{})}
	var err error
	if c.log, err = os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return nil, err
	}
	c.cmd.Stderr = c.log
	// A group of its own: the driver ends it in order when a terminal says stop. And
	// no process outlives the driver.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return c, nil
}

func (c *child) launch() error {
	if err := c.cmd.Start(); err != nil {
		c.log.Close()
		return fmt.Errorf("starting %s: %w", c.cmd.Path, err)
	}
	go func() {
		c.why = c.cmd.Wait()
		c.log.Close()
		close(c.exited)
	}()
	return nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// ask gives an order and returns the answer.
func (c *child) ask(o order) (reply, error) {
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		return reply{}, fmt.Errorf("telling %s to %s: %w (see %s)", c.cmd.Args[1], o.Do, err, c.log.Name())
	}
	r, err := c.hear()
	if err != nil {
		return r, fmt.Errorf("%s: %w", o.Do, err)
	}
	return r, nil
}

func (c *child) hear() (reply, error) {
	var r reply
	if err := c.out.Decode(&r); err != nil {
		return r, fmt.Errorf("hearing from %s: %w (see %s)", c.cmd.Args[1], err, c.log.Name())
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", c.cmd.Args[1], r.Error)
	}
	return r, nil
}

// alive says whether the process still runs.
func (c *child) alive() error {
	select {
	case <-c.exited:
		return fmt.Errorf("%s ended: %v (see %s)", c.cmd.Path, c.why, c.log.Name())
	default:
		return nil
	}
}

// stop ends the process and waits for it. A nil child is stopped.
func (c *child) stop() {
	if c == nil {
		return
	}
	if c.in != nil {
		c.in.Close()
	} else {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	select {
	case <-c.exited:
	case <-ctx.Done():
		_ = c.cmd.Process.Kill()
		<-c.exited
	}
}
