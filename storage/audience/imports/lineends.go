package imports

import (
	"bufio"
	"io"
)

// lineEnds turns a carriage return that no line feed follows into one: old Macs end lines
// so, and Excel for macOS still offers it.
type lineEnds struct{ in *bufio.Reader }

func newLineEnds(in io.Reader) *lineEnds { return &lineEnds{bufio.NewReader(in)} }

// Read reads on.
func (l *lineEnds) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for i := range n {
		if p[i] != '\r' {
			continue
		}
		next := byte(0)
		if i+1 < n {
			next = p[i+1]
		} else if peeked, err := l.in.Peek(1); err == nil { // an error comes again with the next Read
			next = peeked[0]
		}
		if next != '\n' {
			p[i] = '\n'
		}
	}
	return n, err
}
