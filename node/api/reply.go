package api

import (
	"net/http"
	"strings"

	"almenara/node/wire"
)

// wantsCAP reports whether the caller asked for the answer as a CAP message.
func wantsCAP(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), mediaCAP)
}

func (h *Handler) replyCAP(c call, raw []byte, out wire.Outcome, err error) error {
	return h.accepted(c, out, err)
}
