package view

import "almenara/node/web/console/frame"

// Photo answers with a photo that a node has drawn anew, which no browser takes for anything else.
func Photo(q *frame.Request, raw []byte, err error) error {
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, no-store")
	_, _ = q.W.Write(raw)
	return nil
}
