package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"almenara/node/wire"
)

// Files are static files that pages load, each under a name that changes with its content: a
// browser may keep what it has for ever, and never mixes a page with files of another
// version. They are not modified once made, and may be used from any goroutine.
type Files struct {
	below string            // the path of all of them, with the last slash
	names map[string]string // as they are served, by their own names
	files map[string]file   // by the names as which they are served
}

type file struct {
	kind    string
	content []byte
}

// NewFiles reads all files of folders that browsers load, to be served below a path. Templates are
// none of them.
func NewFiles(below string, folders ...fs.FS) (*Files, error) {
	f := &Files{below: strings.TrimSuffix(below, "/") + "/", names: map[string]string{}, files: map[string]file{}}
	for _, folder := range folders {
		if err := f.read(folder); err != nil {
			return nil, fmt.Errorf("reading the files of pages: %w", err)
		}
	}
	return f, nil
}

func (f *Files) read(folder fs.FS) error {
	return fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == ".html" {
			return err
		}
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			return fmt.Errorf("%s: its name does not say what it is", name)
		}
		sum := sha256.Sum256(content)
		served := strings.TrimSuffix(path.Base(name), path.Ext(name)) + "." + hex.EncodeToString(sum[:8]) + path.Ext(name)
		f.names[name], f.files[served] = served, file{kind, content}
		return nil
	})
}

// Path is where a page finds the file; "" where there is none of that name.
func (f *Files) Path(name string) string {
	served, ok := f.names[name]
	if !ok {
		return ""
	}
	return f.below + served
}

// ServeFile answers with a file of the pages, by its name as it is served; a *wire.Problem where
// there is none.
func ServeFile(w http.ResponseWriter, r *http.Request, name string) error {
	if !files().Serve(w, r, name) {
		return wire.Problemf(wire.KindNotFound, "there is no file %.100q of a page", name)
	}
	return nil
}

// Serve answers with the file of a name as it is served; false where there is none, and then
// nothing was written.
func (f *Files) Serve(w http.ResponseWriter, r *http.Request, name string) bool {
	file, ok := f.files[name]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.content))
	return true
}
