// Package picture is a small picture that travels with an alert. It asks nothing, and never imports a page.
package picture

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // CAP 1.2 §3.2.3 prescribes SHA-1 for digest
	"encoding/base64"
	"encoding/hex"
	"html/template"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Most is how large a picture may be, in bytes: with the texts it must fit into what a small device takes
// at once.
const Most = 24 << 10

// Resource is a picture in base64 with what CAP says of it; nil for "". What is no small JPEG or PNG is
// refused with a *wire.Problem.
func Resource(text, description string) (*wire.CAPResource, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	kind := ""
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		kind = "image/jpeg"
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		kind = "image/png"
	}
	if err != nil || kind == "" || len(raw) > Most {
		return nil, wire.Problemf(wire.KindRefused, "nothing was sent: a picture is a JPEG or a PNG of at most %d KiB; give a link to a larger one", Most>>10).Because(why.PictureUnfit, Most>>10)
	}
	sum := sha1.Sum(raw) //nolint:gosec // see the import
	return &wire.CAPResource{ResourceDesc: description, MIMEType: kind, Size: int64(len(raw)), DerefURI: text, Digest: hex.EncodeToString(sum[:])}, nil
}

// URL is the picture as a page shows it; "" where there is none, or none that can be sent.
func URL(text string) template.URL {
	r, err := Resource(text, "")
	if err != nil || r == nil {
		return ""
	}
	return template.URL("data:" + r.MIMEType + ";base64," + r.DerefURI) // letters of base64 alone, as Resource has seen
}
