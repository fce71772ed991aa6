package check

import (
	"crypto/sha1" //nolint:gosec // CAP 1.2 §3.2.3 prescribes SHA-1 for digest
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"regexp"
	"slices"
	"strings"

	"almenara/storage/alert"
)

var (
	// mimeType is RFC 2045 type/subtype with optional parameters.
	mimeType = regexp.MustCompile("^[\\w.+!#$&^`{|}~'*%-]+/[\\w.+!#$&^`{|}~'*%-]+(\\s*;.*)?$")
	sha1Hex  = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)
)

// resources checks the resource blocks of one info (§3.2.3).
func (c *checker) resources(i *alert.Info) {
	for n := range i.Resources {
		c.at.Resource = n + 1
		c.resource(&i.Resources[n])
	}
	c.at.Resource = 0
}

// resource checks one resource block.
func (c *checker) resource(r *alert.Resource) {
	switch {
	case r.MIMEType == "":
		c.reject("mimeType-empty", "mimeType is empty")
	case !mimeType.MatchString(r.MIMEType):
		c.reject("mimeType-format", "mimeType %q is not of the form type/subtype", alert.Clip(r.MIMEType))
	}
	if r.Description == "" {
		c.warn("resourceDesc-empty", "resourceDesc is empty")
	}
	if r.Size < 0 {
		c.reject("size-negative", "size %d is negative", r.Size)
	}
	if r.URI != "" && r.DerefURI == "" && !isAbsolute(r.URI) {
		c.reject("relative-uri-without-derefUri", "uri %q is relative and there is no derefUri", alert.Clip(r.URI))
	}
	if r.URI == "" && r.DerefURI == "" {
		c.warn("resource-without-uri", "the resource has neither uri nor derefUri")
	}
	c.content(r)
}

// content checks the embedded content and what is said of it.
func (c *checker) content(r *alert.Resource) {
	if r.Digest != "" && !sha1Hex.MatchString(r.Digest) {
		c.warn("digest-format", "digest %q is not SHA-1 as 40 hex digits, and is not checked", alert.Clip(r.Digest))
	}
	if r.DerefURI == "" {
		return
	}
	size, _, err := measure(r)
	if err != nil {
		c.reject("derefUri-not-base64", "derefUri is not base64: %v", err).As("derefUri-not-base64", c.at)
		return
	}
	if r.Size > 0 && size != r.Size {
		c.warn("size-differs", "size says %d bytes, the embedded content has %d", r.Size, size)
	}
}

// measure decodes the embedded content and returns its length and its SHA-1. It
// holds no copy of the content.
func measure(r *alert.Resource) (int64, string, error) {
	var sum hash.Hash = sha1.New() //nolint:gosec // see the import
	size, err := io.Copy(sum, base64.NewDecoder(base64.StdEncoding, strings.NewReader(r.DerefURI)))
	if err != nil {
		return 0, "", fmt.Errorf("decoding base64: %w", err)
	}
	return size, hex.EncodeToString(sum.Sum(nil)), nil
}

// corrupt reports embedded content that does not have the stated SHA-1.
func corrupt(r *alert.Resource) bool {
	if r.DerefURI == "" || !sha1Hex.MatchString(r.Digest) {
		return false
	}
	_, sum, err := measure(r)
	return err == nil && !strings.EqualFold(sum, r.Digest)
}

// dropCorrupt removes resources that were damaged on the way: the warning must go
// out, the damaged picture or sound must not.
func dropCorrupt(a *alert.Alert, found *alert.Findings) {
	for n := range a.Infos {
		i := &a.Infos[n]
		if !slices.ContainsFunc(i.Resources, func(r alert.Resource) bool { return corrupt(&r) }) {
			continue
		}
		i.Resources = slices.DeleteFunc(i.Resources, func(r alert.Resource) bool { return corrupt(&r) })
		if len(i.Resources) == 0 {
			i.Resources = nil
		}
		found.Add(alert.Warn, "digest-mismatch", "%sa resource does not have the stated digest and is left out", alert.Place{Info: n + 1})
	}
}
