package peers

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/raft"
)

// AskTimeout is how long a peer is waited for that is asked for something small.
const AskTimeout = time.Second

// Options is what is asked of the node. Recorded, Address and Moved may be nil.
type Options struct {
	Self      string // server id of this node
	Advertise string // host:port at which the others reach it
	Dir       string // data directory, for both files
	Version   uint64 // highest version of a command that this node applies
	// Recorded is what a member said it understands when it was admitted; 0 for not known.
	Recorded func(id string) uint64
	// Address names an address that the caller has on record, newer than raft's.
	Address func(id string) (addr string, ok bool)
	// Servers is the latest raft configuration; empty while there is none.
	Servers func() []raft.Server
	// Moved is told of a node that is reached at another address than before.
	Moved  func(id, addr string)
	Logger *slog.Logger
}

// Peers is what is known of them. Safe for concurrent use, but for Save, which one goroutine
// calls.
type Peers struct {
	Options
	contacts contacts
	versions versions
	said     addressBook
}

// Open reads what an earlier run was told.
func Open(o Options) *Peers {
	p := &Peers{Options: o}
	p.contacts.init()
	p.versions.load(o.Dir, o.Logger)
	p.said.load(o.Dir, o.Logger)
	return p
}

// Tell puts what this node says of itself and of others on a request or an answer.
func (p *Peers) Tell(h http.Header) {
	h.Set(versionHeader, strconv.FormatUint(p.Version, 10))
	p.tellAddresses(h)
}

// Hear takes what a member says of itself and of others.
func (p *Peers) Hear(id string, h http.Header) {
	p.contacts.hear(id)
	p.versions.hear(id, HeaderVersion(h))
	p.hearAddresses(id, h)
}

// Keep compares the present configuration with the last one: who is in it no more is
// remembered as gone, and nothing else of it.
func (p *Peers) Keep() {
	servers := p.Servers()
	for _, id := range p.contacts.compare(servers) {
		p.versions.forget(id)
	}
	p.said.keep(servers)
}

// Save writes both files where they have changed.
func (p *Peers) Save() {
	p.versions.save(p.Dir, p.Logger)
	p.said.save(p.Dir, p.Logger)
}

func has(servers []raft.Server, id string) bool {
	return slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == id })
}
