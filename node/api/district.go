package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/web"
	"almenara/node/wire"
)

// auditTime is the most that an export may take.
const auditTime = time.Hour

func (h nodeHandlers) status(c routing.Call) error {
	hash := c.Query.Flag("hash")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	status, err := h.state.Status(c.R.Context(), hash)
	return c.Answer(status, err)
}

func (h nodeHandlers) invite(c routing.Call) error {
	var in wire.Invite
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	invited, err := h.nodes.Invite(c.R.Context(), c.By, in)
	return c.Created(invited, err)
}

func (h nodeHandlers) removeNode(c routing.Call) error {
	return c.Done(h.nodes.RemoveNode(c.R.Context(), c.By, c.R.PathValue("id")))
}

// exportAudit streams. A fault after the first byte breaks the connection, so that
// a cut chain never looks like a whole one.
func (h userHandlers) exportAudit(c routing.Call) error {
	from, to := c.Query.Number("from", 0), c.Query.Number("to", 0)
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	if to != 0 && to < from {
		return wire.Problemf(wire.KindMalformed, "the parameter \"to\" is before \"from\"")
	}
	extendDeadlines(c.W, time.Now().Add(auditTime))
	c.W.Header().Set("Content-Type", openapi.MediaLines)
	out := &startedWriter{w: c.W}
	err := h.audit.ExportAudit(c.R.Context(), out, from, to)
	if err != nil && !out.started {
		c.W.Header().Del("Content-Type")
		return err
	}
	if err != nil {
		c.Log().Error("exporting the audit chain", "error", fmt.Errorf("after the first byte: %w", err))
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

func (h selfHandlers) healthz(c routing.Call) error {
	c.WriteJSON(http.StatusOK, wire.Health{Ready: true})
	return nil
}

// readyz tells a load balancer and a person whether the node can work.
func (h nodeHandlers) readyz(c routing.Call) error {
	status, err := h.state.Status(c.R.Context(), false)
	health := wire.Health{Ready: status.Ready, Why: status.Why.Text}
	if err != nil {
		c.Log().Error("reading the node's own status", "error", err)
		health = wire.Health{Why: "the node cannot say how it is"}
	}
	code := http.StatusOK
	if !health.Ready {
		code = http.StatusServiceUnavailable
	}
	c.WriteJSON(code, health)
	return nil
}

// file is a file of the pages.
func (h selfHandlers) file(c routing.Call) error {
	return web.ServeFile(c.W, c.R, c.R.PathValue("file"))
}

func (h nodeHandlers) board(c routing.Call) error {
	web.Board(func(ctx context.Context) (wire.Status, error) { return h.state.Status(ctx, false) }).ServeHTTP(c.W, c.R)
	return nil
}

func (h selfHandlers) metrics(c routing.Call) error {
	h.exporter.ServeHTTP(c.W, c.R)
	return nil
}

func (h selfHandlers) serveOpenAPI(c routing.Call) error {
	c.W.Header().Set("Content-Type", "application/json")
	_, _ = c.W.Write(h.openAPI())
	return nil
}
func (h nodeHandlers) splits(c routing.Call) error {
	limit := c.Query.Limit(20, 1000)
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	report, err := h.parted.Splits(c.R.Context(), limit)
	for i := range report {
		authority.MinimalSplit(c.By, &report[i])
	}
	return c.Answer(report, err)
}
