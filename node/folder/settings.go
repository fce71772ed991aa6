// Package folder knows what lies in a node's data folder. It makes one for the first node of
// a district and for those that join it, brings one back whose node may not return as what
// it was (recover, rejoin, restore), copies one (backup), and owns the marks that say what
// was begun in it and must be ended first. Everything it does but Join and Rejoin works on a
// folder whose node does not run; what it says is done is on this disk.
//
//	node.json   how the node is called and reached      identity/   keys, certificates, "begun"
//	state/      the agreed state (storage)              raft/       the log
//	journal/    facts that may not be agreed yet        recovering, rejoining, restoring: marks
//
// It never imports channels, node/api or another part of node but node/access, node/backup, node/originals,
// node/reachable and node/secret: whoever needs a running node for something does it elsewhere.
package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"almenara/node/reachable"
	"almenara/storage/durable"
)

const settingsFile = "node.json"

// Settings are what the data folder remembers of how the node runs. Options win over
// them.
type Settings struct {
	reachable.Addresses
	Genesis *Genesis `json:"genesis,omitempty"` // only on the node that began the district
	// Replaces are server ids that this box had before; they are removed once this node
	// has a vote.
	Replaces []string `json:"replaces,omitempty"`
}

// Genesis is what the first node commits once it leads a district without a record.
type Genesis struct {
	Place     string `json:"place"`      // place path of the district
	TokenHash []byte `json:"token_hash"` // SHA-256 of the first administrator's token
}

// Load reads the folder's settings. A folder without them was made by neither Init nor
// Join.
func Load(dir string) (Settings, error) {
	raw, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if errors.Is(err, os.ErrNotExist) {
		return Settings{}, fmt.Errorf("%s holds no node: run init or join first", dir)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("reading settings: %w", err)
	}
	var s Settings
	if err := json.Unmarshal(raw, &s); err != nil {
		return Settings{}, fmt.Errorf("reading %s: %w", settingsFile, err)
	}
	return s, nil
}

// Save writes the settings; when it returns they are on this disk.
func (s Settings) Save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding settings: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, settingsFile), append(raw, '\n'))
}

// With lets the addresses that are set win.
func (s Settings) With(o reachable.Addresses) Settings {
	for _, f := range []struct {
		field *string
		value string
	}{
		{&s.Name, o.Name}, {&s.Internode, o.Internode}, {&s.Advertise, o.Advertise}, {&s.API, o.API},
		{&s.MQTT, o.MQTT}, {&s.MQTTS, o.MQTTS}, {&s.WS, o.WS}, {&s.WSS, o.WSS},
	} {
		if f.value != "" {
			*f.field = f.value
		}
	}
	if len(o.TLSNames) > 0 {
		s.TLSNames = o.TLSNames
	}
	if s.Name == "" {
		s.Name = defaultName()
	}
	return s
}

// Said reports whether any of the addresses in o is given and another one than the folder
// remembers.
func (s Settings) Said(o reachable.Addresses) bool {
	with := s.With(o)
	return o.Advertise != "" || with.Internode != s.Internode || with.API != s.API || with.MQTT != s.MQTT ||
		with.MQTTS != s.MQTTS || with.WS != s.WS || with.WSS != s.WSS
}

// defaultName is the host's name.
func defaultName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "node"
	}
	return name
}

// Check holds the folder's settings to the rules of options: the file may have been
// written by hand.
func (s Settings) Check() error {
	if err := s.Validate(); err != nil {
		return fmt.Errorf("reading %s: %w", settingsFile, err)
	}
	return nil
}

// Guessed is for a folder of before listeners on every interface needed a name: it takes
// an address of this machine, because a node that does not start warns nobody, and says which one; "" of any other.
func (s Settings) Guessed() (guessed Settings, address string) {
	if !errors.Is(s.CheckReached(), reachable.ErrEverywhere) {
		return s, ""
	}
	guess, ok := reachable.Guess()
	if !ok {
		guess = "127.0.0.1"
	}
	s.Advertise = guess
	return s, guess
}
