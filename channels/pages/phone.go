package pages

import (
	"bytes"
	"net/http"
	"time"
)

// PhonePath is where the page of a phone is, with what has to have names that never change: the worker,
// whose place says what it may answer for, the manifest, and the icons that it names.
const PhonePath = "/phone/"

// phonePolicy is what the page of a phone may load. No page may have it in a frame: its buttons answer.
const phonePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; worker-src 'self'; " +
	"connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// addPhone takes what is at PhonePath out of the files.
func (p *Pages) addPhone() error {
	page, err := p.filled("phone.html", FromNode)
	if err != nil {
		return err
	}
	p.phone[""] = page
	delete(p.files, "phone.html")
	for _, name := range []string{"manifest.webmanifest", "icon.svg", "icon-192.png", "icon-512.png"} {
		p.phone[name] = p.files[name]
		delete(p.files, name)
	}
	return nil
}

// ServePhone answers with the page of a phone, for "", or with what it finds beside itself; false where
// there is no such name, and then nothing was written. It sets the headers that keep other sites out.
func (p *Pages) ServePhone(w http.ResponseWriter, r *http.Request, name string) bool {
	return serve(w, r, p.phone, name, phonePolicy)
}

// serve answers with the page of a place, for "", or with what it finds beside itself.
func serve(w http.ResponseWriter, r *http.Request, from map[string][]byte, name, policy string) bool {
	content, ok := from[name]
	if !ok {
		return false
	}
	h := w.Header()
	protect(h, policy)
	h.Set("Content-Type", kindOf(name))
	h.Set("Cache-Control", "no-cache") // a worker that is kept would outlive the program
	if name == "" {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return true
}
