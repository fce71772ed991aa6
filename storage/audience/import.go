package audience

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
	"unicode/utf8"
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
	ErrUnknownHeader = errors.New("the header line is not one that is known")
	ErrTooLarge      = errors.New("the file is too large")
	ErrNoRows        = errors.New("the file has a header line and no rows")
)

// Scan reads a table of members and calls visit with each valid one, in the order
// of the file. It recognizes the encoding (UTF-8, UTF-16, Big5-HKSCS), the
// separator (comma, semicolon, tab) and, by the header, the columns. m is visit's
// own.
//
// Faulty rows are in the report; a report that is not OK means that nothing of the
// file is to be applied, so whoever applies scans twice: once to judge, once to
// apply. Scan returns an error when the file as a whole cannot be read
// (ErrNotText, ErrUnknownHeader, ErrTooLarge, ErrNoRows, or the reader's), and
// visit's error when there is one. Memory does not grow with the size of rows,
// only by about 40 bytes for each, to find repeated ids.
func Scan(r io.Reader, visit func(line int, m Member) error) (Report, error) {
	text, err := openText(&capped{in: r, left: MaxImportBytes})
	if err != nil {
		return Report{}, err
	}
	s := scanner{visit: visit, lines: map[uint64]int{}, phones: map[uint64]int{}, seed: maphash.MakeSeed()}
	err = s.open(text)
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
		return 0, fmt.Errorf("%w: at most %d MiB are read at once", ErrTooLarge, MaxImportBytes>>20)
	}
	return n, err
}

// errEndless is what budget gives when one record takes too much.
var errEndless = errors.New("more than 1 MiB belongs to one row; a quote is not closed")

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
	visit  func(line int, m Member) error
	report Report
	format *format
	budget *budget
	csv    *csv.Reader
	row    row
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
		return fmt.Errorf("reading the file: %w", err)
	}
	s.budget = &budget{in: in, left: maxRecordBytes}
	s.csv = csv.NewReader(s.budget)
	s.csv.Comma = separator(head)
	s.csv.ReuseRecord = true
	header, err := s.csv.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: there are only empty lines; %s", ErrUnknownHeader, knownHeaders())
	}
	if err != nil {
		return fmt.Errorf("%w (%w): %s", ErrUnknownHeader, err, knownHeaders())
	}
	return s.readHeader(header)
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
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, repeated := s.row.column[name]; repeated {
			return fmt.Errorf("%w: column %q is repeated; %s", ErrUnknownHeader, clip(name), knownHeaders())
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
				return fmt.Errorf("%w: column %q does not belong to %s; %s", ErrUnknownHeader, clip(name), f.name, knownHeaders())
			}
		}
		s.format, s.report.Format = f, f.name
		return nil
	}
	return fmt.Errorf("%w: %q; %s", ErrUnknownHeader, clip(strings.Join(header, ",")), knownHeaders())
}

// knownHeaders lists the formats for an error message.
func knownHeaders() string {
	var known []string
	for _, f := range formats {
		known = append(known, fmt.Sprintf("%s (%s)", f.name, strings.Join(f.columns(), ",")))
	}
	return "known are " + strings.Join(known, ", ")
}

// next reads one row. It returns io.EOF at the end.
func (s *scanner) next() error {
	s.budget.left = maxRecordBytes
	cells, err := s.csv.Read()
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		return s.broken(broken, len(cells))
	case err != nil:
		return s.ended(err)
	}
	line, _ := s.csv.FieldPos(0)
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
		return fmt.Errorf("%w: at most %d rows are read at once", ErrTooLarge, MaxImportRows)
	}
	return nil
}

// ended tells the end of the file from an error that ends it.
func (s *scanner) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("reading after %d rows: %w", s.report.Rows, err)
}

// broken notes a row that is not CSV and goes on behind it.
func (s *scanner) broken(err *csv.ParseError, cells int) error {
	if err := s.count(); err != nil {
		return err
	}
	problem := "the quotes are not right: a field with quotes stands in quotes, and each quote in it is doubled"
	if errors.Is(err, csv.ErrFieldCount) {
		problem = fmt.Sprintf("the row has %d columns, %d are expected", cells, len(s.row.column))
	}
	s.report.note(err.StartLine, err.StartLine-s.extra, &row{problems: []string{problem}})
	s.extra += err.Line - err.StartLine
	return nil
}

// build makes the member and gathers all that is wrong with it.
func (s *scanner) build(line int) Member {
	r := &s.row
	if !s.readable() {
		return Member{}
	}
	m := s.format.build(r)
	m.Normalize()
	if len(r.problems) == 0 {
		r.fail(m.Validate())
	} else if err := checkID(m.ID); err != nil {
		r.fail(err)
	}
	if first := s.first(s.lines, m.ID, line); first != line {
		r.failf("id %s is already on line %d", clip(m.ID), first)
	}
	if first := s.first(s.phones, r.phone, line); first != line {
		r.notes = append(r.notes, fmt.Sprintf("the phone is also that of line %d", first))
	}
	return m
}

// first returns the line where the key stood first; this one when it is new.
func (s *scanner) first(seen map[uint64]int, key string, line int) int {
	if key == "" {
		return line
	}
	hash := maphash.String(s.seed, key)
	if before, ok := seen[hash]; ok {
		return before
	}
	seen[hash] = line
	return line
}

// readable refuses cells that could not be decoded, and those that a spreadsheet
// would run as a formula once the data is exported again (CSV injection).
func (s *scanner) readable() bool {
	r := &s.row
	for name, i := range r.column {
		cell := r.cells[i]
		if !utf8.ValidString(cell) || strings.ContainsRune(cell, utf8.RuneError) {
			r.failf("%s %q holds characters that cannot be read", name, clip(strings.ToValidUTF8(cell, "\uFFFD")))
		}
		if name == "phone" || name == "lat" || name == "lon" {
			continue
		}
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			r.failf("%s %q begins like a spreadsheet formula; text is expected", name, clip(cell))
		}
	}
	slices.Sort(r.problems)
	return len(r.problems) == 0
}
