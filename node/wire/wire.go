// Package wire holds the JSON bodies of the HTTP API, version 1, shared by the
// server, the Go client and the command line.
package wire

import (
	"encoding/json"
	"time"
)

// Outcome answers every request that creates a fact: what was understood, whom
// it addresses and how far it got.
type Outcome struct {
	Alert    string `json:"alert"`
	Revision uint64 `json:"revision"`
	Key      string `json:"key"` // sender,identifier,sent
	// State is how far the fact got when the answer was written: "local" (fsynced
	// on this node), "reached k of n" (fsynced on k of n nodes) or "committed". "dry run"
	// is no fact: nothing was recorded, everything else is as it would be. Then Alert
	// and Key of a message that has no identifier of its own are good for nothing.
	State string `json:"state"`
	// Effect is what the message does now: "in-force", "future", "superseded",
	// "ended" (a cancel took effect), "expired", "cancelled" (recorded, never broadcast),
	// "recorded" (System, Draft, or a Cancel that ends nothing: never broadcast), "pending" (approvals
	// are missing; see Approvals) or "duplicate" (already known, nothing new).
	Effect    string   `json:"effect"`
	Addressed Counts   `json:"addressed"`
	Unlocated uint64   `json:"unlocated,omitempty"` // members that no shape can reach
	Connected int      `json:"connected"`           // addressed devices on the answering node now
	Warnings  []string `json:"warnings,omitempty"`
	// Approvals says how many other persons must approve and who has; nil where none must.
	Approvals *Approvals `json:"approvals,omitempty"`
	Licence   string     `json:"licence,omitempty"` // id of the licence under which a node that is alone took it
}

// StateDryRun is the Outcome.State of what was only asked.
const StateDryRun = "dry run"

// Counts is a number of members, in all and by kind and place.
type Counts struct {
	Total   uint64  `json:"total"`
	ByKind  []Count `json:"by_kind,omitempty"`
	ByPlace []Count `json:"by_place,omitempty"`
}

// Count is one line of Counts.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// SendAlert is the simple JSON form of an alert. Alert holds the CAP 1.2 fields in
// CAP's names; what is missing of identifier, sender, sent, status, msgType and
// scope is filled in.
type SendAlert struct {
	Alert json.RawMessage `json:"alert,omitempty"`
	// Scenario is the id of a scenario to send in place of Alert, with its blanks filled in.
	// One scenario and one incident are one alert, wherever they are sent.
	Scenario string            `json:"scenario,omitempty"`
	Blanks   map[string]string `json:"blanks,omitempty"`
	Select   string            `json:"select,omitempty"` // selection; with CAP areas and the scenario's own all must hold
	Incident string            `json:"incident,omitempty"`
	Reason   string            `json:"reason,omitempty"` // needed when the node is alone
}

// CancelAlert cancels an alert. No approval is ever needed.
type CancelAlert struct {
	Reason string `json:"reason,omitempty"`
}

// Rungs counts members that reached at least each rung; the last four ended there.
type Rungs struct {
	Queued       uint64 `json:"queued"`
	Sent         uint64 `json:"sent"`
	Delivered    uint64 `json:"delivered"`
	Verified     uint64 `json:"verified"`
	Presented    uint64 `json:"presented"`
	Acknowledged uint64 `json:"acknowledged"`
	Failed       uint64 `json:"failed"`
	Expired      uint64 `json:"expired"`
	Cancelled    uint64 `json:"cancelled"`
	Refused      uint64 `json:"refused"`
}

// Alert is one alert with its current message.
type Alert struct {
	ID       string    `json:"id"`
	Revision uint64    `json:"revision"`
	Key      string    `json:"key"`
	State    string    `json:"state"` // in-force, future, expired, cancelled, superseded, pending, recorded
	Status   string    `json:"status"`
	MsgType  string    `json:"msg_type"`
	Headline string    `json:"headline"`
	Sent     time.Time `json:"sent"`
	Expires  time.Time `json:"expires"`
	Author   string    `json:"author,omitempty"`
	Select   string    `json:"select,omitempty"`
	Scenario string    `json:"scenario,omitempty"`
	Incident string    `json:"incident,omitempty"`
	Licence  string    `json:"licence,omitempty"`    // under which a node that was alone took it
	Alone    time.Time `json:"alone_since,omitzero"` // since when the node that took it was alone; zero: it was not
	Policy   uint64    `json:"policy,omitempty"`     // version of the policy that node knew
	// Approvals is who has approved it and how many must; nil where none must.
	Approvals *Approvals `json:"approvals,omitempty"`
	// Duplicates are other alerts that may be about the same: of another incident, and
	// still the same scenario or event for some of the same members at about the same time.
	Duplicates []string `json:"possible_duplicates,omitempty"`
	Place      string   `json:"replication"` // local, reached k of n, committed
	Rungs      Rungs    `json:"rungs"`
	// Addressed is the set recorded at adoption; Joined counts members that came
	// into the audience later, while the alert was in force.
	Addressed Counts     `json:"addressed"`
	Joined    uint64     `json:"joined"`
	Messages  []Message  `json:"messages,omitempty"`
	ByGroup   []GroupRow `json:"by_group,omitempty"` // only in the detail
}

