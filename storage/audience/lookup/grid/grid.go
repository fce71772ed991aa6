// Package grid finds the members whose point lies in a polygon. It knows ordinals and points, and
// nothing else of members.
package grid

import (
	"almenara/storage/audience/geometry"
	"almenara/storage/audience/lookup/sets"
)

// The grid has two levels, because a polygon over a whole district has to be held against a
// few hundred squares only, and its border has to be cut finely: cells of 0.005°, about 500 m,
// in blocks of 8 × 8. What lies wholly inside is taken whole; only members in cells
// that an edge touches are tested, against the edges of their row.
const (
	cellUnits  = 50_000 // 0.005°
	blockSide  = 8
	blockUnits = cellUnits * blockSide
)

// Grid holds the located members, by row and column of their block.
type Grid struct{ rows map[int32]map[int32]*block }

// block is 8 × 8 cells, those with members only.
type block struct {
	members int
	cells   []cell
}

// cell has the members of one cell; at is its row × 8 + its column in the block.
type cell struct {
	at    uint8
	spots []spot // in no order
}

// spot is a member and where in its cell it is: 8 bytes, side by side with its
// neighbours, because tests of a border read tens of thousands.
type spot struct {
	ord  uint32
	y, x uint16 // from the cell's lower left corner; a cell has 50,000 units
}

// New is an empty grid.
func New() Grid { return Grid{map[int32]map[int32]*block{}} }

// Empty reports a grid without members.
func (g *Grid) Empty() bool { return len(g.rows) == 0 }

// floorDiv rounds towards minus infinity.
func floorDiv(a, b int32) int32 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// address says in which block and cell a point lies, and where in the cell.
func address(p geometry.Point) (row, col int32, at uint8, y, x uint16) {
	row, col = floorDiv(p.Lat, blockUnits), floorDiv(p.Lon, blockUnits)
	north := int64(p.Lat) - int64(row)*blockUnits
	east := int64(p.Lon) - int64(col)*blockUnits
	at = uint8(north/cellUnits*blockSide + east/cellUnits)
	return row, col, at, uint16(north % cellUnits), uint16(east % cellUnits)
}

// Add puts a member on the grid and returns its slot, which Remove wants.
func (g *Grid) Add(ord uint32, p geometry.Point) (slot uint32) {
	row, col, at, y, x := address(p)
	if g.rows[row] == nil {
		g.rows[row] = map[int32]*block{}
	}
	b := g.rows[row][col]
	if b == nil {
		b = &block{}
		g.rows[row][col] = b
	}
	b.members++
	c := b.cell(at)
	if c == nil {
		b.cells = append(b.cells, cell{at: at})
		c = &b.cells[len(b.cells)-1]
	}
	c.spots = append(c.spots, spot{ord, y, x})
	return uint32(len(c.spots) - 1)
}

// cell returns the cell, or nil.
func (b *block) cell(at uint8) *cell {
	for i := range b.cells {
		if b.cells[i].at == at {
			return &b.cells[i]
		}
	}
	return nil
}

// Remove takes a member off the grid. The last member of the cell moves into its
// slot: moved is that member, ord itself when there was none to move.
func (g *Grid) Remove(ord uint32, p geometry.Point, slot uint32) (moved uint32) {
	row, col, at, _, _ := address(p)
	b := g.rows[row][col]
	c := b.cell(at)
	last := len(c.spots) - 1
	moved = c.spots[last].ord
	c.spots[slot] = c.spots[last]
	if c.spots = c.spots[:last]; last == 0 {
		c.spots = nil
	}
	if b.members--; b.members == 0 {
		delete(g.rows[row], col)
	}
	if len(g.rows[row]) == 0 {
		delete(g.rows, row)
	}
	return moved
}

// sweep is one question: which members lie in the ring.
type sweep struct {
	ring *geometry.Ring
	into *sets.Union

	rowEdges  []geometry.Edge            // those that reach the row of blocks
	cellEdges [blockSide][]geometry.Edge // those that reach each row of cells in it
	near      []geometry.Edge            // those that touch the block
}

// Within adds the members whose point lies in the closed ring to into.
func (g *Grid) Within(r *geometry.Ring, into *sets.Union) {
	s := sweep{ring: r, into: into}
	for row, blocks := range g.rows {
		band := boxAt(int64(row)*blockUnits, 0, blockUnits)
		if band.Max.Y < r.Box.Min.Y || band.Min.Y > r.Box.Max.Y {
			continue
		}
		s.enterRow(band.Min.Y)
		for col, b := range blocks {
			s.block(b, boxAt(int64(row)*blockUnits, int64(col)*blockUnits, blockUnits))
		}
	}
}

// boxAt is the square of points from (y, x) up to, not including, size further.
func boxAt(y, x, size int64) geometry.Box {
	return geometry.Box{Min: geometry.Vertex{X: x, Y: y}, Max: geometry.Vertex{X: x + size - 1, Y: y + size - 1}}
}

// enterRow picks the edges that reach the row of blocks from y upwards.
func (s *sweep) enterRow(y int64) {
	s.rowEdges = reaching(s.ring.Edges, y, y+blockUnits-1, s.rowEdges[:0])
	for i := range s.cellEdges {
		low := y + int64(i)*cellUnits
		s.cellEdges[i] = reaching(s.rowEdges, low, low+cellUnits-1, s.cellEdges[i][:0])
	}
}

// reaching appends the edges that have a point between the latitudes.
func reaching(edges []geometry.Edge, low, high int64, dst []geometry.Edge) []geometry.Edge {
	for _, e := range edges {
		if e.A.Y <= high && e.B.Y >= low {
			dst = append(dst, e)
		}
	}
	return dst
}

// block takes the block whole, leaves it, or looks into its cells.
func (s *sweep) block(b *block, area geometry.Box) {
	if !area.Overlaps(s.ring.Box) {
		return
	}
	if s.near = geometry.Touching(s.rowEdges, area, s.near[:0]); len(s.near) == 0 {
		if geometry.Inside(s.rowEdges, area.Min) {
			for i := range b.cells {
				s.take(b.cells[i].spots)
			}
		}
		return
	}
	for i := range b.cells {
		c := &b.cells[i]
		row, col := int64(c.at)/blockSide, int64(c.at)%blockSide
		s.cell(c.spots, s.cellEdges[row], boxAt(area.Min.Y+row*cellUnits, area.Min.X+col*cellUnits, cellUnits))
	}
}

// cell does the same for a cell; members of a cell on the border are tested.
func (s *sweep) cell(spots []spot, edges []geometry.Edge, area geometry.Box) {
	if !s.onBorder(area) {
		if geometry.Inside(edges, area.Min) {
			s.take(spots)
		}
		return
	}
	for _, at := range spots {
		if geometry.Inside(edges, geometry.Vertex{X: area.Min.X + int64(at.x), Y: area.Min.Y + int64(at.y)}) {
			s.into.Take(at.ord)
		}
	}
}

func (s *sweep) take(spots []spot) {
	for _, at := range spots {
		s.into.Take(at.ord)
	}
}

func (s *sweep) onBorder(area geometry.Box) bool {
	for _, e := range s.near {
		if e.Touches(area) {
			return true
		}
	}
	return false
}
