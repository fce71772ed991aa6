package streams

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// Body remembers that the body has ended, and that the size limit was met,
// also where the reader's user hides it behind another error.
type Body struct {
	r        io.Reader
	ended    atomic.Bool
	tooLarge *http.MaxBytesError
}

// Read reads on.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	errors.As(err, &b.tooLarge)
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	}
	return n, err
}

// Or is err, unless the file was cut: then it is that, whatever the service made of
// the rest.
func (b *Body) Or(err error) error {
	if b.tooLarge != nil {
		return b.tooLarge
	}
	return err
}

// NewBody watches r.
func NewBody(r io.Reader) *Body { return &Body{r: r} }

// Ended reports whether the body was read to its end. It may be called from any goroutine.
func (b *Body) Ended() bool { return b.ended.Load() }
