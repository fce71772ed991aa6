package web

import (
	"net/http"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// policy is what a page may load: files of its own node, and nothing else; no page of another
// site may show it in a frame.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// crossOrigin goes by Sec-Fetch-Site and Origin, which pages cannot write. What only reads
// passes.
var crossOrigin = http.NewCrossOriginProtection()

// Protect is asked before a page answers. It sets the headers that keep other sites out, and
// refuses what changes something for a page of another site, with a *wire.Problem: browsers
// send cookies with that, too. A page may set a stricter policy.
func Protect(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if crossOrigin.Check(r) != nil {
		return wire.Problemf(wire.KindForbidden, "a page of another site may not do this").Because(why.OtherSite)
	}
	return nil
}
