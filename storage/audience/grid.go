package audience

// The grid finds the members whose point lies in a polygon. It has two levels,
// because a polygon over a whole district has to take its inside in a few hundred
// unions, and its border has to be cut finely: cells of 0.005°, about 500 m, in
// blocks of 8 × 8. What lies wholly inside is taken whole; only members in cells
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
	all   set
	cells []cell
}

// cell has the members of one cell; at is its row × 8 + its column in the block.
type cell struct {
	at uint8
	in set
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

// address says in which block and cell a point lies.
func address(p Point) (row, col int32, at uint8) {
	row, col = floorDiv(p.Lat, blockUnits), floorDiv(p.Lon, blockUnits)
	y := (int64(p.Lat) - int64(row)*blockUnits) / cellUnits
	x := (int64(p.Lon) - int64(col)*blockUnits) / cellUnits
	return row, col, uint8(y*blockSide + x)
}

func (g *grid) add(ord uint32, p Point) {
	row, col, at := address(p)
	if g.rows[row] == nil {
		g.rows[row] = map[int32]*block{}
	}
	b := g.rows[row][col]
	if b == nil {
		b = &block{}
		g.rows[row][col] = b
	}
	b.all.add(ord)
	for i := range b.cells {
		if b.cells[i].at == at {
			b.cells[i].in.add(ord)
			return
		}
	}
	c := cell{at: at}
	c.in.add(ord)
	b.cells = append(b.cells, c)
}

func (g *grid) remove(ord uint32, p Point) {
	row, col, at := address(p)
	b := g.rows[row][col]
	if b == nil {
		return
	}
	b.all.remove(ord)
	for i := range b.cells {
		if b.cells[i].at == at {
			b.cells[i].in.remove(ord)
		}
	}
	if b.all.empty() {
		delete(g.rows[row], col)
	}
	if len(g.rows[row]) == 0 {
		delete(g.rows, row)
	}
}

// sweep is one question: which members lie in the ring.
type sweep struct {
	ring *ring
	at   func(ord uint32) Point
	into *union

	rowEdges  []edge            // those that reach the row of blocks
	cellEdges [blockSide][]edge // those that reach each row of cells in it
	near      []edge            // those that touch the block
}

// within adds the members whose point lies in the closed ring to into.
func (g *grid) within(r *ring, at func(ord uint32) Point, into *union) {
	s := sweep{ring: r, at: at, into: into}
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
			s.into.add(&b.all)
		}
		return
	}
	for i := range b.cells {
		c := &b.cells[i]
		row, col := int64(c.at)/blockSide, int64(c.at)%blockSide
		s.cell(&c.in, s.cellEdges[row], boxAt(area.min.y+row*cellUnits, area.min.x+col*cellUnits, cellUnits))
	}
}

// cell does the same for a cell; members of a cell on the border are tested.
func (s *sweep) cell(in *set, edges []edge, area box) {
	if !s.onBorder(area) {
		if inside(edges, area.min) {
			s.into.add(in)
		}
		return
	}
	for _, ord := range in.few {
		s.member(ord, edges)
	}
	if in.bits != nil {
		in.bits.Iterate(func(ord uint32) bool {
			s.member(ord, edges)
			return true
		})
	}
}

func (s *sweep) member(ord uint32, edges []edge) {
	if inside(edges, s.at(ord).vertex()) {
		s.into.few = append(s.into.few, ord)
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
