//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// disk is a node's own disk, a process of scripts/lossyfs: it is slow, stalls, is full
// and loses power when told to.
type disk struct {
	mount  string
	socket string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has
}

// diskTime bounds one order to a disk.
const diskTime = 15 * time.Second

// newDisk mounts an empty disk at dir.
func newDisk(ctx context.Context, bin, dir string, seed uint64) (*disk, error) {
	d := &disk{mount: dir, socket: dir + ".disk.sock", ended: make(chan struct{})}
	log, err := os.Create(dir + ".disk.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	d.cmd = exec.Command(bin, "-mount", dir, "-store", dir+".disk", "-control", d.socket, "-seed", fmt.Sprint(seed), "-ordered")
	d.cmd.Stderr = log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a disk: %w", err)
	}
	ready := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err == nil && strings.TrimSpace(line) != "ready" {
			err = fmt.Errorf("it says %q", line)
		}
		ready <- err
		_ = d.cmd.Wait() // how it ended says nothing that the nodes do not
		close(d.ended)
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		said, _ := os.ReadFile(dir + ".disk.log")
		return nil, errors.Join(fmt.Errorf("mounting a disk: %w: %s", err, said), d.close())
	}
	return d, nil
}

// order gives the disk one command and waits until it is carried out.
func (d *disk) order(command string) error {
	conn, err := net.DialTimeout("unix", d.socket, diskTime)
	if err != nil {
		return fmt.Errorf("ordering a disk: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(diskTime)); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(conn, command); err != nil {
		return fmt.Errorf("ordering a disk: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("ordering a disk to %s: %w", command, err)
	}
	if !strings.HasPrefix(answer, "ok") {
		return fmt.Errorf("ordering a disk to %s: %s", command, strings.TrimSpace(answer))
	}
	return nil
}

// close saves what is on the disk beside it, unmounts it and waits for its process.
func (d *disk) close() error {
	select {
	case <-d.ended:
		return nil
	default:
	}
	err := d.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	timer := time.NewTimer(diskTime)
	defer timer.Stop()
	select {
	case <-d.ended:
		return err
	case <-timer.C:
		err = errors.Join(err, errors.New("a disk did not end when asked to"), d.cmd.Process.Kill())
		<-d.ended
		return err
	}
}

// hasDisks says why no disks can be had; nil when they can.
func hasDisks(bin string) error {
	if _, err := os.Stat(bin); err != nil {
		return err
	}
	fuse, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return fuse.Close()
}

// spool gives a node a disk of its own, under its data folder.
func (g *rig) spool(ctx context.Context, n *node) (err error) {
	if g.disks == "" {
		return nil
	}
	n.disk, err = newDisk(ctx, g.disks, n.dir, g.seed+uint64(n.number))
	return err
}
