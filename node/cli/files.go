package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tokenName is the file in a data folder that init leaves the first token in.
const tokenName = "operator.token"

// tokenText is the token of the flag, the environment or the data folder, in this
// order; empty when there is none, and then the node says what it thinks of that.
func (e *env) tokenText() (string, error) {
	if token := or(e.global.token, e.Getenv("ALMENARA_TOKEN")); token != "" {
		return strings.TrimSpace(token), nil
	}
	raw, err := os.ReadFile(filepath.Join(e.global.data, tokenName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading token: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// readFile reads a file, or standard input where the name is "-".
func (e *env) readFile(name string) ([]byte, error) {
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

// openFile opens a file, or standard input where the name is "-", and tells its
// size where it is known.
func (e *env) openFile(name string) (io.ReadCloser, int64, error) {
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

// writeFile writes a file that only its owner may read, or standard output where
// the name is empty or "-". A file appears whole or not at all.
func (e *env) writeFile(name string, write func(io.Writer) error) (err error) {
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
