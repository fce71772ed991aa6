// Package access is what a data folder tells the commands on the same machine: where the
// node's API is reached, whom its certificate is signed by, and the first administrator's
// token. The node writes it; the command line reads it, whether the node runs or not.
package access

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"almenara/storage/durable"
)

// The files, in the data folder.
const (
	TokenFile     = "operator.token" // the first administrator's token
	AuthorityFile = "ca.pem"         // the district's certificate authority
	AddressFile   = "api.address"    // the URL of the API, as the node was last reached
)

// Access is what the folder tells; what it does not tell is empty.
type Access struct {
	Token     string
	Authority []byte // PEM
	URL       string // of the API, such as https://10.0.0.1:8480
}

// Write leaves in the folder what is not empty; what the folder tells besides stays. A file
// that says the same already is left alone. When it returns without an error everything is
// on this disk.
func (a Access) Write(dir string) error {
	var errs []error
	for name, content := range map[string]string{TokenFile: a.Token, AddressFile: a.URL, AuthorityFile: strings.TrimSuffix(string(a.Authority), "\n")} {
		if content != "" {
			errs = append(errs, replace(filepath.Join(dir, name), []byte(content+"\n")))
		}
	}
	return errors.Join(errs...)
}

// PEM is how Authority holds a certificate in DER.
func PEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func replace(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	return durable.WriteFile(path, content)
}

// Read reads what the folder tells. A folder that is not there tells nothing.
func Read(dir string) (Access, error) {
	var a Access
	token, err := content(dir, TokenFile)
	if err != nil {
		return a, err
	}
	if a.Authority, err = content(dir, AuthorityFile); err != nil {
		return a, err
	}
	url, err := content(dir, AddressFile)
	a.Token, a.URL = strings.TrimSpace(string(token)), strings.TrimSpace(string(url))
	return a, err
}

// content is what the file holds; nil where there is none.
func content(dir, name string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the data folder: %w", err)
	}
	return raw, nil
}
