//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// awakeRole keeps every processor busy with work that gives way to everything else (SCHED_IDLE), until its input ends. A processor that
// sleeps between alerts begins the next one slowly, which is charged to whatever has the least to do meanwhile: on a virtual machine of two
// processors a delivery cost a fifth more for a server that was asked nothing between two alerts than for one that was.
func awakeRole([]string) error {
	count := runtime.NumCPU()
	runtime.GOMAXPROCS(count + 1)
	wrong := make(chan error, count)
	for cpu := range count {
		go func() { // ends with the process
			runtime.LockOSThread()
			var one unix.CPUSet
			one.Set(cpu)
			idle := unix.SchedAttr{Size: uint32(unsafe.Sizeof(unix.SchedAttr{})), Policy: unix.SCHED_IDLE}
			if err := unix.SchedSetAttr(0, &idle, 0); err != nil {
				wrong <- fmt.Errorf("giving way: %w", err)
				return
			}
			wrong <- unix.SchedSetaffinity(0, &one)
			for turns := uint64(0); ; turns++ { // it is the work
			}
		}()
	}
	for range count {
		if err := <-wrong; err != nil {
			return err
		}
	}
	return obey(reply{Count: count}, func(o order) (reply, error) { return reply{}, fmt.Errorf("unknown order %q", o.Do) })
}

// awaken starts that process; stop ends it.
func (d *driver) awaken(ctx context.Context) (stop func(), err error) {
	c, ready, err := spawnRole(ctx, filepath.Join(d.out, "awake.log"), "awake")
	if err != nil {
		return nil, fmt.Errorf("keeping the processors awake: %w", err)
	}
	d.say("%d processors are kept awake", ready.Count)
	return c.stop, nil
}
