package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"almenara/storage/durable"
)

const settingsFile = "node.json"

// settings is what the data folder remembers of how the node runs. Options win
// over it.
type settings struct {
	Name      string   `json:"name"`
	Internode string   `json:"internode"`           // listen address of the internode port
	Advertise string   `json:"advertise,omitempty"` // how the other nodes reach it; "" is the listener's
	API       string   `json:"api"`
	MQTT      string   `json:"mqtt,omitempty"`
	MQTTS     string   `json:"mqtts,omitempty"`
	WS        string   `json:"ws,omitempty"`
	WSS       string   `json:"wss,omitempty"`
	Genesis   *genesis `json:"genesis,omitempty"` // only on the node that began the district
	// Replaces are server ids that this box had before; they are removed once this node
	// has a vote.
	Replaces []string `json:"replaces,omitempty"`
}

// genesis is what the first node commits once it leads a district without a record.
type genesis struct {
	Place     string `json:"place"`      // place path of the district
	TokenHash []byte `json:"token_hash"` // SHA-256 of the first administrator's token
}

// loadSettings reads the folder's settings. A folder without them was made by
// neither Init nor Join.
func loadSettings(dir string) (settings, error) {
	raw, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if errors.Is(err, os.ErrNotExist) {
		return settings{}, fmt.Errorf("%s holds no node: run init or join first", dir)
	}
	if err != nil {
		return settings{}, fmt.Errorf("reading settings: %w", err)
	}
	var s settings
	if err := json.Unmarshal(raw, &s); err != nil {
		return settings{}, fmt.Errorf("reading %s: %w", settingsFile, err)
	}
	return s, nil
}

// save writes the settings; when it returns they are on this disk.
func (s settings) save(dir string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding settings: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, settingsFile), append(raw, '\n'))
}

// options are those of a node that runs as the settings say.
func (s settings) options(dir string) Options {
	return Options{
		Dir: dir, Name: s.Name, Internode: s.Internode, Advertise: s.Advertise, API: s.API,
		MQTT: s.MQTT, MQTTS: s.MQTTS, WS: s.WS, WSS: s.WSS,
	}
}

// with lets the options that are set win.
func (s settings) with(o Options) settings {
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
	if s.Name == "" {
		s.Name = defaultName()
	}
	return s
}

// defaultName is the host's name.
func defaultName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "node"
	}
	return name
}

// validate holds the folder's settings to the rules of Options: the file may have been
// written by hand.
func (s settings) validate() error {
	err := Options{
		Dir: settingsFile, Internode: s.Internode, API: s.API, MQTT: s.MQTT, MQTTS: s.MQTTS, WS: s.WS, WSS: s.WSS,
	}.Validate()
	if err != nil {
		return fmt.Errorf("reading %s: %w", settingsFile, err)
	}
	return nil
}
