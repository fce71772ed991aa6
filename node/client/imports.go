package client

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"sync"

	"almenara/node/wire"
)

// Import is an upload of members.
type Import struct {
	CSV     io.Reader
	Size    int64 // bytes; 0 is not known
	DryRun  bool
	Replace bool
	Yes     bool // with Replace: also members that devices are enrolled for
	// Progress is told how far the upload is, with wire.PhaseUploading and in bytes, and
	// then what the node says; nil is nobody. It is called from one goroutine at a time
	// and not after Import has returned.
	Progress func(wire.Progress)
}

// mediaLines is a JSON value on each line.
const mediaLines = "application/x-ndjson"

// Import uploads members. Only its context bounds it.
func (c Audience) Import(ctx context.Context, in Import) (wire.Imported, error) {
	q := values()
	if in.DryRun {
		q.Set("dry_run", "true")
	}
	if in.Replace {
		q.Set("replace", "true")
	}
	if in.Yes {
		q.Set("yes", "true")
	}
	told := &teller{to: in.Progress}
	defer told.end()
	body := in.CSV
	if in.Progress != nil {
		body = &countingReader{r: in.CSV, size: max(in.Size, 0), told: told}
	}
	response, err := c.open(ctx, request{
		method: http.MethodPost, path: path("audience", "import"), query: q, size: in.Size, media: "text/csv",
		body: body, accept: mediaLines + ", application/json",
	})
	if err != nil {
		return wire.Imported{}, err
	}
	defer response.Body.Close()
	method := http.MethodPost
	if in.DryRun {
		method = http.MethodGet // it changes nothing, so nothing is unknown where the answer is cut
	}
	if media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); media != mediaLines {
		var out wire.Imported
		err := decode(response, method, &out)
		return out, err
	}
	return readImport(response.Body, method, told)
}

// readImport reads lines of progress up to the last one, the report or the problem.
func readImport(body io.Reader, method string, told *teller) (out wire.Imported, err error) {
	lines := json.NewDecoder(body)
	for {
		var raw json.RawMessage
		var line struct {
			wire.Progress
			wire.Problem
		}
		if err := lines.Decode(&raw); err != nil {
			return out, cut(method, err)
		}
		if err := json.Unmarshal(raw, &line); err != nil {
			return out, cut(method, err)
		}
		switch {
		case line.Kind != "":
			return out, &line.Problem
		case line.Phase != "":
			told.tell(line.Progress)
			continue
		}
		if err := json.Unmarshal(raw, &out); err != nil {
			return wire.Imported{}, cut(method, err)
		}
		return out, nil
	}
}

// teller tells one goroutine at a time, and nobody after its end.
type teller struct {
	mu    sync.Mutex // guards ended and the call
	to    func(wire.Progress)
	ended bool
}

func (t *teller) tell(p wire.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.to != nil && !t.ended { // a node may answer before all is sent
		t.to(p)
	}
}

func (t *teller) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// countingReader tells how far it was read. The transport uses it from one goroutine.
type countingReader struct {
	r          io.Reader
	sent, size int64
	told       *teller
}

// Read reads on.
func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.sent += int64(n)
	c.told.tell(wire.Progress{Phase: wire.PhaseUploading, Done: c.sent, Total: c.size})
	return n, err
}
