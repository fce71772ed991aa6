package node_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMetrics_ShowTheProcess(t *testing.T) {
	d := newDistrict(t, 1)
	var text bytes.Buffer
	require.NoError(t, d.client(0).Metrics(d.ctx(), &text))
	for _, name := range []string{"process_resident_memory_bytes", "process_open_fds", "go_goroutines", "go_gc_heap_live_bytes"} {
		require.Contains(t, text.String(), "\n"+name+" ")
	}
}
