package audience

// The grid finds the members whose point lies in a polygon. It has two levels,
// because a polygon over a whole district has to be held against a few hundred
// squares only, and its border has to be cut finely: cells of 0.005°, about 500 m,
// in blocks of 8 × 8. What lies wholly inside is taken whole; only members in cells
// that an edge touches are tested, against the edges of their row.
const (
	cellUnits  = 50_000 // 0.005°
	blockSide  = 8
	blockUnits = cellUnits * blockSide
)

// grid holds the located members, by row and column of their block.
type grid struct{ rows map[int32]map[int32]*block }

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

func newGrid() grid { return grid{map[int32]map[int32]*block{}} }

// floorDiv rounds towards minus infinity.
func floorDiv(a, b int32) int32 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// address says in which block and cell a point lies, and where in the cell.
func address(p Point) (row, col int32, at uint8, y, x uint16) {
	row, col = floorDiv(p.Lat, blockUnits), floorDiv(p.Lon, blockUnits)
	north := int64(p.Lat) - int64(row)*blockUnits
	east := int64(p.Lon) - int64(col)*blockUnits
	at = uint8(north/cellUnits*blockSide + east/cellUnits)
	return row, col, at, uint16(north % cellUnits), uint16(east % cellUnits)
}

// add puts a member on the grid and returns its slot, which remove wants.
func (g *grid) add(ord uint32, p Point) (slot uint32) {
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

// remove takes a member off the grid. The last member of the cell moves into its
// slot: moved is that member, ord itself when there was none to move.
func (g *grid) remove(ord uint32, p Point, slot uint32) (moved uint32) {
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
	ring *ring
	into *union

	rowEdges  []edge            // those that reach the row of blocks
	cellEdges [blockSide][]edge // those that reach each row of cells in it
	near      []edge            // those that touch the block
}

// within adds the members whose point lies in the closed ring to into.
func (g *grid) within(r *ring, into *union) {
	s := sweep{ring: r, into: into}
	for row, blocks := range g.rows {
		band := boxAt(int64(row)*blockUnits, 0, blockUnits)
		if band.max.y < r.box.min.y || band.min.y > r.box.max.y {
			continue
		}
		s.enterRow(band.min.y)
		for col, b := range blocks {
			s.block(b, boxAt(int64(row)*blockUnits, int64(col)*blockUnits, blockUnits))
		}
	}
}

// boxAt is the square of points from (y, x) up to, not including, size further.
func boxAt(y, x, size int64) box {
	return box{vertex{x, y}, vertex{x + size - 1, y + size - 1}}
}

// enterRow picks the edges that reach the row of blocks from y upwards.
func (s *sweep) enterRow(y int64) {
	s.rowEdges = reaching(s.ring.edges, y, y+blockUnits-1, s.rowEdges[:0])
	for i := range s.cellEdges {
		low := y + int64(i)*cellUnits
		s.cellEdges[i] = reaching(s.rowEdges, low, low+cellUnits-1, s.cellEdges[i][:0])
	}
}

// reaching appends the edges that have a point between the latitudes.
func reaching(edges []edge, low, high int64, dst []edge) []edge {
	for _, e := range edges {
		if e.a.y <= high && e.b.y >= low {
			dst = append(dst, e)
		}
	}
	return dst
}

// block takes the block whole, leaves it, or looks into its cells.
func (s *sweep) block(b *block, area box) {
	if !area.overlaps(s.ring.box) {
		return
	}
	if s.near = touching(s.rowEdges, area, s.near[:0]); len(s.near) == 0 {
		if inside(s.rowEdges, area.min) {
			for i := range b.cells {
				s.take(b.cells[i].spots)
			}
		}
		return
	}
	for i := range b.cells {
		c := &b.cells[i]
		row, col := int64(c.at)/blockSide, int64(c.at)%blockSide
		s.cell(c.spots, s.cellEdges[row], boxAt(area.min.y+row*cellUnits, area.min.x+col*cellUnits, cellUnits))
	}
}

// cell does the same for a cell; members of a cell on the border are tested.
func (s *sweep) cell(spots []spot, edges []edge, area box) {
	if !s.onBorder(area) {
		if inside(edges, area.min) {
			s.take(spots)
		}
		return
	}
	for _, at := range spots {
		if inside(edges, vertex{area.min.x + int64(at.x), area.min.y + int64(at.y)}) {
			s.into.take(at.ord)
		}
	}
}

func (s *sweep) take(spots []spot) {
	for _, at := range spots {
		s.into.take(at.ord)
	}
}

func (s *sweep) onBorder(area box) bool {
	for _, e := range s.near {
		if e.touches(area) {
			return true
		}
	}
	return false
}
