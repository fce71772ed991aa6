// Package imports reads tables of members as people have them, reports what is wrong with each row,
// and tells what an import would change. It knows the districts of Hong Kong, which such tables
// name; what else is in the district is told to it by Rules. It may never import lookup.
package imports

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"almenara/storage/audience"
	"almenara/storage/coded"
)

// Limits of one import. A file of a million residents has about 120 MB.
const (
	MaxImportBytes = 160 << 20
	MaxImportRows  = 2_000_000
	MaxFaults      = 100     // kept of a file; all are counted
	maxRecordBytes = 1 << 20 // bounds what a quote that is never closed takes into memory
)

// Sentinels of Scan, each wrapped in a sentence that says what is expected.
var (
	ErrUnknownHeader = coded.New("header-unknown", "the header line is not one that is known")
	ErrTooLarge      = coded.New("file-large", "the file is too large")
	ErrNoRows        = coded.New("rows-none", "the file has a header line and no rows")
)

// Rules are what only the district knows of rows that read well. The zero Rules let
// everything pass.
type Rules struct {
	Kind  func(audience.Kind) bool // whether the kind is one that the district has; the usual ones always are
	Place func(audience.Path) bool // whether the place may be in the district
}

// Scan is ScanWith without rules.
func Scan(r io.Reader, visit func(line int, m audience.Member) error) (Report, error) {
	return ScanWith(r, Rules{}, visit)
}

// ScanWith reads a table of members and calls visit with each valid one, in the order
// of the file. It recognizes the encoding (UTF-8, UTF-16, Big5-HKSCS), the
// separator (comma, semicolon, tab, or what a first line sep= says) and, by the header,
// the columns. Rows without any text are passed over, as are columns without a name
// and without texts. Values are brought to one form (audience.NormalKey). m is visit's own.
//
// Faulty rows are in the report; a report that is not OK means that nothing of the
// file is to be applied, so whoever applies scans twice: once to judge, once to
// apply. It returns an error when the file as a whole cannot be read
// (ErrNotText, ErrUnknownHeader, ErrTooLarge, ErrNoRows, or the reader's), and
// visit's error when there is one. Memory does not grow with the size of rows,
// only by about 40 bytes for each, to find repeated ids.
func ScanWith(r io.Reader, rules Rules, visit func(line int, m audience.Member) error) (Report, error) {
	text, err := openText(&capped{in: r, left: MaxImportBytes})
	if err != nil {
		return Report{}, err
	}
	s := scanner{visit: visit, rules: rules, lines: map[uint64]int{}, phones: map[uint64]int{}, seed: maphash.MakeSeed()}
	err = s.open(newLineEnds(text))
	for err == nil {
		err = s.next()
	}
	s.report.Encoding = text.encoding
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && s.report.Rows == 0 {
		err = ErrNoRows
	}
	return s.report, err
}

// capped fails when more than left bytes are read.
type capped struct {
	in   io.Reader
	left int64
}

// Read reads on, as long as the limit is not passed.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, coded.Errorf("file-large-by", "%w: at most %d MiB are read at once", ErrTooLarge, MaxImportBytes>>20)
	}
	return n, err
}

// errEndless is what budget gives when one record takes too much.
var errEndless = coded.New("row-endless", "more than 1 MiB belongs to one row; a quote is not closed")

// budget bounds what is read for one record.
type budget struct {
	in   io.Reader
	left int
}

// Read reads on, as long as the record's budget is not spent.
func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errEndless
	}
	n, err := b.in.Read(p)
	b.left -= n
	return n, err
}

// scanner is the state of one Scan.
type scanner struct {
	visit  func(line int, m audience.Member) error
	rules  Rules
	report Report
	format *format
	budget *budget
	csv    *csv.Reader
	row    row
	width  int // columns of the header, also those without a name at its end
	before int // lines before the header
	extra  int // line breaks inside the fields of the rows so far

	// The line of each id and phone by their hash. The seed is random: two ids that
	// collide, which happens in one of ten million imports, do not the next time.
	seed   maphash.Seed
	lines  map[uint64]int
	phones map[uint64]int
}

// open reads the header.
func (s *scanner) open(text io.Reader) error {
	in := bufio.NewReaderSize(text, 4096)
	head, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return coded.Errorf("reading-file", "reading the file: %w", err)
	}
	s.budget = &budget{in: in, left: maxRecordBytes}
	s.csv = csv.NewReader(s.budget)
	s.csv.ReuseRecord = true
	s.csv.FieldsPerRecord = -1 // see fits
	if comma, line := declaredSeparator(head); line > 0 {
		_, _ = in.Discard(line) // it was peeked at
		s.csv.Comma, s.before = comma, 1
	} else {
		s.csv.Comma = separator(head)
	}
	header, err := s.csv.Read()
	for err == nil && isBlank(header) {
		header, err = s.csv.Read()
	}
	if errors.Is(err, io.EOF) {
		return coded.Errorf("header-empty", "%w: there are only empty lines; %s", ErrUnknownHeader, knownHeaders())
	}
	if err != nil {
		return coded.Errorf("header-broken", "%w (%w): %s", ErrUnknownHeader, err, knownHeaders())
	}
	return s.readHeader(header)
}

