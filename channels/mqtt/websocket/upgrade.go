package websocket

import (
	"crypto/sha1" // RFC 6455 §1.3 asks for it; nothing rests on its strength
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// AnswerUpgrade writes the answer to a request that CheckUpgrade let pass.
func AnswerUpgrade(w io.Writer, r *http.Request) error {
	_, err := fmt.Fprintf(w, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", acceptKey(r.Header.Get("Sec-WebSocket-Key")))
	if err != nil {
		return fmt.Errorf("answering the upgrade: %w", err)
	}
	return nil
}

// CheckUpgrade holds a request to RFC 6455 §4.2.1 and to the origin rule: origins gives the
// hosts, beside the request's own, whose pages may connect, as patterns of path.Match. It
// returns 0 when the request may be upgraded, or the HTTP status and a sentence.
func CheckUpgrade(r *http.Request, origins func() []string) (status int, problem string) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	switch {
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || !r.ProtoAtLeast(1, 1):
		return http.StatusMethodNotAllowed, "a WebSocket handshake is a GET of HTTP/1.1"
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return http.StatusUpgradeRequired, "this address speaks MQTT over WebSocket"
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return http.StatusBadRequest, "WebSocket version 13 is expected"
	case err != nil || len(key) != 16:
		return http.StatusBadRequest, "Sec-WebSocket-Key is malformed"
	case !hasToken(r.Header, "Sec-WebSocket-Protocol", "mqtt"):
		return http.StatusBadRequest, "the subprotocol mqtt must be offered"
	case !originAllowed(r, origins):
		return http.StatusForbidden, "pages of this origin may not connect"
	}
	return 0, ""
}

// originAllowed keeps pages of other sites from using a browser's position in the
// network. Devices that are not browsers send no Origin.
func originAllowed(r *http.Request, origins func() []string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	host := strings.ToLower(u.Host)
	if host == strings.ToLower(r.Host) {
		return true
	}
	if origins == nil {
		return false
	}
	for _, pattern := range origins() {
		if ok, _ := path.Match(strings.ToLower(pattern), host); ok {
			return true
		}
	}
	return false
}

// hasToken looks for a word in a comma-separated header, ignoring case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for word := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(word), token) {
				return true
			}
		}
	}
	return false
}

// acceptKey is RFC 6455 §4.2.2.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
