package devicecmd

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"almenara/channels/device"
	"almenara/storage/durable"
)

type deviceOptions = device.Options

// readDevice makes the options of a device of its enrolment and of what it remembers. A memory
// that cannot be read is refused: to go on without it could start an alert a second time.
func readDevice(file, memory string) (deviceOptions, error) {
	in, err := readEnrolled(file)
	if err != nil {
		return deviceOptions{}, err
	}
	root, err := base64.RawURLEncoding.DecodeString(in.RootKey)
	if err != nil || len(root) != ed25519.PublicKeySize {
		return deviceOptions{}, fmt.Errorf("%s has no root key of a district", file)
	}
	o := deviceOptions{ID: in.ID, Secret: in.Secret, Servers: in.Servers, RootKey: root}
	if in.CA != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(in.CA)) {
			return deviceOptions{}, fmt.Errorf("%s has an authority that cannot be read", file)
		}
		o.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	if memory == "" {
		memory = file + ".memory"
	}
	if o.Memory, err = os.ReadFile(memory); err != nil && !errors.Is(err, os.ErrNotExist) {
		return deviceOptions{}, fmt.Errorf("reading what the device remembers: %w", err)
	}
	o.Save = func(raw []byte) error { return durable.WriteFile(memory, raw) }
	return o, nil
}
