package disk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Export writes everything, as it is now, into dir, which it makes: plain files with
// holes where nothing was written.
func (d *Disk) Export(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := export(d.root, dir); err != nil {
		return fmt.Errorf("exporting disk: %w", err)
	}
	return nil
}

func export(n *Node, path string) error {
	switch n.mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		if err := os.MkdirAll(path, fs.FileMode(n.mode&0o777|0o700)); err != nil {
			return err
		}
		for name, child := range n.names {
			if err := export(child, filepath.Join(path, name)); err != nil {
				return err
			}
		}
		return nil
	case syscall.S_IFLNK:
		return os.Symlink(n.target, path)
	}
	return n.export(path)
}

func (n *Node) export(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(n.mode&0o777))
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if err := f.Truncate(n.size); err != nil {
		return err
	}
	for i, p := range n.pages {
		if at := i * PageSize; at < n.size {
			if _, err := f.WriteAt(p.bytes[:min(PageSize, n.size-at)], at); err != nil {
				return err
			}
		}
	}
	return nil
}

// Import puts what is in dir on the disk, durably. A directory that is missing is
// empty.
func (d *Disk) Import(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(d.root, dir); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("importing disk: %w", err)
	}
	d.syncNames(nil)
	return nil
}

func (d *Disk) load(to *Node, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.loadOne(to, filepath.Join(dir, e.Name()), e); err != nil {
			return err
		}
	}
	return nil
}

func (d *Disk) loadOne(to *Node, path string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	kind := map[fs.FileMode]uint32{fs.ModeDir: syscall.S_IFDIR, fs.ModeSymlink: syscall.S_IFLNK, 0: syscall.S_IFREG}
	mode, ok := kind[e.Type()]
	if !ok {
		return fmt.Errorf("%s is neither a file nor a directory", path)
	}
	n := d.node(mode | uint32(info.Mode().Perm()))
	d.change(edit{to, e.Name(), n})
	switch e.Type() {
	case fs.ModeDir:
		return d.load(n, path)
	case fs.ModeSymlink:
		n.target, err = os.Readlink(path)
		return err
	}
	return d.loadFile(n, path)
}

func (d *Disk) loadFile(n *Node, path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var zeros page
	for at := 0; at < len(content); at += PageSize {
		p := &page{}
		copy(p.bytes[:], content[at:])
		if i := int64(at / PageSize); p.bytes != zeros.bytes {
			n.pages[i], n.dirty[i] = p, struct{}{}
			n.space.add(i, i)
		}
	}
	d.used += n.space.count
	n.size = int64(len(content))
	n.sync()
	return nil
}
