package peers

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"almenara/cluster/internode"
)

// Nowhere ends the address of a member whose box has another id now (RFC 2606).
const Nowhere = ".invalid:1"

// addressHeader carries, on every request and answer between nodes, the address at
// which the sender is reached; movedHeader, the addresses that other nodes announced to
// it and that the raft configuration does not have yet, as "id=host:port" with commas
// between. Software of before them sends none.
const (
	addressHeader = "Almenara-Address"
	movedHeader   = "Almenara-Moved"
	maxMoved      = 32 // addresses in one header
)

// addressesFile keeps what the peers announced, for a node that is started anew at
// another address before the district could agree on theirs.
const addressesFile = "peers.addresses"

// addressBook is where the other nodes are reached by what was said in calls. A node may
// be believed about its own address: its certificate names it. What one says of another
// is only tried: whoever answers there must show that other's certificate. Safe for
// concurrent use.
type addressBook struct {
	mu      sync.Mutex
	own     map[string]string // by server id: announced by the node itself, to us
	told    map[string]string // by another member
	changed bool              // own is not on this disk as it is
}

// announce takes a node's own word, and says whether it is news.
func (b *addressBook) announce(id, addr string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.own[id] == addr {
		return false
	}
	b.own[id], b.changed = addr, true
	return true
}

func (b *addressBook) tell(id, addr string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told[id] = addr
}

// announced is what the node said of itself last; "" when it never did.
func (b *addressBook) announced(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.own[id]
}

// of lists both, the node's own word first.
func (b *addressBook) of(id string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return []string{b.own[id], b.told[id]}
}

// keep forgets all nodes but those.
func (b *addressBook) keep(servers []raft.Server) {
	if len(servers) == 0 { // just admitted: the configuration is still to come
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(id string, _ string) bool {
		return !has(servers, id)
	}
	before := len(b.own)
	maps.DeleteFunc(b.own, gone)
	maps.DeleteFunc(b.told, gone)
	b.changed = b.changed || len(b.own) != before
}

// load reads what an earlier run was told. What cannot be read counts as nothing.
func (b *addressBook) load(dir string, log *slog.Logger) {
	b.own, b.told = map[string]string{}, map[string]string{}
	maps.Copy(b.own, readKnown[string](dir, addressesFile, log))
	maps.DeleteFunc(b.own, func(_, addr string) bool { return !internode.ValidAddress(addr) })
}

// save writes it when it has changed.
func (b *addressBook) save(dir string, log *slog.Logger) {
	b.mu.Lock()
	known, changed := maps.Clone(b.own), b.changed
	b.changed = false
	b.mu.Unlock()
	if changed {
		writeKnown(dir, addressesFile, known, log) // without it a restart has to ask at older addresses
	}
}

// Addresses is where a node is dialled, the most believable first: what it said itself
// over a connection with its certificate, the caller's record, the raft configuration,
// and what others say. The record may be older than the node's word: a node that has
// moved cannot renew it before the others find it.
func (p *Peers) Addresses(id string) []string {
	if id == p.Self {
		return []string{p.Advertise}
	}
	said := p.said.of(id)
	list := []string{said[0]}
	if p.Address != nil {
		if addr, ok := p.Address(id); ok {
			list = append(list, addr)
		}
	}
	for _, s := range p.Servers() {
		if string(s.ID) == id {
			list = append(list, string(s.Address))
		}
	}
	list = append(list, said[1])
	known := list[:0]
	for _, addr := range list {
		if addr != "" && !strings.HasSuffix(addr, Nowhere) && !slices.Contains(known, addr) {
			known = append(known, addr)
		}
	}
	return known
}

// Resolve is the first of a node's addresses.
func (p *Peers) Resolve(id string) (string, bool) {
	if known := p.Addresses(id); len(known) > 0 {
		return known[0], true
	}
	return "", false
}

// tellAddresses puts on a request or an answer where this node is reached, and where
// those are that have moved.
func (p *Peers) tellAddresses(h http.Header) {
	h.Set(addressHeader, p.Advertise)
	var moved []string
	for _, s := range p.Servers() {
		own := p.said.announced(string(s.ID))
		if own != "" && own != string(s.Address) && len(moved) < maxMoved {
			moved = append(moved, string(s.ID)+"="+own)
		}
	}
	if len(moved) > 0 {
		h.Set(movedHeader, strings.Join(moved, ","))
	}
}

// hearAddresses takes what a member says.
func (p *Peers) hearAddresses(id string, h http.Header) {
	if addr := h.Get(addressHeader); internode.ValidAddress(addr) {
		p.Announce(id, addr)
	}
	if moved := h.Get(movedHeader); moved != "" {
		for i, entry := range strings.Split(moved, ",") {
			other, addr, ok := strings.Cut(entry, "=")
			if ok && i < maxMoved && other != p.Self && other != id && internode.ValidAddress(addr) &&
				has(p.Servers(), other) {
				p.said.tell(other, addr)
			}
		}
	}
}

// Announce takes a member's own address.
func (p *Peers) Announce(id, addr string) {
	if !p.said.announce(id, addr) {
		return
	}
	p.Logger.Debug("a node said where it is reached", "peer", id, "address", addr)
	if p.Moved != nil {
		p.Moved(id, addr)
	}
}

// Announced is what the node said of itself last; "" when it never did.
func (p *Peers) Announced(id string) string { return p.said.announced(id) }

// Found says that a node was met at an address that somebody else named.
func (p *Peers) Found(id, addr string) { p.said.tell(id, addr) }

// HasMoved says that the configuration has an old address for this node.
func (p *Peers) HasMoved() bool {
	for _, s := range p.Servers() {
		if string(s.ID) == p.Self {
			return string(s.Address) != p.Advertise
		}
	}
	return false
}

// Holder is another node that is at hand and says that it is reached at addr; "" when
// there is none.
func (p *Peers) Holder(addr, but string) string {
	for _, s := range p.Servers() {
		id := string(s.ID)
		switch {
		case id == but:
		case id == p.Self && addr == p.Advertise,
			id != p.Self && p.said.announced(id) == addr && p.Reachable(id):
			return id
		}
	}
	return ""
}
