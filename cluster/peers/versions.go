package peers

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// versionHeader carries, on every request and answer between nodes, the highest
// version of a command that the sender's state machine applies. Software of before it
// sends none and understands version 1. It is a header because older software takes a
// longer ping for a broken one.
const versionHeader = "Almenara-Command-Version"

// versionsFile remembers what the peers understood when they were last heard, so that
// a restart does not make those that are down now look old.
const versionsFile = "peers.versions"

// versions is the highest version of a command that each peer said, also before this run.
type versions struct {
	mu      sync.Mutex
	said    map[string]uint64
	changed bool // since it was last written
}

func (v *versions) hear(id string, version uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.said[id] != version {
		v.said[id], v.changed = version, true
	}
}

func (v *versions) forget(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.said, id)
	v.changed = true
}

// of is 0 for who never said one.
func (v *versions) of(id string) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.said[id]
}

// load reads what an earlier run of this node knew of its peers. Without it, or when it
// cannot be read, they count as old until they are heard.
func (v *versions) load(dir string, log *slog.Logger) {
	v.said = map[string]uint64{}
	maps.Copy(v.said, readKnown[uint64](dir, versionsFile, log))
}

func (v *versions) save(dir string, log *slog.Logger) {
	v.mu.Lock()
	known, changed := maps.Clone(v.said), v.changed
	v.changed = false
	v.mu.Unlock()
	if changed {
		writeKnown(dir, versionsFile, known, log) // without it a restart takes peers that are down for old
	}
}

// HeaderVersion is the version that whoever sent the headers says it understands; 1 where
// there is none that can be read.
func HeaderVersion(h http.Header) uint64 {
	n, err := strconv.ParseUint(h.Get(versionHeader), 10, 32)
	if err != nil {
		return 1
	}
	return max(n, 1)
}

// VersionHeader makes headers that say it.
func VersionHeader(version uint64) http.Header {
	return http.Header{versionHeader: {strconv.FormatUint(version, 10)}}
}

// VersionOf is what a member said last; of one that was never heard, what it said when
// it was admitted; 0 where neither is known.
func (p *Peers) VersionOf(id string) uint64 {
	if said := p.versions.of(id); said > 0 || p.Recorded == nil {
		return said
	}
	return p.Recorded(id)
}

// OlderThan lists the members that are not known to understand the version, sorted.
func (p *Peers) OlderThan(version uint64) []string {
	var old []string
	if version <= 1 {
		return nil
	}
	if p.Version < version {
		old = append(old, p.Self)
	}
	for _, s := range p.Servers() {
		if id := string(s.ID); id != p.Self && p.VersionOf(id) < version {
			old = append(old, id)
		}
	}
	slices.Sort(old)
	return old
}
