// Package vectors holds the test vectors of the device contract, as JSON that any language reads:
// signatures, key rings, looks, and scenarios of messages with what a device must show and tell
// after each step. README.md describes their form.
//
// The files are made by this package's tests, with fixed keys, and held equal by them:
// go test ./channels/contract/vectors -update writes them anew. It owns the files and their form;
// it imports channels/contract alone.
package vectors

import (
	"embed"
	"encoding/json"
	"fmt"
	"time"
)

//go:embed *.json
var files embed.FS

// Signatures are payloads that devices take or refuse.
type Signatures struct {
	Root  string      `json:"root"` // public key, base64url
	Ring  string      `json:"ring"` // signed by Root; the ring that the cases are opened with
	Cases []Signature `json:"cases"`
}

// The results of a Signature.
const (
	Good       = "good"        // taken, with Payload
	Bad        = "signature"   // refused for good
	UnknownKey = "unknown-key" // refused, unless a newer ring has the key
	KeyTime    = "key-time"    // refused: its key was not valid at the time that the payload gives
)

// Signature is one payload that is expected to be of one typ.
type Signature struct {
	Name    string          `json:"name"`
	Opens   string          `json:"opens"` // the typ that belongs to the topic on which it comes
	JWS     string          `json:"jws"`
	Result  string          `json:"result"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Rings are key rings that devices take or refuse.
type Rings struct {
	Root  string     `json:"root"`
	Cases []RingCase `json:"cases"`
}

// RingCase is one of them; Result is Good or Bad.
type RingCase struct {
	Name   string   `json:"name"`
	JWS    string   `json:"jws"`
	Result string   `json:"result"`
	Keys   []string `json:"keys,omitempty"` // kid of each, in order
}

// LookCase is how a body's words look and sound.
type LookCase struct {
	Status string `json:"status"`
	Tier   string `json:"tier"`
	Sound  string `json:"sound"`
	Look   Look   `json:"look"`
}

// Look is how something is shown.
type Look struct {
	Tier  string `json:"tier"`
	Sound string `json:"sound"`
}

// Scenarios are what devices live through.
type Scenarios struct {
	Device string     `json:"device"` // its id
	Root   string     `json:"root"`
	Cases  []Scenario `json:"cases"`
}

// Scenario begins with a new device that was never connected.
type Scenario struct {
	Name    string `json:"name"`
	Section string `json:"section"` // of CONTRACT.md
	Steps   []Step `json:"steps"`
}

// What a Step does.
const (
	Connect     = "connect"     // a new connection, subscribed; nothing has come on it
	Message     = "message"     // Payload comes on Topic
	Wait        = "wait"        // nothing but time
	PowerCut    = "power-cut"   // power goes and comes back; what was stored is there; then Connect
	Acknowledge = "acknowledge" // a person confirms Alert, Revision with Answer
)

// Step is one thing that happens, and what holds after it. Everything that is to be shown is at
// once, everything that is to stop is gone at once.
type Step struct {
	At       time.Time `json:"at"` // by the device's own clock
	Do       string    `json:"do"`
	Topic    string    `json:"topic,omitempty"`
	Payload  string    `json:"payload,omitempty"`
	Retained bool      `json:"retained,omitempty"`
	Alert    string    `json:"alert,omitempty"`
	Revision uint64    `json:"revision,omitempty"`
	Answer   string    `json:"answer,omitempty"`

	Shows []Shown `json:"shows"` // all that is on the screen, by alert
	Tells []Told  `json:"tells"` // the receipts that this step adds, in order
	Does  string  `json:"does,omitempty"`

	// Unconfirmed is what a device may show besides, marked as not confirmed: all of it or nothing (§7.5).
	Unconfirmed []Shown `json:"unconfirmed,omitempty"`
}

// Shown is one alert on the screen.
type Shown struct {
	Alert    string `json:"alert"`
	Revision uint64 `json:"revision"`
	Look
}

// Told is one receipt.
type Told struct {
	Alert    string `json:"alert"`
	Revision uint64 `json:"revision"`
	Rung     string `json:"rung"`
	Answer   string `json:"answer,omitempty"`
}

// Load reads one of the files: signatures, rings, looks or scenarios.
func Load[T any](name string) (T, error) {
	var v T
	raw, err := files.ReadFile(name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		return v, fmt.Errorf("reading vectors: %w", err)
	}
	return v, nil
}
