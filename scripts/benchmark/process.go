//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockBase ties Go's cheap monotonic clock to the machine's, which all processes
// share.
var clockBase = struct {
	at   time.Time
	nano int64
}{time.Now(), machineClock()}

func machineClock() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(fmt.Errorf("reading the monotonic clock: %w", err)) // every Linux has it
	}
	return ts.Nano()
}

// stamp is the machine's monotonic clock in nanoseconds, comparable between
// processes.
func stamp() int64 { return clockBase.nano + int64(time.Since(clockBase.at)) }

// cpuTime is the processor time of all threads of a process, user and system, also
// of threads that have ended. It is what utime+stime of /proc/PID/stat counts in
// hundredths of a second, in nanoseconds: clock_getcpuclockid(3) gives the clock.
func cpuTime(pid int) (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED of the kernel's posix-timers.h
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("reading the processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// residentBytes is the RSS of a process.
func residentBytes(pid int) (int64, error) { return memoryOf(pid, "VmRSS") }

// memoryOf is one kind of memory of a process, as /proc/PID/status names it, in bytes.
func memoryOf(pid int, kind string) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		var kb int64
		if _, err := fmt.Sscanf(line, kind+": %d kB", &kb); err == nil {
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("process %d shows no %s", pid, kind)
}

// errRestless is returned when a process does not come to rest.
var errRestless = errors.New("the process does not come to rest")

// How long a process must have used next to no processor time to be at rest: longer
// where it gathers receipts and waits for a disk in between.
const (
	shortRest = 12 * time.Millisecond
	longRest  = 60 * time.Millisecond
)

// rest waits until a process is at rest, so that what it did for the last alert is
// counted, and nothing else is. It returns the processor time used until then.
func rest(ctx context.Context, pid int, calm time.Duration) (time.Duration, error) {
	const step = 3 * time.Millisecond
	end := time.Now().Add(30 * time.Second)
	was, err := cpuTime(pid)
	for quiet := time.Duration(0); quiet < calm && err == nil; {
		if err = pause(ctx, step); err != nil {
			return 0, err
		}
		var is time.Duration
		if is, err = cpuTime(pid); is-was < step/20 {
			quiet += step
		} else {
			quiet = 0
		}
		was = is
		if time.Now().After(end) {
			return was, fmt.Errorf("waiting for process %d: %w", pid, errRestless)
		}
	}
	return was, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
