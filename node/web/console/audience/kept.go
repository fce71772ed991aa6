package audience

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"io"
	"sync"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// A file is kept between the look at what it would change and the word to apply it: compressed, in the
// memory of this node, for a quarter of an hour, one of each person.
const (
	keptFor   = 15 * time.Minute
	keptBytes = 16 << 20 // of one file, compressed: about a million members
	mostKept  = 3
)

// kept are the files that wait for a word. It may be used from any goroutine.
type kept struct {
	mu  sync.Mutex
	all map[string]file // by their ids
}

// file is one of them.
type file struct {
	by, name string
	replace  bool
	packed   []byte
	ends     *time.Timer // drops it
}

func newKept() *kept { return &kept{all: map[string]file{}} }

// keep keeps a file in place of the one that the person has; a *wire.Problem (busy) where others have as
// many as are kept. The id is good for that person only.
func (k *kept) keep(f file) (id string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for other, has := range k.all {
		if has.by == f.by {
			k.drop(other)
		}
	}
	if len(k.all) >= mostKept {
		return "", wire.Problemf(wire.KindBusy, "%d files of other people wait here to be applied, which is the most; nothing was changed: try again later, or at another node", mostKept).Because(why.FilesWait, mostKept)
	}
	id = rand.Text()
	f.ends = time.AfterFunc(keptFor, func() { k.forget(id) })
	k.all[id] = f
	return id, nil
}

// find is the person's file; false where it is not kept any more.
func (k *kept) find(id, by string) (file, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f, ok := k.all[id]
	return f, ok && f.by == by
}

func (k *kept) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(id)
}

func (k *kept) drop(id string) {
	if f, ok := k.all[id]; ok {
		f.ends.Stop()
		delete(k.all, id)
	}
}

// read gives the file as it came.
func (f file) read() (io.Reader, error) { return gzip.NewReader(bytes.NewReader(f.packed)) }

// packer compresses what is written to it, up to keptBytes; what is more is passed over.
type packer struct {
	out  bytes.Buffer
	zip  *gzip.Writer
	full bool
}

func newPacker() *packer {
	p := &packer{}
	p.zip, _ = gzip.NewWriterLevel(&p.out, gzip.BestSpeed) // the level is one that there is
	return p
}

// Write never fails, so that a file that cannot be kept is judged all the same.
func (p *packer) Write(raw []byte) (int, error) {
	if !p.full {
		_, _ = p.zip.Write(raw) // into memory
		if p.out.Len() > keptBytes {
			p.full, p.out = true, bytes.Buffer{}
		}
	}
	return len(raw), nil
}

// packed is the whole file; false where it is too large to be kept.
func (p *packer) packed() ([]byte, bool) {
	if p.full {
		return nil, false
	}
	_ = p.zip.Close()
	return p.out.Bytes(), p.out.Len() <= keptBytes
}