// Message is one CAP message of an alert.
type Message struct {
	Key      string    `json:"key"`
	MsgType  string    `json:"msg_type"`
	Revision uint64    `json:"revision"`
	Accepted time.Time `json:"accepted"`
	Author   string    `json:"author,omitempty"`
	Fact     string    `json:"fact"`
	Digest   string    `json:"digest"` // of its content: what an approval is given for
	Reason   string    `json:"reason,omitempty"`
}

// GroupRow is one line of the table of who was reached: a kind in a block.
type GroupRow struct {
	Place string `json:"place"`
	Kind  string `json:"kind"`
	Rungs Rungs  `json:"rungs"`
}

// Member is one member of the audience.
type Member struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Kind      string            `json:"kind"`
	Place     string            `json:"place"`
	Tags      map[string]string `json:"tags,omitempty"`
	Languages []string          `json:"languages,omitempty"`
	Lat       *float64          `json:"lat,omitempty"`
	Lon       *float64          `json:"lon,omitempty"`
	Endpoints []string          `json:"endpoints,omitempty"` // channel:address
}

// ReceiptRow is one member at one rung of one alert.
type ReceiptRow struct {
	Member string `json:"member"`
	Kind   string `json:"kind"`
	Place  string `json:"place"`
	Rung   string `json:"rung"`
}

// Selected answers a selection.
type Selected struct {
	Expression string   `json:"expression"` // in canonical form
	Counts     Counts   `json:"counts"`
	Members    []Member `json:"members,omitempty"` // the first ones
	Next       string   `json:"next,omitempty"`    // pass as after for the following page
}

// Imported reports an import or its dry run.
type Imported struct {
	DryRun     bool     `json:"dry_run"`
	Applied    bool     `json:"applied"`
	Rows       int      `json:"rows"`
	Encoding   string   `json:"encoding"`
	Format     string   `json:"format"`
	Added      int      `json:"added"`
	Changed    int      `json:"changed"`
	Removed    int      `json:"removed"`
	Unchanged  int      `json:"unchanged"`
	Faults     []string `json:"faults,omitempty"`      // one sentence per fault, with the line
	FaultCount int      `json:"fault_count,omitempty"` // faults in all, also those without a sentence
	Warnings   []string `json:"warnings,omitempty"`    // likewise; they do not stop the import
	Diff       []string `json:"diff,omitempty"`        // the first readable lines
}

// Progress is how far an import is: one of the lines before the last of its stream.
type Progress struct {
	Phase string `json:"phase"` // a Phase constant; a reader takes others as well
	Done  int64  `json:"done"`  // rows; with PhaseUploading bytes, with PhaseRemoving members removed so far
	Total int64  `json:"total"` // 0 is not known
}

// The phases of an import, in their order. Before PhaseFolding nothing has changed;
// from then on the district finishes it, also without whoever asked.
const (
	PhaseUploading = "uploading"  // only the client tells
	PhaseChecking  = "checking"   // every row is judged
	PhaseStaging   = "staging"    // rows are copied to the nodes
	PhaseFolding   = "folding in" // rows become members
	PhaseRemoving  = "removing"   // with replace: members that the file does not hold
)

// Place is one node of the place tree.
type Place struct {
	Path     string            `json:"path"`
	Names    map[string]string `json:"names,omitempty"`    // language to name
	Geocodes []Geocode         `json:"geocodes,omitempty"` // as CAP areas cite them
	Lat      *float64          `json:"lat,omitempty"`
	Lon      *float64          `json:"lon,omitempty"`
	Shape    []string          `json:"shape,omitempty"` // CAP polygons: "lat,lon lat,lon …"
}

// Geocode is a CAP valueName/value pair.
type Geocode struct {
	ValueName string `json:"valueName"`
	Value     string `json:"value"`
}

// Enrol asks for a device. Without Member a member of the same id must exist or
// Kind and Place create one.
type Enrol struct {
	ID     string `json:"id"`
	Member string `json:"member,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Place  string `json:"place,omitempty"`
}

// Enrolled is what the device must be given; the secret is shown only here.
type Enrolled struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind,omitempty"` // the member's, for simulators
	Secret  string   `json:"secret"`         // 256 random bits, base64url
	Servers []string `json:"servers"`
	Place   string   `json:"place,omitempty"` // like Kind, of the member
	RootKey string   `json:"root_key"`        // Ed25519, base64url: verifies /keys
	CA      string   `json:"ca"`              // PEM: verifies the nodes' TLS certificates
}

