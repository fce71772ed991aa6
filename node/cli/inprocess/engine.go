// Package inprocess is what commands need of a node in this process.
package inprocess

import (
	"context"
	"io"
	"time"

	"almenara/node/backup"
	"almenara/node/wire"
)

// Engine is what the commands need of a node in this process. The command line
// knows the node only through these functions; main fills them. Every function
// runs until it is done or ctx ends, and leaves nothing running unless it says so.
type Engine struct {
	Version string // of the program

	// Init makes the data folder of the first node of a district.
	Init func(ctx context.Context, opts InitOptions) (InitResult, error)
	// Join makes the data folder of a further node with an invitation.
	Join func(ctx context.Context, opts JoinOptions) (JoinResult, error)
	// Serve runs the node of a data folder until ctx ends; ready is called once,
	// when the node takes requests. A nil error means that it stopped in order.
	Serve func(ctx context.Context, opts ServeOptions, ready func(ServeInfo)) error
	// Recover makes the node of a data folder the only voter of its district. confirm is
	// called once, before anything is changed; its error ends the command.
	Recover func(ctx context.Context, opts RecoverOptions, confirm func(RecoverSurvey) error, progress func(string)) (RecoverResult, error)
	// Rejoin brings the node of a data folder back under a new id.
	Rejoin func(ctx context.Context, opts RejoinOptions, progress func(string)) (RejoinResult, error)
	// BackupFolder makes a backup from a data folder whose node is not running.
	BackupFolder func(data string) (r io.ReadCloser, size int64, err error)
	// Restore makes a data folder from a backup. confirm is shown what is about to be done
	// before anything is; its error ends it.
	Restore func(ctx context.Context, opts RestoreOptions, confirm func(RestoreSurvey) error) (RestoreResult, error)
	// Demo runs nodes and devices in this process, sends one alert and says who
	// proved it; out gets a line for each step, for people.
	Demo func(ctx context.Context, opts DemoOptions, out io.Writer) (DemoResult, error)
	// Simulate connects devices and waits for alerts; told, which is never nil, is given a
	// picture about every second, by one goroutine at a time. That ctx or opts.For ended is no
	// error: the result says what was proven.
	Simulate func(ctx context.Context, opts SimulateOptions, told func(SimulateResult)) (SimulateResult, error)
	// Check plays a district for one device and grades it. enrolled is called once, when the
	// device may connect; told with each line.
	Check func(ctx context.Context, opts CheckOptions, enrolled func(wire.Enrolled) error, told func(CheckLine)) (CheckResult, error)
}

// Listen says where a node listens. An empty field is the node's own choice: what
// the data folder says, or else the default.
type Listen struct {
	Internode string   // host:port for the other nodes
	Advertise string   // host or host:port under which others reach it
	TLSNames  []string // further hosts that its certificate names
	API       string   // host:port of HTTP
	MQTT      string   // host:port of MQTT over TCP
	MQTTTLS   string   // host:port of MQTT over TLS
	MQTTWS    string   // host:port of MQTT over WebSocket
	MQTTWSS   string   // the same, with TLS
}

// InitOptions are the settings of a new district's first node.
type InitOptions struct {
	Data     string // folder, made when absent; refused when it holds a node
	Name     string // of the node, for people; empty is the host's
	District string // place path of the district; never empty
	Listen
}

// InitResult says what was made; all of it is durable.
type InitResult struct {
	Node      string `json:"node"` // id
	Name      string `json:"name"`
	District  string `json:"district"`
	Data      string `json:"data"`
	TokenFile string `json:"token_file"` // holds the first administrator's token
	RootKey   string `json:"root_key"`   // Ed25519, base64url
}

// JoinOptions are the settings of a further node.
type JoinOptions struct {
	Data  string
	Name  string
	Token string // what `node invite` printed
	Listen
}

// JoinResult says what was made; all of it is durable.
type JoinResult struct {
	Node     string `json:"node"`
	Name     string `json:"name"`
	District string `json:"district"`
	Data     string `json:"data"`
}

// ServeOptions are the settings of a running node.
type ServeOptions struct {
	Data      string
	Heartbeat time.Duration // of raft; 0 is the node's default
	FramedBy  []string      // origins whose pages may show the pages of devices in a frame
	Peers     []string      // host:port of other nodes' internode ports, where the folder may not know them
	// Residents is the address under which residents' phones reach the node; ResidentsListen where their pages are
	// served without TLS.
	Residents, ResidentsListen string

	LogLevel string // debug, info, warn or error
	LogJSON  bool
	Log      io.Writer // where the log goes; never nil
	Listen
	Broker
}

// Broker is an external MQTT broker; no URL is none.
type Broker struct {
	URL      string // tcp://, ssl://, ws:// or wss://host:port
	Username string // this node's at the broker
	Password string
	CA       []byte // PEM of who signs the broker's certificate
}

