package disk

import (
	"maps"
	"slices"
	"syscall"
	"time"
)

// rename is one atomic change of names.
type rename struct {
	order uint64
	edits []edit
}

// edit gives name in dir to node, or to nobody.
type edit struct {
	dir  *Node
	name string
	node *Node
}

func (r *rename) touches(dirs map[*Node]bool) bool {
	return slices.ContainsFunc(r.edits, func(e edit) bool { return dirs[e.dir] })
}

// change makes edits together: visible now, durable when one of their directories is
// synced.
func (d *Disk) change(edits ...edit) {
	d.renew++
	d.names = append(d.names, &rename{order: d.renew, edits: edits})
	for _, e := range edits {
		if old := e.dir.names[e.name]; old != nil {
			d.drop(old)
		}
		if e.node == nil {
			delete(e.dir.names, e.name)
		} else {
			e.dir.names[e.name] = e.node
			e.node.links++
		}
		e.dir.modified = time.Now()
	}
}

func (d *Disk) drop(n *Node) {
	if n.links--; n.links == 0 {
		d.used -= n.space.cut(0)
	}
}

// syncNames makes the names of dir durable, and of the directories that a rename
// connects with it; of all directories for nil and on ordered disks.
func (d *Disk) syncNames(dir *Node) {
	dirs := map[*Node]bool{dir: true}
	all := dir == nil || d.Ordered
	for grown := !all; grown; {
		grown = false
		for _, r := range d.names {
			for _, e := range r.edits {
				if r.touches(dirs) && !dirs[e.dir] {
					dirs[e.dir], grown = true, true
				}
			}
		}
	}
	var left []*rename
	for _, r := range d.names {
		if all || r.touches(dirs) {
			r.apply(func(n *Node) map[string]*Node { return n.durable })
		} else {
			left = append(left, r)
		}
	}
	d.names = left
}

func (r *rename) apply(names func(*Node) map[string]*Node) {
	for _, e := range r.edits {
		if e.node == nil {
			delete(names(e.dir), e.name)
		} else {
			names(e.dir)[e.name] = e.node
		}
	}
}

// Lookup finds name in dir.
func (d *Disk) Lookup(dir *Node, name string) (*Node, Attr, error) {
	if err := d.enter(); err != nil {
		return nil, Attr{}, err
	}
	defer d.mu.Unlock()
	if !dir.Dir() {
		return nil, Attr{}, syscall.ENOTDIR
	}
	n := dir.names[name]
	if n == nil {
		return nil, Attr{}, syscall.ENOENT
	}
	return n, n.attr(), nil
}

// Names lists dir in order.
func (d *Disk) Names(dir *Node) ([]string, []Attr, error) {
	if err := d.enter(); err != nil {
		return nil, nil, err
	}
	defer d.mu.Unlock()
	names := slices.Sorted(maps.Keys(dir.names))
	attrs := make([]Attr, len(names))
	for i, name := range names {
		attrs[i] = dir.names[name].attr()
	}
	return names, attrs, nil
}

// Make creates a file, a directory or, with a target, a symbolic link.
func (d *Disk) Make(dir *Node, name string, mode uint32, target string) (*Node, Attr, error) {
	if err := d.enter(); err != nil {
		return nil, Attr{}, err
	}
	defer d.mu.Unlock()
	if dir.names[name] != nil {
		return nil, Attr{}, syscall.EEXIST
	}
	n := d.node(mode)
	n.target = target
	d.change(edit{dir, name, n})
	return n, n.attr(), nil
}

// Link gives n a second name.
func (d *Disk) Link(n, dir *Node, name string) (Attr, error) {
	if err := d.enter(); err != nil {
		return Attr{}, err
	}
	defer d.mu.Unlock()
	if dir.names[name] != nil {
		return Attr{}, syscall.EEXIST
	}
	d.change(edit{dir, name, n})
	return n.attr(), nil
}

// Target is where a symbolic link points.
func (d *Disk) Target(n *Node) (string, error) {
	if err := d.enter(); err != nil {
		return "", err
	}
	defer d.mu.Unlock()
	return n.target, nil
}

// Remove takes name out of dir: a directory, which must be empty, or anything else.
func (d *Disk) Remove(dir *Node, name string, directory bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n := dir.names[name]
	switch {
	case n == nil:
		return syscall.ENOENT
	case directory && !n.Dir():
		return syscall.ENOTDIR
	case !directory && n.Dir():
		return syscall.EISDIR
	case len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	d.change(edit{dir, name, nil})
	return nil
}

// Rename moves from's name to to's newName, whose owner, if any, it replaces unless
// keep is set.
func (d *Disk) Rename(from *Node, name string, to *Node, newName string, keep bool) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	n, old := from.names[name], to.names[newName]
	switch {
	case n == nil:
		return syscall.ENOENT
	case old == n:
		return nil
	case old != nil && keep:
		return syscall.EEXIST
	case old != nil && len(old.names) > 0:
		return syscall.ENOTEMPTY
	}
	d.change(edit{to, newName, n}, edit{from, name, nil})
	return nil
}
