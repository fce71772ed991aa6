package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"almenara/node/api/openapi"
	"almenara/node/api/streams"
	"almenara/node/wire"
)

const (
	// importTime is the most that an upload on a bad link may take. What follows is
	// bounded by the service.
	importTime = 15 * time.Minute
	// importAnswer is how long the report of an import may take to be sent.
	importAnswer = time.Minute
)

// importAudience hands the file to the service. The server's own time to write is
// counted from the request's header, which an import outlives; so it is set anew for
// each part of the answer. Nothing is written in between, so nothing ends there.
func (h importHandlers) importAudience(c call) error {
	how := wire.ImportOptions{DryRun: c.query.flag("dry_run"), Replace: c.query.flag("replace"), Yes: c.query.flag("yes")}
	if c.query.err != nil {
		return c.query.err
	}
	if err := h.open.Take(c.by.Name, false); err != nil {
		return err
	}
	defer h.open.Give(c.by.Name)
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Now().Add(importTime)) // a writer without deadlines, as in tests, has nothing to extend
	body := &watchedReader{r: c.r.Body}
	if wantsLines(c.r) {
		return h.importInLines(c, body, how)
	}
	out, err := h.service.Import(c.r.Context(), c.by, body, how, nil)
	_ = control.SetWriteDeadline(time.Now().Add(importAnswer))
	return answer(h.answers, c, out, body.or(err))
}

// wantsLines reports whether the caller asked for progress.
func wantsLines(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), openapi.MediaLines)
}

// importInLines is an import whose progress is told while it goes on. What is wrong
// before there was any is answered as everywhere else.
func (h importHandlers) importInLines(c call, body *watchedReader, how wire.ImportOptions) error {
	lines := streams.NewLines(c.w, h.heartbeat, body.ended.Load)
	defer lines.Stop() // also where the service panics
	out, err := h.service.Import(c.r.Context(), c.by, body, how, lines.Tell)
	lines.Stop()
	if err = body.or(err); err == nil {
		_ = lines.Write(out) // what cannot be sent any more is the client's loss only
		return nil
	}
	if !lines.Begun() {
		_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(importAnswer))
		return err
	}
	p := h.problem(c.r, err)
	if rec, ok := c.w.(*recorder); ok {
		rec.failed(wire.HTTPStatus(p.Kind))
	}
	_ = lines.Write(p)
	return nil
}

// watchedReader remembers that the body has ended, and that the size limit was met,
// also where the reader's user hides it behind another error.
type watchedReader struct {
	r        io.Reader
	ended    atomic.Bool
	tooLarge *http.MaxBytesError
}

// Read reads on.
func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	errors.As(err, &w.tooLarge)
	if errors.Is(err, io.EOF) {
		w.ended.Store(true)
	}
	return n, err
}

// or is err, unless the file was cut: then it is that, whatever the service made of
// the rest.
func (w *watchedReader) or(err error) error {
	if w.tooLarge != nil {
		return w.tooLarge
	}
	return err
}

// removeMember removes one member of the audience.
func (h importHandlers) removeMember(c call) error {
	yes := c.query.flag("yes")
	if c.query.err != nil {
		return c.query.err
	}
	out, err := h.service.RemoveMember(c.r.Context(), c.by, c.r.PathValue("id"), yes)
	return answer(h.answers, c, out, err)
}
