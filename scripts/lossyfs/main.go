//go:build linux

// Lossyfs mounts a disk that forgets what was not synced, and breaks on demand: for
// tests of what a power cut, a slow, stalled or full disk does to a node whose data
// folder is on it.
//
//	lossyfs -mount DIR -store DIR -seed N -control SOCKET [-ordered]
//
// The mount is there, and the control socket answers, once the process has printed
// "ready" on its standard output. What is on the disk is kept in memory, in pages of 4 KiB that were written; it
// is read from the store, plain files, at the start and written there by save and at the
// end (SIGTERM, SIGINT, quit), which is an orderly one: everything stays. Package disk says
// what a power cut leaves.
//
// Needs root and /dev/fuse. Give each disk a process; nodes that are to lose power at
// the same moment are folders of one disk.
//
// # Control
//
// A Unix socket; one command a line, one line of answer, "ok …" or "error …", in order.
// Any number of connections.
//
//	cut              the power fails now: what was not synced is lost as the seed says, all
//	                 calls answer EIO. Kill the node's processes then, as the cut would.
//	cut at N         at the Nth flush from now. 0 takes it back.
//	wait             answers when the power has failed.
//	remount          the power is back: mounts what the cut left. Without a cut before it, it cuts.
//	                 Faults apart from full are gone. Files that are still open are dead.
//	writeback        makes the kernel hand over what it has cached of mapped files, as it does
//	                 by itself after some seconds. It is not durable by that.
//	slow DURATION    each write and flush takes so much longer (20ms); 0 ends it.
//	stall            flushes block. Reads and writes go on.
//	release          they go on.
//	fail on|off      flushes answer EIO without effect.
//	full N           writes and allocations get ENOSPC after N more bytes; statfs tells. Writes to
//	                 mappings get it at msync, not as SIGBUS.
//	full off         the disk has no end again.
//	stat             "ok power=on flushes=12 used=4096 total=1099511627776", in bytes
//	image DIR [SALT] writes what a cut now would leave into DIR, plain files; the disk goes on.
//	save             writes what is on the disk into the store.
//	quit             saves, unmounts, ends.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	var o options
	flag.StringVar(&o.mount, "mount", "", "directory to mount on, made when missing")
	flag.StringVar(&o.store, "store", "", "directory that the content is read from and saved to")
	flag.Uint64Var(&o.seed, "seed", 1, "decides what a power cut leaves")
	flag.StringVar(&o.control, "control", "", "path of the control socket")
	flag.BoolVar(&o.ordered, "ordered", false, "names survive as on ext4: any fsync makes all earlier ones durable")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "lossyfs:", err)
		os.Exit(1)
	}
}

type options struct {
	mount, store, control string
	seed                  uint64
	ordered               bool
}

// run serves until it is told to end.
func run(o options) error {
	if o.mount == "" || o.store == "" || o.control == "" {
		return errors.New("-mount, -store and -control are needed")
	}
	if err := os.MkdirAll(o.mount, 0o755); err != nil {
		return err
	}
	box, err := open(o)
	if err != nil {
		return err
	}
	server, err := listen(o.control, box)
	if err != nil {
		return errors.Join(err, box.close())
	}
	fmt.Println("ready")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-signals:
	case <-box.quit:
	}
	return errors.Join(server.stop(), box.save(), box.close())
}

// replaceTree puts what write makes in dir's place.
func replaceTree(dir string, write func(string) error) error {
	dir = filepath.Clean(dir)
	fresh, old := dir+".new", dir+".old"
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(old)); err != nil {
		return err
	}
	if err := write(fresh); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !os.IsNotExist(err) {
		return err
	}
	return errors.Join(os.Rename(fresh, dir), os.RemoveAll(old))
}
