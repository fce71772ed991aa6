package ability

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/node/wire/able"
	"almenara/storage/durable"
)

// The bounds of what a node remembers: results of as many devices as a district may have, and nights.
const (
	maxResults = 50_000
	maxNights  = 90
	pageSize   = 10_000 // results in one answer: some 1.5 MB
)

// Memory is what a node remembers of its tests, in a file of its own. Its methods may be called from any
// goroutine.
type Memory struct {
	path   string
	log    *slog.Logger
	saving sync.Mutex // held while the file is written

	mu      sync.Mutex // guards what follows
	results map[string]Result
	nights  []Night // the newest last
	changed bool
}

// kept is the file.
type kept struct {
	Results map[string]Result `json:"results"`
	Nights  []Night           `json:"nights"`
}

// OpenMemory reads the file. One that cannot be read is begun anew, with a line in the log: the next night
// fills it in, and no node stays down for it.
func OpenMemory(path string, log *slog.Logger) *Memory {
	m := &Memory{path: path, log: log, results: map[string]Result{}}
	raw, err := os.ReadFile(path)
	var k kept
	if err == nil {
		err = json.Unmarshal(raw, &k)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			log.Warn("what is known of tests of devices cannot be read and is begun anew", "error", err)
		}
		return m
	}
	m.nights = k.Nights[max(0, len(k.Nights)-maxNights):]
	for id, r := range k.Results {
		if len(m.results) < maxResults {
			m.results[id] = r
		}
	}
	return m
}

// Note remembers a result; when one last passed is kept over one that has not. A device that was busy
// with an alert was not tried, so what its last test came to goes on to count as long as it is fresh.
func (m *Memory) Note(device string, r Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, known := m.results[device]
	if !known && len(m.results) >= maxResults {
		return
	}
	if r.State == able.DeviceBusy && known && was.State != able.DeviceBusy && r.At.Sub(was.At) < fresh {
		return
	}
	if r.Passed = was.Passed; r.State == able.DevicePassed {
		r.Passed = r.At
	}
	m.results[device], m.changed = r, true
}

// TestedSince reports whether a device was tested here since then, other than in vain because it was busy.
func (m *Memory) TestedSince(device string, since time.Time) (Result, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.results[device]
	return r, ok && !r.At.Before(since) && r.State != able.DeviceBusy
}

// Keep puts what a night has come to so far in the place of what was known of it.
func (m *Memory) Keep(n Night) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nights = slices.DeleteFunc(m.nights, func(o Night) bool { return o.Night == n.Night })
	m.nights = append(m.nights, n)
	slices.SortFunc(m.nights, func(a, b Night) int { return strings.Compare(a.Night, b.Night) })
	m.nights, m.changed = m.nights[max(0, len(m.nights)-maxNights):], true
}

// Done reports whether a night was gone through.
func (m *Memory) Done(night string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.nights, func(n Night) bool { return n.Night == night && n.Done })
}

// Forget drops the devices that enrolled does not have.
func (m *Memory) Forget(enrolled map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.results)
	maps.DeleteFunc(m.results, func(id string, _ Result) bool { _, ok := enrolled[id]; return !ok })
	m.changed = m.changed || len(m.results) != before
}

// page is a page of the results, by id, with the nights on the first.
func (m *Memory) page(after string) (a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := slices.Sorted(maps.Keys(m.results))
	from, _ := slices.BinarySearch(ids, after+"\x00")
	to := min(len(ids), from+pageSize)
	a.Results = make(map[string]Result, to-from)
	for _, id := range ids[from:to] {
		a.Results[id] = m.results[id]
	}
	if to < len(ids) {
		a.Next = ids[to-1]
	}
	if after == "" {
		a.Nights = slices.Clone(m.nights)
	}
	return a
}

// Save writes the file where anything has changed; it is durable on return.
func (m *Memory) Save() error {
	m.saving.Lock()
	defer m.saving.Unlock()
	m.mu.Lock()
	changed := m.changed
	m.changed = false
	raw, err := json.Marshal(kept{Results: m.results, Nights: m.nights})
	m.mu.Unlock()
	if !changed || err != nil {
		return err
	}
	if err := durable.WriteFile(m.path, raw); err != nil {
		m.mu.Lock()
		m.changed = true
		m.mu.Unlock()
		return fmt.Errorf("writing what is known of tests of devices: %w", err)
	}
	return nil
}
