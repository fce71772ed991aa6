package client

import (
	"context"
	"fmt"
	"io"
)

// Backup asks the node for a backup and copies it to the writer that to returns, which
// is told how many bytes will come. Only its context bounds it. On an error what was
// written is no backup.
func (c District) Backup(ctx context.Context, to func(size int64) (io.Writer, error)) error {
	response, err := c.open(ctx, request{method: "GET", path: path("backup")})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	w, err := to(response.ContentLength)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, response.Body)
	if err == nil && response.ContentLength >= 0 && n != response.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("copying the backup: %w", err)
	}
	return nil
}