// ServeInfo says where a node that takes requests listens.
type ServeInfo struct {
	Node      string   `json:"node"`
	Name      string   `json:"name"`
	District  string   `json:"district"`
	API       string   `json:"api"` // URL
	MQTT      []string `json:"mqtt"`
	Internode string   `json:"internode"`
	Isolated  bool     `json:"isolated,omitempty"` // a drill copy of the district
}

// DemoOptions are the settings of a demonstration.
type DemoOptions struct {
	Devices int    // in all, screens, speakers and phones
	Nodes   int    // 1 or more
	CAP     []byte // the message to send; nil is a built-in exercise
	Keep    bool   // leave the nodes running after the result, until DemoResult.Close
}

// DemoResult says what the demonstration proved.
type DemoResult struct {
	Nodes     int             `json:"nodes"`
	Devices   int             `json:"devices"`
	Alert     string          `json:"alert"`
	Headline  string          `json:"headline"`
	Status    string          `json:"status"`            // of the message: Actual, Exercise, Test, …
	Stopped   string          `json:"stopped,omitempty"` // the leader that was stopped on the way
	Leader    string          `json:"leader,omitempty"`  // who led at the end
	FirstMS   float64         `json:"first_ms"`          // accepted to first presented
	LastMS    float64         `json:"last_ms"`           // accepted to last presented
	Kinds     []KindProof     `json:"kinds"`             // as the devices know it
	Groups    []wire.GroupRow `json:"groups"`            // as the nodes know it, by block and kind
	Proven    bool            `json:"proven"`            // every addressed device proved it once, nobody else got it, the nodes agree
	Missing   int             `json:"missing"`           // addressed devices that did not prove it exactly once
	Twice     int             `json:"twice"`             // devices that started it more than once
	Outside   int             `json:"outside"`           // devices that got it and were not addressed
	Agree     bool            `json:"agree"`             // every running node counts what the devices told
	API       []string        `json:"api,omitempty"`     // of the nodes that Keep left running
	MQTT      []string        `json:"mqtt,omitempty"`
	Accepted  time.Time       `json:"-"`
	TokenFile string          `json:"token_file,omitempty"` // holds an administrator's token, with Keep

	// Close stops what Keep left running and waits for it. Nil without Keep.
	Close func(context.Context) error `json:"-"`
}

// KindProof counts the devices of one kind by what they proved.
type KindProof struct {
	Kind         string `json:"kind"`
	Addressed    int    `json:"addressed"`
	Connected    int    `json:"connected"`
	Verified     int    `json:"verified"`
	Presented    int    `json:"presented"`
	Acknowledged int    `json:"acknowledged"`
	Stopped      int    `json:"stopped"` // told that they show it no more
}

// SimulateOptions are the settings of a simulation.
type SimulateOptions struct {
	Devices []wire.Enrolled
	Servers []string      // instead of each device's own; empty keeps those
	For     time.Duration // the longest; 0 is until ctx ends or Expect is met
	Expect  int           // end once every device has presented this many alerts; 0 does not wait for any
	Faulty  int           // percent of the devices that are faulty: slow, skewed, rebooting, deaf and forging in turn
}

// SimulateResult says what the simulated devices did, or have done so far.
type SimulateResult struct {
	Devices   int             `json:"devices"`
	Connected int             `json:"connected"`       // of Devices, that were connected at least once
	Never     int             `json:"never_connected"` // of Devices, that never were
	Online    int             `json:"online"`          // of Devices, that are connected now
	Alerts    []string        `json:"alerts"`
	Kinds     []SimulatedKind `json:"kinds"`
	Seconds   float64         `json:"seconds"`
	Twice     int             `json:"twice"` // starts beyond the first of one revision at one device
	Late      int             `json:"late"`  // as of SimulatedKind, in all
	// There is how fast devices without a fault proved what began while they were connected, from
	// when it began at the first of all; Back, those that were connected later, from then.
	There  Pace `json:"there"`
	Back   Pace `json:"back"`
	Proven bool `json:"proven"` // every device was connected and met Expect; none started a revision twice
}

// SimulatedKind counts the devices of one kind, and of one fault. From Addressed on, a device
// counts once for each revision.
type SimulatedKind struct {
	Kind         string `json:"kind"`
	Devices      int    `json:"devices"`
	Connected    int    `json:"connected"` // at least once
	Online       int    `json:"online"`    // now
	Showing      int    `json:"showing"`   // devices that present anything now
	Addressed    int    `json:"addressed"` // that got it
	Verified     int    `json:"verified"`
	Presented    int    `json:"presented"` // told and acknowledged by a node
	Acknowledged int    `json:"acknowledged"`
	Stopped      int    `json:"stopped"` // told that they show it no more
	Late         int    `json:"late"`    // not proven in 10 s, or in 5 s after it was connected, by a device that is connected
	Twice        int    `json:"twice"`   // starts beyond the first
}

