// Package boxclock is the clock of a device's box over power cuts: it says whether the time that the box has now follows
// on what it had before, or began again where it stood still. A small computer without a battery does that: its system
// notes the time now and then, and goes on from the note.
//
// It owns how an operating system is asked for that, and sets no clock. It knows no device and imports nothing of ours.
package boxclock

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// agrees is how far the clock with a battery and the system's may be apart.
const agrees = time.Minute

// Clock is that of the box that this program runs on.
type Clock struct {
	now    func() time.Time
	files  fs.FS       // of the machine, from its root
	synced func() bool // the system says that something that knows the time keeps its clock right
	run    string
	steady bool // of a system of which nothing can be read: its machines have a battery
}

// Of is the clock of this box, as clock has it; nil: the system's.
func Of(clock func() time.Time) *Clock {
	if clock == nil {
		clock = time.Now
	}
	return made(clock, os.DirFS("/"), synced, !readable)
}

func made(now func() time.Time, files fs.FS, synced func() bool, steady bool) *Clock {
	raw, _ := fs.ReadFile(files, "proc/sys/kernel/random/boot_id")
	return &Clock{now: now, files: files, synced: synced, run: strings.TrimSpace(string(raw)), steady: steady}
}

// Now is the time as the box has it.
func (c *Clock) Now() time.Time { return c.now() }

// Run names the time since the box was started, in which its clock has not stood still; "" where that is not known.
func (c *Clock) Run() string { return c.run }

// RanSince reports whether the clock follows on what it was in the run of that name: the box was not started anew since,
// its clock has a battery and agrees, or something that knows the time has set it meanwhile.
func (c *Clock) RanSince(run string) bool {
	return c.steady || run != "" && run == c.run || c.synced() || c.hasBattery()
}

// hasBattery reports whether a clock of the hardware, from which the system took the time when it was started, still
// says the same. One that lost its power as well does not, as the system's was set to its note after that.
func (c *Clock) hasBattery() bool {
	entries, _ := fs.ReadDir(c.files, "sys/class/rtc")
	for _, e := range entries {
		started, err := c.number(path.Join("sys/class/rtc", e.Name(), "hctosys"))
		if err != nil || started != 1 {
			continue
		}
		seconds, err := c.number(path.Join("sys/class/rtc", e.Name(), "since_epoch"))
		if err == nil && time.Unix(seconds, 0).Sub(c.now()).Abs() <= agrees {
			return true
		}
	}
	return false
}

func (c *Clock) number(name string) (int64, error) {
	raw, err := fs.ReadFile(c.files, name)
	if err != nil {
		return 0, fmt.Errorf("reading the clock of the hardware: %w", err)
	}
	return strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
}
