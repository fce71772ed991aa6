package engine

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBoxMemory_IsTheLeastThatHolds(t *testing.T) {
	const group = "sys/fs/cgroup/system.slice/almenara.service/memory.max"
	meminfo := map[string]string{"proc/meminfo": "MemTotal:        2048 kB\nMemFree:  1 kB\n", "proc/self/cgroup": "0::/system.slice/almenara.service\n"}
	for name, row := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"machine":         {nil, 2048 << 10},
		"group":           {map[string]string{group: "1000000\n"}, 1_000_000},
		"group above":     {map[string]string{group: "max\n", "sys/fs/cgroup/system.slice/memory.max": "900000\n"}, 900_000},
		"container":       {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "800000\n"}, 800_000},
		"no limit":        {map[string]string{group: "max\n"}, 2048 << 10},
		"nothing is said": {map[string]string{"proc/meminfo": "", "proc/self/cgroup": ""}, math.MaxInt64},
		"nonsense":        {map[string]string{"proc/meminfo": "MemTotal: 9223372036854775807 kB"}, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, files := range []map[string]string{meminfo, row.files} {
				for file, text := range files {
					require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
				}
			}
			require.Equal(t, row.want, boxMemory(root))
		})
	}
}