// Device is one enrolled device.
type Device struct {
	ID        string    `json:"id"`
	Member    string    `json:"member"`
	Kind      string    `json:"kind"`
	Place     string    `json:"place"`
	Revoked   bool      `json:"revoked"`
	Connected bool      `json:"connected"`
	Node      string    `json:"node,omitempty"` // where it is connected
	Since     time.Time `json:"since,omitzero"`
	State     string    `json:"state,omitempty"` // as it last said
}

// AddUser creates a user; the answer holds the bearer token, shown only once.
type AddUser struct {
	Name    string   `json:"name"`
	Roles   []string `json:"roles"`
	Senders []string `json:"senders,omitempty"` // CAP senders this token may speak for; empty is any
	Places  []string `json:"places,omitempty"`  // places in which it may warn and approve; empty is all
}

// User is one user or token.
type User struct {
	Name    string   `json:"name"`
	Roles   []string `json:"roles"`
	Senders []string `json:"senders,omitempty"`
	Places  []string `json:"places,omitempty"`
	Revoked bool     `json:"revoked"`
	Token   string   `json:"token,omitempty"` // only in the answer that creates it
}

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
	Alone         bool       `json:"alone"`
	PolicyVersion uint64     `json:"policy_version"`     // raft index of the last change of policy, scenarios, licences; 0: none
	PolicyAge     int64      `json:"policy_age_seconds"` // since this node last had quorum, also before a restart; -1: never
	Applied       uint64     `json:"applied_index"`
	Committed     uint64     `json:"commit_index"`
	Incarnation   uint64     `json:"incarnation"`           // of the district; 1 where it was never recovered or restored
	Quarantined   bool       `json:"quarantined,omitempty"` // the district was recovered without this node
	Ready         bool       `json:"ready"`
	Why           string     `json:"why,omitempty"` // why not ready
	Members       uint64     `json:"members"`
	Devices       int        `json:"devices_connected"`
	InForce       int        `json:"alerts_in_force"`
	PendingFacts  int        `json:"facts_not_committed"`
	StateHash     string     `json:"state_hash,omitempty"` // index:SHA-256 of the agreed state, equal on every node at one index
	Nodes         []NodeInfo `json:"nodes"`
	API           string     `json:"api"`
	MQTT          []string   `json:"mqtt"`
	Internode     string     `json:"internode"`
	DataDirectory string     `json:"data"`
	Broker        *Broker    `json:"broker,omitempty"` // absent where none is configured
	Disk          Disk       `json:"disk"`
	Clock         Clock      `json:"clock"`
	Spool         Spool      `json:"spool"`
	Warnings      []string   `json:"warnings,omitempty"` // sentences for an operator; the node works all the same
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
	Reachable bool   `json:"reachable"`
	Leader    bool   `json:"leader"`
	// CommandVersion is the highest version of log entries that it said it understands;
	// 0 when it was never heard. A command that needs more is refused.
	CommandVersion uint64 `json:"command_version,omitempty"`
	// LogHeld is the last raft index that it is known to have on its disk, of those that
	// are agreed; 0 where it never said so.
	LogHeld uint64 `json:"log_held,omitempty"`
	// LostLog: it was started with less of what was agreed than it has had. The node that
	// is asked does not agree with it on anything; it must join anew.
	LostLog bool `json:"lost_log,omitempty"`
}

// Invite asks for a join token.
type Invite struct {
	Name    string `json:"name,omitempty"`
	Minutes int    `json:"minutes,omitempty"` // 0 is 60
}

// Invited holds the one-time token.
type Invited struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

// Event is one server-sent event.
type Event struct {
	ID       string    `json:"-"`
	Type     string    `json:"type"` // alert, receipts, node, audience, devices, split
	At       time.Time `json:"at"`
	Alert    string    `json:"alert,omitempty"`
	Revision uint64    `json:"revision,omitempty"`
	State    string    `json:"state,omitempty"`
	Rungs    *Rungs    `json:"rungs,omitempty"`
	Text     string    `json:"text,omitempty"`
}

// Problem is every error: one plain sentence and a stable kind.
type Problem struct {
	Kind     string   `json:"kind"` // see the OpenAPI file
	Sentence string   `json:"error"`
	Details  []string `json:"details,omitempty"`
	Alert    string   `json:"alert,omitempty"` // the alert already known, for a conflict
}

// Error makes Problem an error.
func (p *Problem) Error() string { return p.Sentence }
