package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"
)

// files are cases that write a hostile file to t.out and nothing else.
var files = map[string]attack{
	"csv-200mb":        writes(func(w io.Writer) error { return csvRows(w, 0, 200<<20) }),
	"csv-2000001-rows": writes(func(w io.Writer) error { return csvRows(w, 2_000_001, 0) }),
	"csv-200000-rows":  writes(func(w io.Writer) error { return csvRows(w, 200_000, 0) }),
	"csv-binary":       writes(func(w io.Writer) error { return put(w, strings.Repeat("\x00\x01\xfe\xff\x7fELF", 20_000)) }),
	"csv-utf16-cut":    writes(csvUTF16),
	"csv-field-10mb":   writes(func(w io.Writer) error { return put(w, header+"a,screen,tuen-mun/a,"+strings.Repeat("x", 10<<20)+"\n") }),
	"csv-quote-open":   writes(func(w io.Writer) error { return put(w, header+`a,screen,tuen-mun/a,"`+strings.Repeat("x\n", 2<<20)) }),
	"csv-twice":        writes(func(w io.Writer) error { return put(w, header+strings.Repeat("a,screen,tuen-mun/a,x\n", 3)) }),
	"csv-formula": writes(func(w io.Writer) error {
		return put(w, header+"a,screen,tuen-mun/a,=cmd|' /C calc'!A0\nb,screen,tuen-mun/a,@SUM(1)\nc,screen,tuen-mun/a,-2+3\n")
	}),
	"csv-header": writes(func(w io.Writer) error { return put(w, "what,is,this\n1,2,3\n") }),
	"csv-empty":  writes(func(io.Writer) error { return nil }),
	"json-deep": writes(func(w io.Writer) error {
		return put(w, `{"alert":`+strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000)+"}")
	}),
	"json-10mib": writes(func(w io.Writer) error { return put(w, `{"select":"`+strings.Repeat("x", 10<<20)+`"}`) }),
	"gzip-bomb":  writes(bomb),
}

const header = "id,kind,place,name\n"

func put(w io.Writer, s string) error {
	_, err := io.WriteString(w, s)
	return err
}

// writes makes an attack of what fills a file.
func writes(fill func(io.Writer) error) attack {
	return func(t target) (string, error) {
		out := os.Stdout
		if t.out != "-" {
			file, err := os.Create(t.out)
			if err != nil {
				return "", err
			}
			defer file.Close()
			out = file
		}
		w := bufio.NewWriterSize(out, 1<<16)
		if err := fill(w); err != nil {
			return "", nil // the reader has had enough, which is right
		}
		_ = w.Flush()
		return "", nil
	}
}

// csvRows writes members until there are rows rows, or size bytes.
func csvRows(w io.Writer, rows, size int) error {
	if err := put(w, header); err != nil {
		return err
	}
	for i, written := 0, 0; i < rows || written < size; i++ {
		n, err := fmt.Fprintf(w, "mass-%07d,person,tuen-mun/mass/block-%d,Resident %d\n", i, i%50, i)
		if err != nil {
			return err
		}
		written += n
	}
	return nil
}

// csvUTF16 writes UTF-16 that ends in the middle of a character.
func csvUTF16(w io.Writer) error {
	raw := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(header + "a,screen,tuen-mun/a,😀\n")) {
		raw = append(raw, byte(unit), byte(unit>>8))
	}
	_, err := w.Write(raw[:len(raw)-3])
	return err
}

// bomb is 100 MiB of nothing in 100 KiB.
func bomb(w io.Writer) error {
	zip := gzip.NewWriter(w)
	if _, err := io.Copy(zip, io.LimitReader(repeat{}, 100<<20)); err != nil {
		return err
	}
	return zip.Close()
}

type repeat struct{}

// Read gives spaces without end.
func (repeat) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil }
