package api

import (
	"net/http"
	"strings"
	"time"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
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
func (h importHandlers) importAudience(c routing.Call) error {
	how := wire.ImportOptions{DryRun: c.Query.Flag("dry_run"), Replace: c.Query.Flag("replace"), Yes: c.Query.Flag("yes")}
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	if err := h.open.Take(c.By.Name, false); err != nil {
		return err
	}
	defer h.open.Give(c.By.Name)
	control := http.NewResponseController(c.W)
	_ = control.SetReadDeadline(time.Now().Add(importTime)) // a writer without deadlines, as in tests, has nothing to extend
	body := streams.NewBody(c.R.Body)
	if wantsLines(c.R) {
		return h.importInLines(c, body, how)
	}
	out, err := h.service.Import(c.R.Context(), c.By, body, how, nil)
	_ = control.SetWriteDeadline(time.Now().Add(importAnswer))
	return c.Answer(out, body.Or(err))
}

// wantsLines reports whether the caller asked for progress.
func wantsLines(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), openapi.MediaLines)
}

// importInLines is an import whose progress is told while it goes on. What is wrong
// before there was any is answered as everywhere else.
func (h importHandlers) importInLines(c routing.Call, body *streams.Body, how wire.ImportOptions) error {
	lines := streams.NewLines(c.W, h.heartbeat, body.Ended)
	defer lines.Stop() // also where the service panics
	out, err := h.service.Import(c.R.Context(), c.By, body, how, lines.Tell)
	lines.Stop()
	if err = body.Or(err); err == nil {
		_ = lines.Write(out) // what cannot be sent any more is the client's loss only
		return nil
	}
	if !lines.Begun() {
		_ = http.NewResponseController(c.W).SetWriteDeadline(time.Now().Add(importAnswer))
		return err
	}
	p := c.Problem(err)
	c.FailedLate(p)
	_ = lines.Write(p)
	return nil
}

// removeMember removes one member of the audience.
func (h importHandlers) removeMember(c routing.Call) error {
	yes := c.Query.Flag("yes")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.service.RemoveMember(c.R.Context(), c.By, c.R.PathValue("id"), yes)
	return c.Answer(out, err)
}
