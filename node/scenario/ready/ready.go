// Package ready holds scenarios that come with the program: the warnings of the Hong Kong
// Observatory, fire in a block, evacuation, water outage, school closure, food recall, a drill, and
// the correction of a false alarm, each in Traditional Chinese and English. They are files of the
// form that an administrator puts. None is in force before somebody puts it, and none names a place
// of a district: those that are for a part of one leave it to whoever sends them.
//
// It owns the files. It never imports another part of node but wire.
package ready

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"almenara/node/wire"
)

//go:embed files/*.json
var files embed.FS

// All lists them by id.
func All() ([]wire.Scenario, error) {
	entries, err := files.ReadDir("files")
	if err != nil {
		return nil, fmt.Errorf("listing ready scenarios: %w", err)
	}
	var out []wire.Scenario
	for _, entry := range entries {
		raw, err := files.ReadFile(path.Join("files", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading a ready scenario: %w", err)
		}
		var s wire.Scenario
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&s); err != nil {
			return nil, fmt.Errorf("reading the ready scenario %s: %w", entry.Name(), err)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b wire.Scenario) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// Get is the one of that id; ok is false where there is none.
func Get(id string) (s wire.Scenario, ok bool, err error) {
	all, err := All()
	i := slices.IndexFunc(all, func(s wire.Scenario) bool { return s.ID == id })
	if err != nil || i < 0 {
		return wire.Scenario{}, false, err
	}
	return all[i], true, nil
}
