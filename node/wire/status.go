package wire

import (
	"time"

	"almenara/node/wire/why"
)

// Status is what a node knows of itself and its district.
type Status struct {
	Node       string    `json:"node"`
	Name       string    `json:"name"`
	Version    string    `json:"version"`
	District   string    `json:"district"`
	Role       string    `json:"role"` // leader, follower, candidate
	Leader     string    `json:"leader"`
	Term       uint64    `json:"term"`
	Quorum     bool      `json:"quorum"`
	AloneSince time.Time `json:"alone_since,omitzero"`
	// Alone says that there has been no quorum for so long that the rules for it hold:
	// people need a licence. AloneSince is when quorum was lost.
	Alone         bool          `json:"alone"`
	PolicyVersion uint64        `json:"policy_version"`     // raft index of the last change of policy, scenarios, licences; 0: none
	PolicyAge     int64         `json:"policy_age_seconds"` // since this node last had quorum, also before a restart; -1: never
	Applied       uint64        `json:"applied_index"`
	Committed     uint64        `json:"commit_index"`
	Incarnation   uint64        `json:"incarnation"`           // of the district; 1 where it was never recovered or restored
	Quarantined   bool          `json:"quarantined,omitempty"` // the district was recovered without this node
	Isolated      bool          `json:"isolated,omitempty"`    // a DRILL COPY: restored with --isolated, it speaks to nobody of the district
	Ready         bool          `json:"ready"`
	Why           why.Sentence  `json:"why,omitzero"` // why not ready
	Members       uint64        `json:"members"`
	Devices       int           `json:"devices_connected"`
	InForce       int           `json:"alerts_in_force"`
	PendingFacts  int           `json:"facts_not_committed"`
	StateHash     string        `json:"state_hash,omitempty"` // index:SHA-256 of the agreed state, equal on every node at one index
	Nodes         []NodeInfo    `json:"nodes"`
	API           string        `json:"api"`
	MQTT          []string      `json:"mqtt"`
	Internode     string        `json:"internode"`
	DataDirectory string        `json:"data"`
	Broker        *Broker       `json:"broker,omitempty"` // absent where none is configured
	Disk          Disk          `json:"disk"`
	Clock         Clock         `json:"clock"`
	Spool         Spool         `json:"spool"`
	Warnings      why.Sentences `json:"warnings,omitempty"` // sentences for an operator; the node works all the same
	Ends          []Ending      `json:"ends,omitempty"`     // what ends within 30 days or has ended, the first one first
}

// Ending is something that ends soon: within 30 days, or within the last half of its life where that is
// shorter.
type Ending struct {
	Kind string       `json:"kind"` // certificate, authority, key or licence
	Name why.Sentence `json:"name"` // what it is, for people
	At   time.Time    `json:"at"`
	Then why.Sentence `json:"then"` // what to do, as the end of a sentence
}

// Clock is the time of day by which a node goes.
type Clock struct {
	// Source is own (the machine's clock), district (what a majority of the nodes says,
	// because the machine's clock differs by more than a minute) or held (the machine's
	// clock was set while alerts were in force, and there is no majority to ask).
	Source     string  `json:"source"`
	OffSeconds float64 `json:"off_seconds"` // the machine's clock, ahead of that
}

// Spool is where receipts wait until they are agreed.
type Spool struct {
	Used    int64            `json:"used_bytes"` // or the same share of Total as blocks wait of 65,536, when that is more
	Total   int64            `json:"total_bytes"`
	Oldest  time.Time        `json:"oldest,omitzero"`
	GivenUp map[string]int64 `json:"given_up,omitempty"` // by rung, since the start: never what devices say themselves
}

// Disk is the file system of a node's data folder.
type Disk struct {
	Level   string `json:"level"` // ample, low, tight (no imports, enrolment, backups) or broadcast-only
	Free    uint64 `json:"free_bytes"`
	Total   uint64 `json:"total_bytes"`
	Ballast uint64 `json:"ballast_bytes,omitempty"` // held back for a full disk
}

// Broker is the link to an external MQTT broker.
type Broker struct {
	URL        string    `json:"url"`
	Connected  bool      `json:"connected"`
	Since      time.Time `json:"since"`
	Why        string    `json:"why,omitempty"` // why not connected
	Publisher  bool      `json:"publisher"`     // this node publishes for the district
	Devices    int       `json:"devices"`       // that say they are there
	Unanswered int       `json:"unanswered"`    // bodies that they have not answered
}

// NodeInfo is one node of the district.
type NodeInfo struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Internode string `json:"internode"`
	API       string `json:"api"`
	Voter     bool   `json:"voter"`
	Reachable bool   `json:"reachable"` // it answered the node that is asked within 3 seconds; that it calls is not enough
	// LastAnswer is when it last did; absent when it never has since that node was started.
	LastAnswer time.Time `json:"last_answer,omitzero"`
	// NeverSeen: it was admitted and has not run yet, as far as the node that is asked knows.
	NeverSeen bool `json:"never_seen,omitempty"`
	Leader    bool `json:"leader"`
	// CommandVersion is the highest version of log entries that it said it understands; 0 when it was never heard.
	CommandVersion uint64 `json:"command_version,omitempty"`
	// LogHeld is the last raft index that it is known to have on its disk, of those that are agreed; 0: it never said so.
	LogHeld uint64 `json:"log_held,omitempty"`
	// LostLog: it was started with less of what was agreed than it has had. The node that
	// is asked does not agree with it on anything; it must join anew.
	LostLog bool `json:"lost_log,omitempty"`
}

// Invite asks for a join token.
type Invite struct {
	Minutes int `json:"minutes,omitempty"` // 0 is 60
}

// Invited holds the one-time token.
type Invited struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}
