package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// mood is how much of what was not synced one cut keeps.
type mood int

const (
	dropAll mood = iota
	keepAll
	choose      // of every page by itself
	chooseFiles // of every file as a whole: one may be there to its end, and an older one not
	moods
)

// crash makes the disk that a cut leaves.
type crash struct {
	old, new *Disk
	r        *rand.Rand
	mood     mood
	whole    bool // chooseFiles: keep what was not synced of the file that is copied
	copies   map[*Node]*Node
}

// Crash returns the disk that a cut now, with the choices of salt, would leave. It is
// a disk of its own, with power and without faults; the old one goes on unless it was
// cut. It works on a disk without power, too.
func (d *Disk) Crash(salt uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &crash{old: d, r: d.random(salt ^ 0x9e3779b97f4a7c15), copies: map[*Node]*Node{}}
	c.mood = mood(c.r.IntN(int(moods)))
	c.new = New(d.seed + salt + 1)
	c.new.Ordered, c.new.capacity, c.new.lastID = d.Ordered, d.capacity, d.lastID
	names := c.names()
	c.copies[d.root] = c.new.root
	c.fill(d.root, names)
	return c.new
}

// names decides which changes of names are there, and gives each directory's names.
func (c *crash) names() map[*Node]map[string]*Node {
	kept := map[*Node]map[string]*Node{}
	of := func(n *Node) map[string]*Node {
		if kept[n] == nil {
			kept[n] = maps.Clone(n.durable)
		}
		return kept[n]
	}
	limit := c.limits()
	blocked := map[*Node]bool{}
	for _, r := range c.old.names {
		keep := !r.touches(blocked)
		for _, e := range r.edits {
			keep = keep && limit(e.dir) > 0
		}
		for _, e := range r.edits {
			blocked[e.dir] = !keep
		}
		if !keep && c.old.Ordered {
			break
		}
		if keep {
			r.apply(of)
		}
	}
	return kept
}

// limits returns a countdown for each directory, or one for an ordered disk.
func (c *crash) limits() func(*Node) int {
	count, left := map[*Node]int{}, map[*Node]int{}
	of := func(n *Node) *Node {
		if c.old.Ordered {
			return nil
		}
		return n
	}
	var order []*Node
	for _, r := range c.old.names {
		for _, e := range r.edits {
			if count[of(e.dir)] == 0 {
				order = append(order, of(e.dir))
			}
			count[of(e.dir)]++
		}
	}
	for _, n := range order {
		left[n] = map[mood]int{keepAll: count[n] + 1, choose: 1 + c.r.IntN(count[n]+1)}[min(c.mood, choose)]
	}
	return func(n *Node) int {
		left[of(n)]--
		return left[of(n)]
	}
}

// fill copies what is below dir.
func (c *crash) fill(dir *Node, names map[*Node]map[string]*Node) {
	list := names[dir]
	if list == nil {
		list = dir.durable
	}
	to := c.copies[dir]
	for _, name := range slices.Sorted(maps.Keys(list)) {
		n := list[name]
		copied := c.copies[n]
		if copied == nil {
			copied = c.copy(n)
			c.copies[n] = copied
			if n.Dir() {
				c.fill(n, names)
			}
		}
		to.names[name], to.durable[name] = copied, copied
		copied.links++
	}
}

func (c *crash) copy(n *Node) *Node {
	m := c.new.node(n.mode)
	m.ID, m.modified, m.target = n.ID, n.modified, n.target
	if n.Dir() {
		return m
	}
	m.size, c.whole = n.durableSize, c.r.IntN(2) == 0
	if n.size != n.durableSize && c.keep() {
		m.size = n.size
	}
	maps.Copy(m.pages, n.synced)
	for _, i := range slices.Sorted(maps.Keys(n.dirty)) {
		if p := c.page(n, i); p != nil {
			p.shared = true
			m.pages[i] = p
		} else {
			delete(m.pages, i)
		}
	}
	m.truncate(m.size)
	m.settled()
	m.reserve(n)
	c.new.used += m.space.count
	return m
}

// settled makes all of n durable.
func (n *Node) settled() {
	for _, p := range n.pages {
		if !p.shared {
			p.shared = true
		}
	}
	n.synced, n.durableSize = maps.Clone(n.pages), n.size
	clear(n.dirty)
}

// reserve gives a copy the space that its content needs, and what was allocated.
func (n *Node) reserve(from *Node) {
	for i := range n.pages {
		n.space.add(i, i)
	}
	for i := int64(0); i*PageSize < n.size; i++ {
		if from.space.has(i) {
			n.space.add(i, i)
		}
	}
}

func (c *crash) keep() bool {
	switch c.mood {
	case dropAll:
		return false
	case keepAll:
		return true
	case chooseFiles:
		return c.whole
	}
	return c.r.IntN(2) == 0
}

// page is what is there of a page that was not synced.
func (c *crash) page(n *Node, i int64) *page {
	before, after := n.synced[i], n.pages[i]
	l := c.old.last
	torn := l.node == n && l.from <= i && i <= l.to && c.r.IntN(2) == 0
	if torn && c.mood == choose && after != nil {
		p := &page{}
		if before != nil {
			p.bytes = before.bytes
		}
		sectors := 1 + c.r.IntN(PageSize/SectorSize-1)
		copy(p.bytes[:sectors*SectorSize], after.bytes[:])
		return p
	}
	if c.keep() {
		return after
	}
	return before
}
