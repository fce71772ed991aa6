package pages

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// workerName is what each page finds its worker by, beside itself: so it answers for that page and for nothing
// else of the node, and no header has to allow it more.
const workerName = "worker.js"

// addWorkers makes the worker of each page, which names all scripts and styles of this version. It takes what is
// served at no version out of the files, so that it comes last.
func (p *Pages) addWorkers() {
	worker := p.files[workerName]
	for _, name := range []string{"speaker.html", "screen.html", workerName} {
		delete(p.files, name)
	}
	var files []string
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		if strings.HasSuffix(name, ".js") || strings.HasSuffix(name, ".css") {
			files = append(files, Path+p.version+"/"+name)
		}
	}
	of := func(path string) []byte {
		return []byte(strings.NewReplacer("'PAGE'", "'"+path+"'", "'VERSION'", "'"+p.version+"'", "'FILES'", "'"+strings.Join(files, " ")+"'").Replace(string(worker)))
	}
	p.screenWorker, p.phone[workerName], p.speaker[workerName] = of(Path), of(PhonePath), of(SpeakerPath)
}

// ServeScreenFile answers with what the page of a screen that a node serves finds beside itself, its worker; false
// where there is no such name, and then nothing was written.
func (p *Pages) ServeScreenFile(w http.ResponseWriter, r *http.Request, name string) bool {
	if name != workerName {
		return false
	}
	h := w.Header()
	protect(h, p.policy)
	h.Set("Content-Type", kindOf(name))
	h.Set("Cache-Control", "no-cache") // a worker that is kept would outlive the program
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(p.screenWorker))
	return true
}
