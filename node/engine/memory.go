package engine

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	// gcPercent is how much garbage may stand beside what lives, in per cent. Delivering
	// allocates nothing and little else does, so collecting twice as often as Go's default
	// costs less than a hundredth of a core, and saves a quarter of the memory after a
	// storm or an import. channels/DESIGN.md says what was measured.
	gcPercent = 50
	// boxShare is the part of the machine's memory beyond which garbage is collected
	// harder: Badger's files and sockets want the rest.
	boxShare = 2
)

// tuneMemory sets how the collector works, unless GOGC or GOMEMLIMIT say so.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if box := boxMemory("/"); box < math.MaxInt64 {
		debug.SetMemoryLimit(box / boxShare)
	}
}

// boxMemory is the memory of the machine, or of the control groups around this process
// where these allow less, in bytes; MaxInt64 where nothing says so. Root is where the
// file systems of the kernel are.
func boxMemory(root string) int64 {
	box := int64(math.MaxInt64)
	least := func(file string, unit int64, field int) {
		if n, ok := number(filepath.Join(root, file), field); ok && n > 0 && n <= math.MaxInt64/unit {
			box = min(box, n*unit)
		}
	}
	least("proc/meminfo", 1<<10, 1) // its first line is MemTotal, in KiB
	raw, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(raw)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/") // version 2
		for ; ok; group = path.Dir(group) {
			least(path.Join("sys/fs/cgroup", group, "memory.max"), 1, 0)
			ok = group != "." && group != "" && group != "/"
		}
	}
	return box
}

// number reads one word of a file as a number; "max" is none.
func number(file string, field int) (int64, bool) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	words := strings.Fields(string(raw))
	if len(words) <= field {
		return 0, false
	}
	n, err := strconv.ParseInt(words[field], 10, 64)
	return n, err == nil
}
