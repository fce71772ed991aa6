package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// table is rows in aligned columns. Where the width is short, the last column and
// those marked as yielding are cut; ids never are, because half an id is of no use.
// Without a head it is names and what is said of each, and nothing is cut: the last
// column goes on in the next line.
type table struct {
	head  []string
	rows  [][]string
	right map[int]bool // columns of numbers
	yield map[int]bool // columns that may be cut, besides the last
	paths map[int]bool // columns that are cut at the front, where paths are alike
}

// newTable makes a table; a name that begins with '>' is a column of numbers, with
// '~' one that yields, with '<' one of paths.
func newTable(names ...string) *table {
	t := &table{right: map[int]bool{}, yield: map[int]bool{}, paths: map[int]bool{}}
	for i, name := range names {
		name, t.right[i] = strings.CutPrefix(name, ">")
		name, t.yield[i] = strings.CutPrefix(name, "~")
		if name, t.paths[i] = strings.CutPrefix(name, "<"); t.paths[i] {
			t.yield[i] = true
		}
		t.head = append(t.head, name)
	}
	return t
}

// add appends a row.
func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// write prints the table no wider than columns.
func (t *table) write(w io.Writer, columns int) {
	rows := t.rows
	if t.head != nil {
		rows = append([][]string{t.head}, rows...)
	}
	widths := t.fit(t.widths(rows), columns)
	if t.head == nil {
		rows = folded(rows, widths)
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(t.pad(t.cut(cell, widths[i], i), widths[i], i))
			if i < len(row)-1 {
				line.WriteString("  ")
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// folded breaks last cells that are wider than their column into rows of their own.
func folded(rows [][]string, widths []int) (out [][]string) {
	last := len(widths) - 1
	for _, row := range rows {
		if len(row) <= last {
			out = append(out, row)
			continue
		}
		for i, line := range wrap(row[last], widths[last]) {
			next := make([]string, len(row))
			if i == 0 {
				copy(next, row)
			}
			next[last] = line
			out = append(out, next)
		}
	}
	return out
}

// wrap breaks s between words into lines of so many columns at most; a word that is
// wider has a line of its own.
func wrap(s string, columns int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(s) {
		line := &lines[len(lines)-1]
		switch {
		case *line == "":
			*line = word
		case columnsOf(*line)+1+columnsOf(word) <= columns:
			*line += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

func (t *table) widths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	return widths
}

// lastColumn is how many columns the last column gets where the width is so short that
// it must be cut and no other yields.
func (t *table) lastColumn(columns int) int {
	widths := t.widths(append([][]string{t.head}, t.rows...))
	for _, w := range widths[:len(widths)-1] {
		columns -= w + 2
	}
	return columns
}

// leastColumns is what a cut column keeps.
const leastColumns = 8

// fit narrows the columns that may be cut, the widest first, until the row fits.
func (t *table) fit(widths []int, columns int) []int {
	over := -columns - 2 // no gap after the last
	for _, w := range widths {
		over += w + 2
	}
	for ; over > 0; over-- {
		widest := -1
		for i, w := range widths {
			cut := t.yield[i] || (i == len(widths)-1 && !t.right[i])
			if cut && w > leastColumns && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

func (t *table) cut(cell string, to, column int) string {
	switch {
	case t.head == nil:
		return cell
	case t.paths[column]:
		return truncateFront(cell, to)
	}
	return truncate(cell, to)
}

func (t *table) pad(cell string, to, column int) string {
	space := strings.Repeat(" ", max(0, to-columnsOf(cell)))
	if t.right[column] {
		return space + cell
	}
	return cell + space
}

// columnsOf is how many terminal columns s takes (Unicode Standard Annex 11).
func columnsOf(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// truncate cuts s to so many columns and marks the cut.
func truncate(s string, columns int) string {
	if columnsOf(s) <= columns {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeColumns(r); n > columns-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// truncateFront is truncate from the other side.
func truncateFront(s string, columns int) string {
	over := columnsOf(s) - columns
	if over <= 0 {
		return s
	}
	over++ // for the mark
	for i, r := range s {
		if over <= 0 {
			return "…" + s[i:]
		}
		over -= runeColumns(r)
	}
	return "…"
}

// clean keeps foreign text from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}

// thousands writes 1204 as 1,204.
func thousands[N int | int64 | uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural writes a count with its noun.
func plural[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// clock writes a time for people, in their zone; "-" when there is none.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// shortClock writes a time as shortly as it is clear: the time of today, the day of
// this year, else the date; "-" when there is none.
func shortClock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.IsZero():
		return "-"
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("Jan 2")
	}
	return t.Format(time.DateOnly)
}

// yes writes a flag for people.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
