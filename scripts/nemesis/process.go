//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// exitHalt is what a node ends with when going on would be wrong; whoever runs it
// starts it again.
const exitHalt = 75

// exitRemoved is what a node ends with when it learns that it was removed.
const exitRemoved = 1

// againAfter is how long a node that ended by itself stays down.
const againAfter = time.Second

// process runs one node and, as a service manager would, starts it again when it
// ends by itself. Safe for concurrent use.
type process struct {
	bin   string
	args  []string
	env   []string                         // besides what this process has
	log   string                           // file that takes both streams
	house *house                           // nil: this process's own namespace
	told  func(code int, err error)        // hears of every end that was not ordered
	note  func(format string, args ...any) // what is worth a line

	mu      sync.Mutex
	cmd     *exec.Cmd
	done    chan struct{} // closed when cmd has ended
	ordered bool          // the end is wanted
	closed  bool
	held    bool          // it must not run now
	retired bool          // it is not started again when it ends by itself
	closing chan struct{} // closed with closed
	again   sync.WaitGroup
}

// start starts the process; nothing when it runs.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil || p.closed || p.held {
		return nil
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening log: %w", err)
	}
	defer out.Close()
	limited := fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, nodeDescriptors)
	cmd := exec.Command("/bin/sh", append([]string{"-c", limited, p.bin}, p.args...)...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no node outlives the nemesis
	if err := p.house.start(cmd); err != nil {
		return fmt.Errorf("starting node: %w", err)
	}
	p.cmd, p.done, p.ordered = cmd, make(chan struct{}), false
	p.again.Add(1)
	go p.await(cmd, p.done)
	return nil
}

// await learns how the process ended, and starts it again where nobody wanted that.
func (p *process) await(cmd *exec.Cmd, done chan struct{}) {
	defer p.again.Done()
	err := cmd.Wait()
	p.mu.Lock()
	p.cmd = nil
	unwanted, retired := !p.ordered, p.retired
	close(done)
	p.mu.Unlock()
	if !unwanted {
		return
	}
	p.told(cmd.ProcessState.ExitCode(), err)
	if retired {
		return
	}
	pause := time.NewTimer(againAfter)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-p.closing:
		return
	}
	if err := p.start(); err != nil {
		p.note("not started again: %v", err)
	}
}

// pid is the process id; 0 while it does not run.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// signal sends one; last says that it is meant to end the process.
func (p *process) signal(s syscall.Signal, last bool) (done <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		ended := make(chan struct{})
		close(ended)
		return ended, nil
	}
	p.ordered = p.ordered || last
	return p.done, p.cmd.Process.Signal(s)
}

func (p *process) freeze() error { _, err := p.signal(syscall.SIGSTOP, false); return err }

func (p *process) thaw() error { _, err := p.signal(syscall.SIGCONT, false); return err }

// kill ends the process as a power cut would, short of the disk's own cache, and
// waits for it.
func (p *process) kill() error {
	done, err := p.signal(syscall.SIGKILL, true)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-done
	return nil
}

var errSlowStop = errors.New("a planned stop took too long")

// stop asks the process to end and waits; after limit it is killed, and errSlowStop
// returned.
func (p *process) stop(limit time.Duration) error {
	done, err := p.signal(syscall.SIGTERM, true)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return errors.Join(errSlowStop, p.kill())
	}
}

// hold makes every end an ordered one and every start nothing, until let.
func (p *process) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held, p.ordered = true, true
}

func (p *process) let() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = false
}

// retire says that the process is not to be started again when it ends by itself.
func (p *process) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
}

// ends reports whether the process ends by itself within limit.
func (p *process) ends(limit time.Duration) bool {
	p.mu.Lock()
	running, done := p.cmd != nil, p.done
	p.mu.Unlock()
	if !running {
		return true
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// close ends the process for good and waits for everything that belongs to it.
func (p *process) close(limit time.Duration) error {
	p.mu.Lock()
	if !p.closed {
		close(p.closing)
	}
	p.closed = true
	p.mu.Unlock()
	err := errors.Join(p.thaw(), p.stop(limit))
	p.again.Wait()
	return err
}
