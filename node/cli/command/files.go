package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"almenara/node/api/strictjson"
)

// ReadFile reads a file, or standard input where the name is "-".
func (e *Env) ReadFile(name string) ([]byte, error) {
	if name == "-" {
		raw, err := io.ReadAll(e.In)
		if err != nil {
			return nil, fmt.Errorf("reading standard input: %w", err)
		}
		return raw, nil
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading file: %w", err)
	}
	return raw, nil
}

// OpenFile opens a file, or standard input where the name is "-", and tells its
// size where it is known.
func (e *Env) OpenFile(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(e.In), 0, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("opening file: %w", err)
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return nil, 0, errors.Join(fmt.Errorf("%s is not a file that can be read", name), err, f.Close())
	}
	return f, info.Size(), nil
}

// WriteFile writes a file that only its owner may read, or standard output where
// the name is empty or "-". A file appears whole or not at all.
func (e *Env) WriteFile(name string, write func(io.Writer) error) (err error) {
	if name == "" || name == "-" {
		return write(e.Out)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".almenara-*")
	if err != nil {
		return fmt.Errorf("creating file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("naming file: %w", err)
	}
	return nil
}

// ReadJSON reads a file that holds one JSON value of known fields, each of them once: as the API reads it.
func ReadJSON(e *Env, file string, into any) error {
	raw, err := e.ReadFile(file)
	if err != nil {
		return err
	}
	if err := strictjson.Read(bytes.NewReader(raw), into); err != nil {
		return Usagef("%s cannot be read: %s", file, strings.Replace(err.Error(), "the body", "it", 1))
	}
	return nil
}

// PrintJSON prints what is meant to be edited and given back.
func PrintJSON(e *Env, v any) error {
	return e.Print(v, func(w io.Writer) {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v) // a write that fails is seen when the output is closed
	})
}

// AskFor reads a line, which must be the word.
func AskFor(e *Env, word, question string) error {
	fmt.Fprintf(e.Err, "\n%s (%s): ", question, word)
	line, err := bufio.NewReader(io.LimitReader(e.In, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if strings.TrimSpace(line) != word {
		return errNotConfirmed
	}
	return nil
}

// Telling writes each step of long work on a line of its own, for people only.
func Telling(e *Env) func(string) {
	return func(step string) {
		if !e.JSON() {
			fmt.Fprintf(e.Err, "%s …\n", step)
		}
	}
}
