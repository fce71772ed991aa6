// Package terminal writes tables, numbers and times for people, by the columns that wide and
// combining letters take. It knows no command and does no I/O but to the writer it is given.
package terminal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// Unbounded is the width of an output that is no terminal: a program that reads it gets
// every line whole.
const Unbounded = 1 << 20

// Table is rows in aligned columns. Where the width is short, the last column and
// those marked as yielding are cut; ids never are, because half an id is of no use.
// Without a head it is names and what is said of each, and nothing is cut: the last
// column goes on in the next line.
type Table struct {
	head  []string
	Rows  [][]string
	Right map[int]bool // columns of numbers
	yield map[int]bool // columns that may be cut, besides the last
	paths map[int]bool // columns that are cut at the front, where paths are alike
	folds bool         // the last column goes on in the next line and is never cut
}

// NewTable makes a table; a name that begins with '>' is a column of numbers, with
// '~' one that yields, with '<' one of paths, and with '|' the last one, which goes on in the next
// line where it is wide. What identifies and what decides must not be cut; free text may be.
func NewTable(names ...string) *Table {
	t := &Table{Right: map[int]bool{}, yield: map[int]bool{}, paths: map[int]bool{}}
	for i, name := range names {
		name, t.folds = strings.CutPrefix(name, "|")
		name, t.Right[i] = strings.CutPrefix(name, ">")
		name, t.yield[i] = strings.CutPrefix(name, "~")
		if name, t.paths[i] = strings.CutPrefix(name, "<"); t.paths[i] {
			t.yield[i] = true
		}
		t.head = append(t.head, name)
	}
	return t
}

// Add appends a row.
func (t *Table) Add(cells ...string) {
	for i := range cells {
		cells[i] = Clean(cells[i])
	}
	t.Rows = append(t.Rows, cells)
}

// Write prints the table no wider than columns.
func (t *Table) Write(w io.Writer, columns int) {
	rows := t.Rows
	if t.head != nil {
		rows = append([][]string{t.head}, rows...)
	}
	widths := t.fit(t.widths(rows), columns)
	if t.head == nil || t.folds {
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
		case ColumnsOf(*line)+1+ColumnsOf(word) <= columns:
			*line += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

func (t *Table) widths(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ColumnsOf(cell))
		}
	}
	return widths
}

// LastColumn is how many columns the last column gets where the width is so short that
// it must be cut and no other yields.
func (t *Table) LastColumn(columns int) int {
	widths := t.widths(append([][]string{t.head}, t.Rows...))
	for _, w := range widths[:len(widths)-1] {
		columns -= w + 2
	}
	return columns
}

// leastColumns is what a cut column keeps.
const leastColumns = 8

// fit narrows the columns that may be cut, the widest first, until the row fits.
func (t *Table) fit(widths []int, columns int) []int {
	over := -columns - 2 // no gap after the last
	for _, w := range widths {
		over += w + 2
	}
	for ; over > 0; over-- {
		widest := -1
		for i, w := range widths {
			cut := t.yield[i] || (i == len(widths)-1 && !t.Right[i])
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

func (t *Table) cut(cell string, to, column int) string {
	switch {
	case t.head == nil, t.folds && column == len(t.head)-1:
		return cell
	case t.paths[column]:
		return truncateFront(cell, to)
	}
	return Truncate(cell, to)
}

func (t *Table) pad(cell string, to, column int) string {
	space := strings.Repeat(" ", max(0, to-ColumnsOf(cell)))
	if t.Right[column] {
		return space + cell
	}
	return cell + space
}

// ColumnsOf is how many terminal columns s takes (Unicode Standard Annex 11).
func ColumnsOf(s string) int {
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

// Truncate cuts s to so many columns and marks the cut.
func Truncate(s string, columns int) string {
	if ColumnsOf(s) <= columns {
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
	over := ColumnsOf(s) - columns
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

// Clean keeps foreign text from steering the
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}

// Thousands writes 1204 as 1,204.
func Thousands[N int | int64 | uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Plural writes a count with its noun.
func Plural[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(n) + " " + noun + "s"
}

// Clock writes a time for people, in their zone and with it; "-" when there is none.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05 -07:00")
}

// ShortClock writes a time as shortly as it is clear: the time of today, the day of
// this year, else the date; "-" when there is none.
func ShortClock(t, now time.Time) string {
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

// Yes writes a flag for people.
func Yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Wrapped prints text behind a first indent, broken between words where the width
// ends; a word that is longer stays whole.
func Wrapped(w io.Writer, width int, first, text string) {
	line, rest := first, strings.Repeat(" ", ColumnsOf(first))
	begun := false
	for _, word := range strings.Fields(Clean(text)) {
		if begun && ColumnsOf(line)+1+ColumnsOf(word) > width {
			fmt.Fprintln(w, line)
			line, begun = rest, false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	fmt.Fprintln(w, line)
}

// ClockTime is the time of day, in the zone of whoever reads it.
func ClockTime(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// TimeOn is a time, with its day where that is another one.
func TimeOn(t, day time.Time) string {
	if t.Local().Format(time.DateOnly) == day.Local().Format(time.DateOnly) {
		return ClockTime(t)
	}
	return Clock(t)
}

// Lasted writes a duration for people.
func Lasted(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
