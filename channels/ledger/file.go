package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/durable"
)

// File keeps on disk what a ledger has handed over, or was about to when the node ended: one
// line each, with its checksum. A line is on the disk before the hand-over begins, so that
// nothing is handed over twice; what a crash cut off was never begun. It is for one ledger. A
// nil File keeps nothing.
type File struct {
	path string
	file *os.File
	size int64
	has  map[handed]bool
}

// handed is one body for one device.
type handed struct {
	Alert    alert.ID       `json:"alert"`
	Revision alert.Revision `json:"revision"`
	Device   string         `json:"device"`
}

// line is a handed with the time from which on it matters no more.
type line struct {
	handed
	Expires time.Time `json:"expires"`
}

// keepFor is how long a line stays after the alert has expired: a clock may be put back.
const keepFor = 24 * time.Hour

func handedOf(d *channels.Delivery, to channels.Endpoint) handed {
	return handed{d.Alert, d.Revision, to.Device}
}

// OpenFile reads what was handed over, writes it anew without what expired more than a day
// before wall, and goes on with it. A file that is not there is an empty one.
func OpenFile(path string, wall time.Time) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading what was handed over: %w", err)
	}
	f := &File{path: path, has: map[handed]bool{}}
	var keep []byte
	for text := range bytes.Lines(raw) {
		if l, ok := readLine(text); ok && wall.Before(l.Expires.Add(keepFor)) {
			f.has[l.handed] = true
			keep = append(keep, text...)
		}
	}
	if err := durable.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("making the folder of what was handed over: %w", err)
	}
	if err := durable.WriteFile(path, keep); err != nil {
		return nil, fmt.Errorf("writing what was handed over: %w", err)
	}
	if f.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, fmt.Errorf("opening what was handed over: %w", err)
	}
	f.size = int64(len(keep))
	return f, nil
}

// Close ends it. What was begun stays on the disk.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	return f.file.Close()
}

// Has reports whether it was begun, in this run or before.
func (f *File) Has(h handed) bool { return f != nil && f.has[h] }

// begin makes durable that the jobs are about to be handed over. After an error it is as
// before: what was half written is cut off.
func (f *File) begin(jobs []*Job) error {
	if f == nil {
		return nil
	}
	var lines bytes.Buffer
	var fresh []handed
	for _, j := range jobs {
		if h := handedOf(j.part.delivery, j.to); !f.has[h] {
			fresh = append(fresh, h)
			lines.Write(line{h, j.part.delivery.Expires}.write())
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	_, err := f.file.Write(lines.Bytes())
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keeping what is handed over: %w", err), f.file.Truncate(f.size))
	}
	f.size += int64(lines.Len())
	for _, h := range fresh {
		f.has[h] = true
	}
	return nil
}

// write gives the line with its checksum.
func (l line) write() []byte {
	text, _ := json.Marshal(l) // it always encodes
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text)
}

// readLine reads a whole line; false for one that was cut off or damaged.
func readLine(text []byte) (l line, ok bool) {
	if len(text) < 10 || text[8] != ' ' || text[len(text)-1] != '\n' {
		return l, false
	}
	sum, err := strconv.ParseUint(string(text[:8]), 16, 32)
	body := text[9 : len(text)-1]
	return l, err == nil && uint32(sum) == crc32.ChecksumIEEE(body) && json.Unmarshal(body, &l) == nil
}
