package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"almenara/channels/contract"
)

// kept is what survives a power cut, as JSON. Bodies that wait for evidence are
// not in it: the node sends them again.
type kept struct {
	Alerts   []keptAlert          `json:"alerts"`
	Commands map[string]time.Time `json:"commands,omitempty"`
	Versions map[string]uint64    `json:"versions"`
}

type keptAlert struct {
	ID      string             `json:"id"`
	Highest uint64             `json:"highest"`
	Done    uint64             `json:"done"`
	Ended   uint64             `json:"ended,omitempty"`
	Forget  time.Time          `json:"forget"`
	Shown   *contract.Body     `json:"shown,omitempty"`
	Told    []contract.Receipt `json:"told,omitempty"`

	Stopping []uint64 `json:"stopping,omitempty"`
	RanOut   bool     `json:"ran_out,omitempty"`
}

// Changed reports whether Export would give something new since Changed was asked
// last. The versions of manifests do not count, or every one would wear the flash:
// after a power cut, an older manifest can pass as the newest until the next.
func (r *Rules) Changed() bool {
	changed := r.changed
	r.changed = false
	return changed
}

// Export writes what must survive a power cut. To start at most once, a device
// stores it before it carries out the effects that came with it.
func (r *Rules) Export() ([]byte, error) {
	k := kept{Commands: r.commands, Versions: r.versions}
	for _, id := range slices.Sorted(maps.Keys(r.alerts)) {
		m := r.alerts[id]
		shown := m.shown
		if shown == nil {
			shown = m.resume
		}
		k.Alerts = append(k.Alerts, keptAlert{
			ID: id, Highest: m.highest, Done: m.done, Ended: m.ended, Forget: m.forget, Shown: shown, Told: m.told,
			Stopping: m.stopping, RanOut: m.ranOut,
		})
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("exporting memory: %w", err)
	}
	return raw, nil
}

// Import reads what Export wrote. What was shown is resumed at the first
// manifest, unless that ends it or it has expired; the clock is not trusted before.
func Import(raw []byte) (*Rules, error) {
	var k kept
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, fmt.Errorf("importing memory: %w", err)
	}
	r := New()
	for _, a := range k.Alerts {
		if !contract.ValidDeviceID(a.ID) || a.Shown != nil && a.Shown.Alert != a.ID {
			return nil, fmt.Errorf("importing memory: alert %.70q is damaged", a.ID)
		}
		m := &memory{
			id: a.ID, highest: a.Highest, done: a.Done, ended: a.Ended, forget: a.Forget, resume: a.Shown, told: a.Told,
			stopping: a.Stopping[:min(len(a.Stopping), maxStopping)], cut: true, ranOut: a.RanOut,
		}
		if len(a.Told) > 0 {
			m.toldRev = a.Told[0].Revision
		}
		r.alerts[a.ID] = m
	}
	maps.Copy(r.commands, k.Commands)
	maps.Copy(r.versions, k.Versions)
	return r, nil
}
