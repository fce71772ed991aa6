package imports

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"almenara/storage/coded"
)

// ErrNotText refuses a file that is not a table in text form.
var ErrNotText = coded.New("not-table", "the file cannot be read as a table")

// sniffBytes is how much of a file is looked at, where text other than ASCII
// begins, to tell UTF-8 from Big5.
const sniffBytes = 64 << 10

// textReader gives a foreign file as UTF-8.
type textReader struct {
	in       *bufio.Reader
	out      io.Reader // nil until the encoding is known
	encoding string    // for people; "ASCII" until something else is met
}

// openText looks at the first bytes. UTF-16 and byte order marks are told at once,
// UTF-8 and Big5-HKSCS where the first character beyond ASCII stands.
func openText(r io.Reader) (*textReader, error) {
	t := &textReader{in: bufio.NewReaderSize(r, sniffBytes), encoding: "ASCII"}
	head, err := t.in.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, coded.Errorf("reading-file", "reading the file: %w", err)
	}
	if err := refuseBinary(head); err != nil {
		return nil, err
	}
	switch {
	case len(head) == 0:
		return nil, coded.Errorf("table-empty", "%w: it is empty", ErrNotText)
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return t, t.settle("UTF-8", 3, t.in)
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return t, t.utf16(unicode.LittleEndian, 2)
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return t, t.utf16(unicode.BigEndian, 2)
	case len(head) > 3 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return t, t.utf16(unicode.LittleEndian, 0)
	case len(head) > 3 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return t, t.utf16(unicode.BigEndian, 0)
	case bytes.IndexByte(head, 0) >= 0:
		return nil, coded.Errorf("table-binary", "%w: it holds binary data; text (CSV) is expected", ErrNotText)
	}
	return t, nil
}

// refuseBinary names the files that people take for a table.
func refuseBinary(head []byte) error {
	for magic, what := range map[string]error{
		"PK\x03\x04":       coded.New("file-zip", "it is an Excel workbook or a ZIP file"),
		"\xd0\xcf\x11\xe0": coded.New("file-xls", "it is an old Excel workbook"),
		"%PDF":             coded.New("file-pdf", "it is a PDF"),
		"\x1f\x8b":         coded.New("file-gzip", "it is compressed"),
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return coded.Errorf("table-other", "%w: %s; save it as CSV UTF-8", ErrNotText, what)
		}
	}
	return nil
}

func (t *textReader) utf16(order unicode.Endianness, mark int) error {
	decoder := unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder()
	name := "UTF-16LE"
	if order == unicode.BigEndian {
		name = "UTF-16BE"
	}
	return t.settle(name, mark, transform.NewReader(t.in, decoder))
}

// settle ends the search; skip bytes of a mark are dropped.
func (t *textReader) settle(name string, skip int, out io.Reader) error {
	t.encoding, t.out = name, out
	_, err := t.in.Discard(skip)
	return err
}

// Read gives UTF-8. Bytes that the encoding does not have come out as U+FFFD, or
// unchanged where the encoding is UTF-8.
func (t *textReader) Read(p []byte) (int, error) {
	for t.out == nil {
		if _, err := t.in.Peek(1); err != nil {
			return 0, err
		}
		ready, _ := t.in.Peek(min(t.in.Buffered(), max(len(p), 1)))
		if n := asciiPrefix(ready); n > 0 {
			n = copy(p, ready[:n])
			_, err := t.in.Discard(n)
			return n, err
		}
		t.sniff()
	}
	return t.out.Read(p)
}

// asciiPrefix is how many bytes come before the first one that is not ASCII.
func asciiPrefix(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return len(b)
}

// sniff decides between UTF-8 and Big5 by which reads the coming bytes with fewer
// faults.
func (t *textReader) sniff() {
	window, _ := t.in.Peek(sniffBytes)
	damaged := damagedUTF8(window)
	if damaged > 0 {
		read, _, _ := transform.Bytes(traditionalchinese.Big5.NewDecoder(), window)
		if bytes.Count(read, []byte("\uFFFD")) < damaged {
			t.encoding, t.out = "Big5-HKSCS", transform.NewReader(t.in, traditionalchinese.Big5.NewDecoder())
			return
		}
	}
	t.encoding, t.out = "UTF-8", t.in
}

// damagedUTF8 counts the bytes that begin no character. A character cut off by
// the window's end is none of them.
func damagedUTF8(window []byte) int {
	damaged := 0
	for len(window) > 0 {
		r, size := utf8.DecodeRune(window)
		if r == utf8.RuneError && size == 1 && (utf8.FullRune(window) || len(window) >= utf8.UTFMax) {
			damaged++
		}
		window = window[size:]
	}
	return damaged
}
