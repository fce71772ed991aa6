package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"almenara/node/api/openapi"
)

// backupTime is the most that a backup may take.
const backupTime = time.Hour

// backup streams. A fault after the first byte breaks the connection; what came ends
// without its digest then.
func (h nodeHandlers) backup(c call) error {
	extendDeadlines(c.w, time.Now().Add(backupTime))
	body, size, err := h.backups.Backup(c.r.Context(), c.by)
	if err != nil {
		return err
	}
	defer body.Close()
	c.w.Header().Set("Content-Type", openapi.MediaBytes)
	c.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	c.w.Header().Set("Cache-Control", "no-store")
	if _, err := io.Copy(c.w, body); err != nil {
		h.log.Error("sending a backup", "error", fmt.Errorf("after the first byte: %w", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}