// Pace is how fast devices were, each counted once for each revision.
type Pace struct {
	Due    int     `json:"due"`     // that have proven it, or whose time to do so is over
	InTime int     `json:"in_time"` // of Due
	P50MS  float64 `json:"p50_ms"`
	P99MS  float64 `json:"p99_ms"`
	LastMS float64 `json:"last_ms"`
}

// Progress is how far long work is; Total 0 is not known.
type Progress struct {
	Done, Total int64
	Text        string // what is being done, such as "connected"
}

// RecoverOptions are those of the recovery of a district from one node's folder.
type RecoverOptions struct {
	Data  string
	Force bool // also while enough other nodes answer to agree
}

// RecoverSurvey is what a person is shown before anything is changed.
type RecoverSurvey struct {
	Node        string    `json:"node"`
	Name        string    `json:"name"`
	District    string    `json:"district"`
	Incarnation uint64    `json:"incarnation"`
	Applied     uint64    `json:"applied_index"`
	LogEnd      uint64    `json:"log_end"` // what lies after Applied may never have been committed
	LastAt      time.Time `json:"last_at,omitzero"`
	LastAction  string    `json:"last_action,omitempty"`
	NewID       string    `json:"new_id,omitempty"` // why it needs a new id
	Quarantined uint64    `json:"quarantined_by,omitempty"`
	Newer       string    `json:"newer,omitempty"` // whether the node answers that the newer incarnation began with
	Others      []string  `json:"others"`          // one line for each other voter: who, and whether it answers
	Done        bool      `json:"done"`
}

// RecoverResult says what was made; all of it is durable.
type RecoverResult struct {
	Node        string `json:"node"`
	District    string `json:"district"`
	Incarnation uint64 `json:"incarnation"`
	Applied     uint64 `json:"applied_index"`
	Taken       uint64 `json:"entries_taken"`
	Already     bool   `json:"already"`
	Data        string `json:"data"`
}

// RejoinOptions are those of a node that comes back under a new id.
type RejoinOptions struct {
	Data  string
	Token string // what `node invite` printed
	Lossy bool   // go on though facts that only this node has would be lost
}

// RejoinResult says what was done; all of it is durable.
type RejoinResult struct {
	Node    string `json:"node"`
	Old     string `json:"old"`
	Sent    int    `json:"facts_handed_over"`
	Gaps    int    `json:"streams_with_losses"`
	Changes int    `json:"changes_left_behind"`
	Report  string `json:"report,omitempty"` // file that lists them
	Unread  string `json:"unreadable,omitempty"`
	Data    string `json:"data"`
}

// RestoreOptions are those of a district that is begun anew from a backup.
type RestoreOptions struct {
	Data     string // folder, made when absent; refused when it holds anything
	Name     string
	File     *backup.File
	Isolated bool // a copy for a drill, which speaks to nobody of the district
	Force    bool // also while nodes of the district answer
	Listen
}

// RestoreSurvey is what a person is shown before anything is changed.
type RestoreSurvey struct {
	District    string
	Incarnation uint64 // that will be
	Isolated    bool
	Others      []string // one line for each node of the backup: who, and whether it answers
}

// RestoreResult says what was made; all of it is durable.
type RestoreResult struct {
	Node        string `json:"node"`
	District    string `json:"district"`
	Incarnation uint64 `json:"incarnation"`
	Applied     uint64 `json:"applied_index"`
	AuditLines  uint64 `json:"audit_lines"`
	TokenFile   string `json:"token_file,omitempty"`
	Data        string `json:"data"`
	Isolated    bool   `json:"isolated,omitempty"`
}

// CheckOptions are the settings of a check of a device of another maker.
type CheckOptions struct {
	ID     string
	Listen []string      // host:port of each node that is played
	Run    string        // command line that is the device, started in a shell with ENROLMENT in its environment; "" is a device elsewhere
	File   string        // for the enrolment; with Run "" is a file that goes with the check
	Within time.Duration // the longest for what must be shown; 0 is 10 s
	Only   []string      // words of the lines to try; none is all
	// Power is called when the power of a device elsewhere is to be cut and to come back; nil
	// leaves out the lines that need it. It need not wait until that is done.
	Power func()
}

// CheckLine is one rule of the contract and how the device held to it.
type CheckLine struct {
	Section string `json:"section"` // of channels/contract/CONTRACT.md
	Name    string `json:"name"`
	Result  string `json:"result"` // ok, FAILED or not seen
	Why     string `json:"why,omitempty"`
}

// CheckResult is what a check came to.
type CheckResult struct {
	Device  string      `json:"device"`
	Lines   []CheckLine `json:"lines"`
	Passed  int         `json:"passed"`
	Failed  int         `json:"failed"`
	NotSeen int         `json:"not_seen"`
}
