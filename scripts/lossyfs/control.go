//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// control answers commands on a socket.
type control struct {
	box      *box
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	done  chan struct{}
}

func listen(path string, b *box) (*control, error) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	c := &control{box: b, listener: l, conns: map[net.Conn]struct{}{}, done: make(chan struct{})}
	c.wg.Go(c.accept)
	return c, nil
}

func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.conns[conn] = struct{}{}
		c.mu.Unlock()
		c.wg.Go(func() { c.serve(conn) })
	}
}

func (c *control) stop() error {
	err := c.listener.Close()
	close(c.done)
	c.mu.Lock()
	for conn := range c.conns {
		_ = conn.SetReadDeadline(time.Unix(0, 1)) // an answer under way still goes out
	}
	c.mu.Unlock()
	c.wg.Wait()
	return err
}

func (c *control) serve(conn net.Conn) {
	defer func() {
		c.mu.Lock()
		delete(c.conns, conn)
		c.mu.Unlock()
		_ = conn.Close()
	}()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		answer, err := c.do(strings.Fields(lines.Text()))
		line := strings.TrimSpace("ok " + answer)
		if err != nil {
			line = "error " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		if _, err := fmt.Fprintln(conn, line); err != nil {
			return
		}
	}
}

var errUsage = errors.New("no such command, or not so many words: see the package comment of lossyfs")

// do carries out one command.
func (c *control) do(words []string) (string, error) {
	d := c.box.now()
	switch strings.Join(words[:min(len(words), 1)], "") + "/" + strconv.Itoa(len(words)) {
	case "cut/1":
		d.Cut()
	case "wait/1":
		return "", c.wait(d.Dark())
	case "remount/1":
		return "", c.box.remount()
	case "writeback/1":
		return "", c.box.writeback()
	case "stall/1":
		d.Stall()
	case "release/1":
		d.Release()
	case "stat/1":
		return c.stat()
	case "save/1":
		return "", c.box.save()
	case "quit/1":
		c.box.end()
	default:
		return "", c.with(words)
	}
	return "", nil
}

// with carries out one command that has arguments.
func (c *control) with(words []string) error {
	d := c.box.now()
	if len(words) < 2 {
		return errUsage
	}
	var err error
	switch arg := words[len(words)-1]; {
	case words[0] == "cut" && len(words) == 3 && words[1] == "at":
		var n uint64
		if n, err = strconv.ParseUint(arg, 10, 63); err == nil {
			if n > 0 {
				n += d.Flushes()
			}
			d.CutAt(n)
		}
	case words[0] == "slow":
		var by time.Duration
		if by, err = time.ParseDuration(arg); err == nil {
			d.Slow(by)
		}
	case words[0] == "fail":
		d.Fail(arg == "on")
	case words[0] == "full" && arg == "off":
		d.Free(-1)
	case words[0] == "full":
		var bytes uint64
		if bytes, err = strconv.ParseUint(arg, 10, 62); err == nil {
			d.Free(int64(bytes))
		}
	case words[0] == "image":
		return c.image(words[1:])
	default:
		return errUsage
	}
	return err
}

func (c *control) image(words []string) (err error) {
	var salt uint64
	if len(words) > 1 {
		if salt, err = strconv.ParseUint(words[1], 10, 64); err != nil {
			return err
		}
	}
	return c.box.now().Crash(salt).Export(words[0])
}

func (c *control) wait(dark <-chan struct{}) error {
	select {
	case <-dark:
		return nil
	case <-c.done:
		return errors.New("lossyfs ends")
	}
}

func (c *control) stat() (string, error) {
	d := c.box.now()
	total, used, err := d.Space()
	power := "on"
	if err != nil {
		power = "off"
	}
	return fmt.Sprintf("power=%s flushes=%d used=%d total=%d", power, d.Flushes(), used, total), nil
}
