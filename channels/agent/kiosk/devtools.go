package kiosk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// ErrNoPicture is returned by Picture where nothing here can take one.
var ErrNoPicture = errors.New("no program here takes a picture of the page")

// maxAnswer bounds an answer of the browser: a picture of a large screen, in base64.
const maxAnswer = 64 << 20

// Picture is what the page looks like in the browser's own picture, as PNG. It knows nothing of
// other windows above the browser, nor of the screen. It returns ErrNoPicture where the browser is
// no Chromium, or does not run.
func (b *Browser) Picture(ctx context.Context) ([]byte, error) {
	b.mu.Lock()
	page := b.page
	b.mu.Unlock()
	if page == nil {
		return nil, ErrNoPicture
	}
	return page.picture(ctx, b.o.URL)
}

// Pictures reports whether the browser may be able to take pictures.
func (b *Browser) Pictures() bool { return b.pipe }

// devtools speaks the DevTools protocol of a Chromium by a pipe: texts of JSON, each with a zero byte
// after it, on the descriptors 3 and 4 of the browser. No port is opened for that.
type devtools struct {
	to, from *os.File

	asking sync.Mutex // one question at a time

	mu      sync.Mutex // guards what follows
	last    int        // id of the last question
	waiting chan answer
}

type answer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// newDevtools makes the pipes; theirs are for the browser. close ends it.
func newDevtools() (d *devtools, theirs []*os.File, err error) {
	in, to, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("making a pipe to the browser: %w", err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("making a pipe from the browser: %w", err), in.Close(), to.Close())
	}
	d = &devtools{to: to, from: from}
	go d.read()
	return d, []*os.File{in, out}, nil
}

// close ends the reading, too.
func (d *devtools) close() { _, _ = d.to.Close(), d.from.Close() }

// read hands answers to who waits for them, and passes over what was not asked for.
func (d *devtools) read() {
	texts := bufio.NewScanner(d.from)
	texts.Buffer(nil, maxAnswer)
	texts.Split(func(data []byte, _ bool) (int, []byte, error) {
		if at := bytes.IndexByte(data, 0); at >= 0 {
			return at + 1, data[:at], nil
		}
		return 0, nil, nil
	})
	for texts.Scan() {
		var a answer
		if json.Unmarshal(texts.Bytes(), &a) != nil {
			continue
		}
		d.mu.Lock()
		if a.ID == d.last && d.waiting != nil {
			d.waiting <- a // has room for one
			d.waiting = nil
		}
		d.mu.Unlock()
	}
}

// ask asks one thing, and reads its result into out.
func (d *devtools) ask(ctx context.Context, session, method string, params, out any) error {
	came := make(chan answer, 1)
	d.mu.Lock()
	d.last++
	d.waiting = came
	question := map[string]any{"id": d.last, "method": method, "params": params}
	d.mu.Unlock()
	if session != "" {
		question["sessionId"] = session
	}
	raw, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("asking the browser: %w", err)
	}
	if end, ok := ctx.Deadline(); ok {
		_ = d.to.SetWriteDeadline(end)
	}
	if _, err := d.to.Write(append(raw, 0)); err != nil {
		return fmt.Errorf("asking the browser: %w", err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("waiting for the browser: %w", context.Cause(ctx))
	case a := <-came:
		if a.Error != nil {
			return fmt.Errorf("the browser refuses %s: %.200s", method, a.Error.Message)
		}
		return json.Unmarshal(a.Result, out)
	}
}

// picture is one of the page at url, which another one may have been opened beside.
func (d *devtools) picture(ctx context.Context, url string) ([]byte, error) {
	d.asking.Lock()
	defer d.asking.Unlock()
	var targets struct {
		TargetInfos []struct{ TargetID, Type, URL string }
	}
	if err := d.ask(ctx, "", "Target.getTargets", struct{}{}, &targets); err != nil {
		return nil, err
	}
	for _, t := range targets.TargetInfos {
		if t.Type != "page" || t.URL != url {
			continue
		}
		var attached struct{ SessionID string }
		if err := d.ask(ctx, "", "Target.attachToTarget", map[string]any{"targetId": t.TargetID, "flatten": true}, &attached); err != nil {
			return nil, err
		}
		var shot struct{ Data []byte } // base64, as encoding/json reads bytes
		err := d.ask(ctx, attached.SessionID, "Page.captureScreenshot", map[string]any{"format": "png", "optimizeForSpeed": true}, &shot)
		left := d.ask(ctx, "", "Target.detachFromTarget", map[string]any{"sessionId": attached.SessionID}, &struct{}{})
		if err = errors.Join(err, left); err != nil {
			return nil, err
		}
		return shot.Data, nil
	}
	return nil, fmt.Errorf("the browser has no page of %s: %w", url, io.EOF)
}
