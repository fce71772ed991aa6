package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// errEnded is the cause where the program that is the device ends by itself.
var errEnded = errors.New("the program that is the device has ended; what it wrote is above")

// process is a device that a check runs itself: a shell and whatever it starts.
type process struct {
	folder    string                  // that it may keep, told as STATE
	enrolment string                  // file, told as ENROLMENT
	ended     context.CancelCauseFunc // called where it ends by itself
	cmd       *exec.Cmd
	done      chan struct{} // closed when it has ended
	killed    chan struct{} // closed before it is killed
}

// start runs the command line in a process group of its own.
func (p *process) start(line string) error {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = append(os.Environ(), "ENROLMENT="+p.enrolment, "STATE="+p.folder)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the device: %w", err)
	}
	done, killed := make(chan struct{}), make(chan struct{})
	p.cmd, p.done, p.killed = cmd, done, killed
	go func() {
		defer close(done)
		_ = cmd.Wait()
		select {
		case <-killed:
		default:
			p.ended(errEnded)
		}
	}()
	return nil
}

// kill ends the process group as a power cut would, and waits for it.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	close(p.killed)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	p.cmd = nil
}