// declaredSeparator reads the line sep=; with which Excel begins some of its files: the
// separator, and the length of the line; 0 where there is none.
func declaredSeparator(head []byte) (comma rune, length int) {
	line, _, whole := bytes.Cut(head, []byte("\n"))
	text := strings.ToLower(strings.Trim(string(bytes.TrimRight(line, "\r")), `"`))
	mark, ok := strings.CutPrefix(text, "sep=")
	if !whole || !ok || len(mark) != 1 || !strings.Contains(",;\t|:", mark) {
		return 0, 0
	}
	return rune(mark[0]), len(line) + 1
}

// isBlank reports a row of separators only.
func isBlank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return audience.NormalKey(cell) != "" })
}

// separator is the one that stands most often in the first line.
func separator(head []byte) rune {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// readHeader finds the format: the one whose required columns are all there and
// that knows all columns.
func (s *scanner) readHeader(header []string) error {
	s.row.column = map[string]int{}
	s.width = len(header)
	for i, name := range header {
		if name = strings.ToLower(audience.NormalKey(name)); name == "" {
			continue // see fits
		}
		if _, repeated := s.row.column[name]; repeated {
			return coded.Errorf("column-repeated", "%w: column %q is repeated; %s", ErrUnknownHeader, audience.Clip(name), knownHeaders())
		}
		s.row.column[name] = i
	}
	for i := range formats {
		f := &formats[i]
		if slices.ContainsFunc(f.required, func(name string) bool { _, ok := s.row.column[name]; return !ok }) {
			continue
		}
		for name := range s.row.column {
			if !slices.Contains(f.columns(), name) {
				return coded.Errorf("column-foreign", "%w: column %q does not belong to %s; %s", ErrUnknownHeader, audience.Clip(name), f.name, knownHeaders())
			}
		}
		s.format, s.report.Format = f, f.name
		return nil
	}
	return coded.Errorf("header-is", "%w: %q; %s", ErrUnknownHeader, audience.Clip(strings.Join(header, ",")), knownHeaders())
}

// knownHeaders lists the formats for an error message.
func knownHeaders() error {
	var known []string
	for _, f := range formats {
		known = append(known, fmt.Sprintf("%s (%s)", f.name, strings.Join(f.columns(), ",")))
	}
	return coded.Errorf("headers-known", "known are %s", strings.Join(known, ", "))
}

// next reads one row. It returns io.EOF at the end.
func (s *scanner) next() error {
	s.budget.left = maxRecordBytes
	cells, err := s.csv.Read()
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		return s.broken(broken)
	case err != nil:
		return s.ended(err)
	case isBlank(cells):
		return nil
	}
	line, _ := s.csv.FieldPos(0)
	line += s.before
	if err := s.count(); err != nil {
		return err
	}
	s.row.cells, s.row.problems, s.row.notes, s.row.phone = cells, s.row.problems[:0], s.row.notes[:0], ""
	m := s.build(line)
	s.report.note(line, line-s.extra, &s.row)
	for _, cell := range cells {
		s.extra += strings.Count(cell, "\n")
	}
	if len(s.row.problems) > 0 {
		return nil
	}
	s.report.Valid++
	if len(m.Endpoints) == 0 {
		s.report.Unreachable++
	}
	return s.visit(line, m)
}

// count counts one more row.
func (s *scanner) count() error {
	if s.report.Rows++; s.report.Rows > MaxImportRows {
		return coded.Errorf("rows-many", "%w: at most %d rows are read at once", ErrTooLarge, MaxImportRows)
	}
	return nil
}

// ended tells the end of the file from an error that ends it.
func (s *scanner) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return coded.Errorf("reading-after", "reading after %d rows: %w", s.report.Rows, err)
}

// broken notes a row that is not CSV and goes on behind it.
func (s *scanner) broken(err *csv.ParseError) error {
	if err := s.count(); err != nil {
		return err
	}
	problem := coded.New("quotes-wrong", "the quotes are not right: a field with quotes stands in quotes, and each quote in it is doubled")
	line := err.StartLine + s.before
	s.report.note(line, line-s.extra, &row{problems: []error{problem}})
	s.extra += err.Line - err.StartLine
	return nil
}
