// Command go is a device made of stock parts: Eclipse Paho's Go client for MQTT
// 3.1.1 or the one for MQTT 5, and Go's standard library. It shares no code with
// the node, so that both cannot be wrong in the same way. scripts/clients.sh says
// what it is told in the environment and what it must print.
package main

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"time"
)

// patience is how long any answer of the node may take.
const patience = 15 * time.Second

// settings is what the device was given at enrolment, and which road it takes.
type settings struct {
	url     *url.URL
	version string // of MQTT: "4" is 3.1.1
	id      string
	secret  string
	other   string // another device, which this one may not speak for
	forged  string // receipts in the name of the other device
	root    ed25519.PublicKey
	trust   *tls.Config
	dial    func(s settings, messages chan<- message) (connection, error)
}

// connection is what the story needs of either client.
type connection interface {
	// subscribe asks for QoS 1 and returns the codes of the SUBACK.
	subscribe(filters ...string) ([]byte, error)
	// publish returns when the PUBACK is there, and an error when it says no, or
	// the connection ends instead.
	publish(topic string, payload []byte, retain bool) error
	close()
}

// message is one PUBLISH from the node.
type message struct {
	topic    string
	payload  []byte
	retained bool
}

// refusal is a reason code of the node.
type refusal byte

// Error is the code as the standards write it.
func (r refusal) Error() string { return fmt.Sprintf("refused with code 0x%02X", byte(r)) }

func main() {
	s, err := readSettings()
	if err == nil {
		err = s.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func readSettings() (settings, error) {
	s := settings{
		version: os.Getenv("MQTT_VERSION"), id: os.Getenv("DEVICE"), secret: os.Getenv("SECRET"),
		other: os.Getenv("OTHER"), forged: os.Getenv("FORGED"), dial: dialV3,
	}
	if s.v5() {
		s.dial = dialV5
	}
	var err error
	if s.url, err = url.Parse(os.Getenv("MQTT_URL")); err != nil {
		return s, fmt.Errorf("reading MQTT_URL: %w", err)
	}
	if s.root, err = base64.RawURLEncoding.DecodeString(os.Getenv("ROOT_KEY")); err != nil || len(s.root) != ed25519.PublicKeySize {
		return s, fmt.Errorf("reading ROOT_KEY: not an Ed25519 key")
	}
	pem, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		return s, fmt.Errorf("reading CA_FILE: %w", err)
	}
	s.trust = &tls.Config{RootCAs: x509.NewCertPool()}
	if !s.trust.RootCAs.AppendCertsFromPEM(pem) {
		return s, fmt.Errorf("reading CA_FILE: no certificate")
	}
	return s, nil
}
