package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
)

// backupTime is the most that a backup may take.
const backupTime = time.Hour

// backup streams. A fault after the first byte breaks the connection; what came ends
// without its digest then.
func (h nodeHandlers) backup(c routing.Call) error {
	extendDeadlines(c.W, time.Now().Add(backupTime))
	body, size, err := h.backups.Backup(c.R.Context(), c.By)
	if err != nil {
		return err
	}
	defer body.Close()
	c.W.Header().Set("Content-Type", openapi.MediaBytes)
	c.W.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	c.W.Header().Set("Cache-Control", "no-store")
	if _, err := io.Copy(c.W, body); err != nil {
		c.Log().Error("sending a backup", "error", fmt.Errorf("after the first byte: %w", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}
