package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// bar draws progress over itself, on a terminal only. It may be told from any
// goroutine.
type bar struct {
	mu   sync.Mutex // guards all below
	w    io.Writer
	cols int
	last string
}

// newBar makes a bar that stays silent where nobody sees it move.
func (e *env) newBar() *bar {
	b := &bar{cols: e.Width}
	if e.IsTTY {
		b.w = e.Err
	}
	return b
}

// barCells is the length of the drawn bar.
const barCells = 30

// tell draws p, when it looks different from what is there.
func (b *bar) tell(p Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.w == nil {
		return
	}
	line := fmt.Sprintf("%s %s", thousands(p.Done), p.Text)
	if p.Total > 0 {
		share := float64(min(p.Done, p.Total)) / float64(p.Total)
		full := int(share * barCells)
		line = fmt.Sprintf("[%s%s] %3.0f %%  %s of %s %s", strings.Repeat("#", full), strings.Repeat(".", barCells-full),
			share*100, thousands(p.Done), thousands(p.Total), p.Text)
	}
	if line = truncate(line, b.cols-1); line == b.last {
		return
	}
	fmt.Fprintf(b.w, "\r%s%s", line, strings.Repeat(" ", max(0, columnsOf(b.last)-columnsOf(line))))
	b.last = line
}

// end wipes the bar, so that what follows starts on a clean line.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.w != nil && b.last != "" {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", columnsOf(b.last)))
	}
	b.w = nil
}
