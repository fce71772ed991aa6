// Package pages holds the pages that devices show in a browser: those of a screen, of a speaker and of a phone. It owns
// their files and how they are served, to a node and to the agent on a device alike, and decides
// nothing: the files verify and decide by the contract's own modules (channels/contract/js). Of
// our packages it imports that one alone. DESIGN.md says how the files work together.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"almenara/channels/contract/js"
)

// Path is where the page of a screen is; the files of all pages are below.
const Path = "/screen/"

//go:embed files
var own embed.FS

// Source says where a page gets what it shows.
type Source string

// The sources.
const (
	FromNode  Source = "node"  // by MQTT over WebSocket; the page is the device
	FromAgent Source = "agent" // from the agent that serves it, which is the device
)

// Pages are the pages, whole and of one version. They are not modified once made, and may be
// used from any goroutine.
type Pages struct {
	version string // of all files together: another content has another address
	files   map[string][]byte
	screen  map[Source][]byte // the page, which names the version
	phone   map[string][]byte // what is at PhonePath: the page under "", and what it must find there
	speaker map[string][]byte // what is at SpeakerPath, in the same way
	policy  string            // of a screen

	screenWorker []byte // of a page that a node serves: the agent's needs none, because it is the device
}

// New reads the pages that are part of the program. framedBy are the origins of signage systems
// whose pages may show them in a frame, such as https://signage.example; none where it is empty.
// A text that is no origin is refused.
func New(framedBy []string) (*Pages, error) {
	p := &Pages{files: map[string][]byte{}, screen: map[Source][]byte{}, phone: map[string][]byte{}, speaker: map[string][]byte{}}
	for prefix, folder := range map[string]fs.FS{"": sub(own, "files"), "contract/": js.Files} {
		if err := p.add(prefix, folder); err != nil {
			return nil, fmt.Errorf("reading the pages of devices: %w", err)
		}
	}
	p.version = p.digest()
	for _, source := range []Source{FromNode, FromAgent} {
		page, err := p.filled("screen.html", source)
		if err != nil {
			return nil, err
		}
		p.screen[source] = page
	}
	var err error
	if p.speaker[""], err = p.filled("speaker.html", FromNode); err != nil {
		return nil, err
	}
	if err := p.addPhone(); err != nil {
		return nil, err
	}
	p.addWorkers()
	p.policy, err = policyFor(framedBy)
	return p, err
}

// filled is a page that names the version of its files.
func (p *Pages) filled(name string, source Source) ([]byte, error) {
	page, err := template.New(name).Parse(string(p.files[name]))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]string{"Version": p.version, "Base": Path + p.version + "/", "Path": PhonePath, "Source": string(source)})
	if err != nil {
		return nil, fmt.Errorf("making %s: %w", name, err)
	}
	return out.Bytes(), nil
}

func sub(folder fs.FS, name string) fs.FS {
	inside, err := fs.Sub(folder, name)
	if err != nil {
		panic(err) // the name is a constant
	}
	return inside
}

func (p *Pages) add(prefix string, folder fs.FS) error {
	return fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(folder, name)
		p.files[prefix+name] = content
		return err
	})
}

func (p *Pages) digest() string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(p.files[name]))
		sum.Write(p.files[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// policyFor is what the page may load: its own files; any node, by WebSocket; and in a frame what
// runs below the alerts.
func policyFor(framedBy []string) (string, error) {
	ancestors := "'none'"
	if len(framedBy) > 0 {
		for _, origin := range framedBy {
			if err := CheckOrigin(origin); err != nil {
				return "", err
			}
		}
		ancestors = strings.Join(framedBy, " ")
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; worker-src 'self'; connect-src 'self' ws: wss:; " +
		"frame-src http: https:; base-uri 'none'; form-action 'none'; frame-ancestors " + ancestors, nil
}

// Version names the content of all files: 16 letters of hexadecimal.
func (p *Pages) Version() string { return p.version }

// ServeScreen answers with the page of a screen. It sets the headers that keep other sites out,
// in the place of those that were set before.
func (p *Pages) ServeScreen(w http.ResponseWriter, from Source) {
	h := w.Header()
	protect(h, p.policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(p.screen[from])
}

// SpeakerPath is where the page of a speaker is; the sounds that it plays are below, each by a name of
// its own.
const SpeakerPath = "/speaker/"

// speakerPolicy is what the page of a speaker may load. No page may have it in a frame: it has a volume.
const speakerPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; worker-src 'self'; " +
	"connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeSpeaker answers with the page of a speaker, for "", or with what it finds beside itself, as ServePhone.
func (p *Pages) ServeSpeaker(w http.ResponseWriter, r *http.Request, name string) bool {
	return serve(w, r, p.speaker, name, speakerPolicy)
}

func protect(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Del("Cross-Origin-Opener-Policy")
}

// ServeFile answers with a file of a version; false where there is none, and then nothing was
// written. A browser may keep it for ever.
func (p *Pages) ServeFile(w http.ResponseWriter, r *http.Request, version, name string) bool {
	content, ok := p.files[name]
	if !ok || version != p.version {
		return false
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", kindOf(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return true
}

// kindOf does not ask the machine: a module of another type than JavaScript is not run.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "text/plain; charset=utf-8"
}
