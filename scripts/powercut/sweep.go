//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"almenara/scripts/lossyfs/disk"
	"almenara/scripts/lossyfs/mount"
)

// cut is one moment at which the power could have failed: what would be left, and what
// had been promised.
type cut struct {
	flush uint64 // the flush that it interrupted, or came after
	at    string
	acks  []ack
	disk  *disk.Disk
}

// sweep runs the workload once and keeps what a cut would leave at every flush, and
// between flushes after every acknowledgement.
type sweep struct {
	o       options
	dir     string // scratch
	disk    *disk.Disk
	root    *os.File // of the mount, for writeback
	ledger  ledger
	coin    *rand.Rand // for writeback
	flushes uint64

	mu   sync.Mutex // guards what follows
	r    *rand.Rand
	cuts []cut
}

// rotated is how many more outcomes a cut has where it left two memtables: few of them
// keep the newer one's log to its end and lose the older one's.
const rotated = 16

// record takes what a cut now would leave, once for each salt.
func (s *sweep) record(flush uint64, at string) {
	acks := s.ledger.sofar()
	s.mu.Lock()
	defer s.mu.Unlock()
	outcomes := s.o.salts
	if memtables(s.disk) > 1 {
		outcomes *= rotated
	}
	for range outcomes {
		s.cuts = append(s.cuts, cut{flush: flush, at: at, acks: acks, disk: s.disk.Crash(s.r.Uint64())})
	}
}

// run runs the workload to its end.
func (s *sweep) run() (err error) {
	at := filepath.Join(s.dir, "mnt")
	if err := os.Mkdir(at, 0o700); err != nil {
		return err
	}
	s.disk = disk.New(s.o.seed)
	s.disk.Ordered = !s.o.strict
	node, _, err := s.disk.Make(s.disk.Root(), "node", unix.S_IFDIR|0o700, "")
	if err := errors.Join(err, s.disk.Sync(s.disk.Root()), s.disk.Sync(node)); err != nil {
		return err
	}
	s.disk.Flushing = func(n uint64) { s.record(n, "at flush") }
	s.disk.Slow(s.o.lag)
	m, err := mount.Start(at, s.disk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()
	if s.root, err = os.Open(at); err != nil {
		return err
	}
	defer s.root.Close()
	err = s.work(at)
	s.flushes = s.disk.Flushes()
	return err
}

// work is the child and what it acknowledges. This process must not touch the mount
// otherwise.
func (s *sweep) work(at string) error {
	child := exec.Command("/proc/self/exe", "work", filepath.Join(at, "node"), filepath.Join(s.dir, "decided"),
		strconv.FormatUint(s.o.seed, 10), strconv.Itoa(s.o.steps), strconv.Itoa(s.o.imports))
	child.Stderr = os.Stderr
	out, err1 := child.StdoutPipe()
	in, err2 := child.StdinPipe()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a ack
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return errors.Join(fmt.Errorf("child said %q: %w", lines.Text(), err), child.Process.Kill(), child.Wait())
		}
		s.heard(a)
		if _, err := in.Write([]byte("\n")); err != nil {
			break // it ended; Wait says why
		}
	}
	if err := child.Wait(); err != nil {
		return fmt.Errorf("workload: %w", err)
	}
	return nil
}

// heard takes an ack. A third of the time, and always for a program that must be caught,
// the kernel then writes back what was only written to memory, which makes nothing durable.
func (s *sweep) heard(a ack) {
	s.ledger.add(a)
	if s.coin.IntN(3) == 0 || s.o.caught != "" {
		if err := unix.Syncfs(int(s.root.Fd())); err != nil {
			fmt.Fprintln(os.Stderr, "writing back:", err)
		}
	}
	s.record(s.disk.Flushes(), "after "+a.Kind)
}
