package command

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
)

// Bar draws progress over itself, on a terminal only. It may be told from any
// goroutine.
type Bar struct {
	mu   sync.Mutex // guards all below
	w    io.Writer
	cols int
	last string
}

// NewBar makes a bar that stays silent where nobody sees it move.
func NewBar(e *Env) *Bar {
	b := &Bar{cols: e.Width}
	if b.cols == terminal.Unbounded {
		b.cols = 80 // of Out nothing is known, and Err is another one
	}
	if e.ErrTTY && !e.JSON() {
		b.w = e.Err
	}
	return b
}

// barCells is the length of the drawn bar.
const barCells = 30

// Tell draws p, when it looks different from what is there.
func (b *Bar) Tell(p inprocess.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.w == nil {
		return
	}
	line := fmt.Sprintf("%s %s", terminal.Thousands(p.Done), p.Text)
	if p.Total > 0 {
		share := float64(min(p.Done, p.Total)) / float64(p.Total)
		full := int(share * barCells)
		line = fmt.Sprintf("[%s%s] %3.0f %%  %s of %s %s", strings.Repeat("#", full), strings.Repeat(".", barCells-full),
			share*100, terminal.Thousands(p.Done), terminal.Thousands(p.Total), p.Text)
	}
	if line = terminal.Truncate(line, b.cols-1); line == b.last {
		return
	}
	fmt.Fprintf(b.w, "\r%s%s", line, strings.Repeat(" ", max(0, terminal.ColumnsOf(b.last)-terminal.ColumnsOf(line))))
	b.last = line
}

// End wipes the bar, so that what follows starts on a clean line.
func (b *Bar) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.w != nil && b.last != "" {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", terminal.ColumnsOf(b.last)))
	}
	b.w = nil
}
