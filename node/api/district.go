package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"almenara/node/api/openapi"
	"almenara/node/web"
	"almenara/node/wire"
)

// auditTime is the most that an export may take.
const auditTime = time.Hour

func (h nodeHandlers) status(c call) error {
	hash := c.query.flag("hash")
	if c.query.err != nil {
		return c.query.err
	}
	status, err := h.state.Status(c.r.Context(), hash)
	return answer(h.answers, c, status, err)
}

func (h nodeHandlers) invite(c call) error {
	var in wire.Invite
	if err := c.readJSON(&in); err != nil {
		return err
	}
	invited, err := h.nodes.Invite(c.r.Context(), c.by, in)
	if err != nil {
		return err
	}
	h.writeJSON(c.w, http.StatusCreated, invited)
	return nil
}

func (h nodeHandlers) removeNode(c call) error {
	return done(c, h.nodes.RemoveNode(c.r.Context(), c.by, c.r.PathValue("id")))
}

// exportAudit streams. A fault after the first byte breaks the connection, so that
// a cut chain never looks like a whole one.
func (h userHandlers) exportAudit(c call) error {
	from, to := c.query.number("from", 0), c.query.number("to", 0)
	if c.query.err != nil {
		return c.query.err
	}
	if to != 0 && to < from {
		return wire.Problemf(wire.KindMalformed, "the parameter \"to\" is before \"from\"")
	}
	extendDeadlines(c.w, time.Now().Add(auditTime))
	c.w.Header().Set("Content-Type", openapi.MediaLines)
	out := &startedWriter{w: c.w}
	err := h.audit.ExportAudit(c.r.Context(), out, from, to)
	if err != nil && !out.started {
		c.w.Header().Del("Content-Type")
		return err
	}
	if err != nil {
		h.log.Error("exporting the audit chain", "error", fmt.Errorf("after the first byte: %w", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

// startedWriter remembers whether anything was written.
type startedWriter struct {
	w       http.ResponseWriter
	started bool
}

// Write writes on.
func (s *startedWriter) Write(p []byte) (int, error) {
	s.started = true
	return s.w.Write(p)
}

// extendDeadlines gives one long request more time than the server gives others.
// A writer without deadlines, as in tests, has nothing to extend.
func extendDeadlines(w http.ResponseWriter, until time.Time) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(until)
	_ = control.SetWriteDeadline(until)
}

func (h nodeHandlers) healthz(c call) error {
	h.writeJSON(c.w, http.StatusOK, wire.Health{Ready: true})
	return nil
}

// readyz tells a load balancer and a person whether the node can work.
func (h nodeHandlers) readyz(c call) error {
	status, err := h.state.Status(c.r.Context(), false)
	health := wire.Health{Ready: status.Ready, Why: status.Why}
	if err != nil {
		h.log.Error("reading the node's own status", "error", err)
		health = wire.Health{Why: "the node cannot say how it is"}
	}
	code := http.StatusOK
	if !health.Ready {
		code = http.StatusServiceUnavailable
	}
	h.writeJSON(c.w, code, health)
	return nil
}

// file is a file of the pages.
func (h nodeHandlers) file(c call) error { return web.ServeFile(c.w, c.r, c.r.PathValue("file")) }

func (h nodeHandlers) board(c call) error {
	web.Board(func(ctx context.Context) (wire.Status, error) { return h.state.Status(ctx, false) }).ServeHTTP(c.w, c.r)
	return nil
}

func (h *Handler) metrics(c call) error {
	h.exporter.ServeHTTP(c.w, c.r)
	return nil
}

func (h *Handler) serveOpenAPI(c call) error {
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(h.openAPI())
	return nil
}
