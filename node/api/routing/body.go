package routing

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// errBody is wrapped by errors of a body that broke off or was not written as HTTP
// wants it: the client's fault, or the link's.
var errBody = errors.New("the body broke off")

// checkedBody tells the faults of a body from those of the node.
type checkedBody struct{ io.ReadCloser }

// Read reads on.
func (b checkedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var tooLarge *http.MaxBytesError
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &tooLarge) {
		return n, err
	}
	return n, fmt.Errorf("%w: %w", errBody, err)
}
