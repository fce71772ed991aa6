package wire

import (
	"time"

	"almenara/node/wire/devicehealth"
	"almenara/node/wire/why"
)

// Selected answers a selection.
type Selected struct {
	Expression string   `json:"expression"` // in canonical form
	Counts     Counts   `json:"counts"`
	RoundedTo  uint64   `json:"rounded_to,omitempty"` // the counts are rounded down to multiples of this; 0: they are exact
	Members    []Member `json:"members,omitempty"`    // the first ones
	Next       string   `json:"next,omitempty"`       // pass as after for the following page

	Warnings why.Sentences `json:"warnings,omitempty"` // where nobody is selected: the terms that no member fits, a sentence each
}

// Imported reports an import or its dry run.
type Imported struct {
	DryRun     bool          `json:"dry_run"`
	Applied    bool          `json:"applied"`
	Rows       int           `json:"rows"`
	Encoding   string        `json:"encoding"`
	Format     string        `json:"format"`
	Added      int           `json:"added"`
	Changed    int           `json:"changed"`
	Removed    int           `json:"removed"`
	Unchanged  int           `json:"unchanged"`
	Faults     why.Sentences `json:"faults,omitempty"`      // one sentence per fault, with the line
	FaultCount int           `json:"fault_count,omitempty"` // faults in all, also those without a sentence
	Warnings   why.Sentences `json:"warnings,omitempty"`    // likewise; they do not stop the import
	Diff       why.Sentences `json:"diff,omitempty"`        // the first readable lines
	// Normalized is how many values were brought to the form that selections compare: full
	// width, invisible characters, accents apart, upper case where there is none.
	Normalized int `json:"normalized,omitempty"`
	// Orphaned is how many enrolled devices belong to members that the import removes: no
	// alert reaches them then.
	Orphaned      int      `json:"orphaned_devices,omitempty"`
	OrphanedFirst []string `json:"orphaned_first,omitempty"` // ids of the first ten of those devices
}

// RemovedMember says what removing a member did.
type RemovedMember struct {
	Member        string   `json:"member"`
	Orphaned      int      `json:"orphaned_devices"`         // enrolled devices that belonged to it: no alert reaches them any more
	OrphanedFirst []string `json:"orphaned_first,omitempty"` // ids of the first ten of those devices
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

// MaxEnrol is the most devices that are enrolled at once: as many as one entry of the log takes.
const MaxEnrol = 500

// Enrol asks for a device. Without Member a member of the same id must exist or
// Kind and Place create one.
type Enrol struct {
	ID     string `json:"id"`
	Member string `json:"member,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Place  string `json:"place,omitempty"`
	// Rotate gives a device that is enrolled already a new secret; the living device is cut
	// off until it has that. Without it such a device is refused.
	Rotate bool `json:"rotate,omitempty"`
	// NewKind says that a kind which no member has yet is meant. Without it such a kind is
	// refused as a slip.
	NewKind bool `json:"new_kind,omitempty"`
	// Verifier is the SHA-256 of a secret that the device made itself, in base64url: the node makes
	// none then. Empty has the node make the secret.
	Verifier string `json:"verifier,omitempty"`
}

// Enrolled is what the device must be given; the secret is shown only here.
type Enrolled struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind,omitempty"` // the member's, for simulators
	Secret  string   `json:"secret"`         // 256 random bits, base64url; "" where the device has made its own
	Servers []string `json:"servers"`
	Place   string   `json:"place,omitempty"` // like Kind, of the member
	RootKey string   `json:"root_key"`        // Ed25519, base64url: verifies /keys
	CA      string   `json:"ca"`              // PEM: verifies the nodes' TLS certificates
}

// Device is one enrolled device.
type Device struct {
	ID      string `json:"id"`
	Member  string `json:"member"`
	Kind    string `json:"kind"`
	Place   string `json:"place"`
	Revoked bool   `json:"revoked"`
	// Connected says whether it is connected to any node. It is absent where that is not known:
	// no node that answered has it, and those in Unanswered did not answer.
	Connected  *bool     `json:"connected,omitempty"`
	Unanswered []string  `json:"unanswered,omitempty"` // ids of nodes; only where connected is absent
	Node       string    `json:"node,omitempty"`       // where it is connected
	Since      time.Time `json:"since,omitzero"`
	Condition  string    `json:"condition,omitempty"` // as it last said: ready, presenting, disconnected or lost
	// Health is what it last said of itself on this connection; absent where it said nothing, or
	// is connected to no node that answered.
	Health *devicehealth.DeviceHealth `json:"health,omitempty"`
}

// AddUser creates a user; the answer holds the bearer token, shown only once.
type AddUser struct {
	Name    string   `json:"name"`
	Roles   []string `json:"roles"`
	Senders []string `json:"senders,omitempty"` // CAP senders this token is limited to, and nobody else may speak for; empty is any that is granted to nobody
	Places  []string `json:"places,omitempty"`  // places in which it may warn, end, change and approve, and change and test devices, members and places; empty is all
	System  bool     `json:"system,omitempty"`  // a central system: no policy asks for a second person; needs senders
}

// SetUser changes what a user is and may do. What is left out stays.
type SetUser struct {
	Version string    `json:"version,omitempty"` // of the user as it was read: where it is another by now, nothing is changed; absent is whatever it is
	System  *bool     `json:"system,omitempty"`  // a central system; false is a person
	Roles   []string  `json:"roles,omitempty"`   // all that the user has from now on; nobody is without
	Senders *[]string `json:"senders,omitempty"` // CAP senders to which the user is limited; empty is any
	Places  *[]string `json:"places,omitempty"`  // to which the user is limited; empty is everywhere
}

// SetPassword sets the password with which a person signs in to the console.
type SetPassword struct {
	Password            string `json:"password"`                        // 10 characters at least
	WithoutSecondFactor bool   `json:"without_second_factor,omitempty"` // takes the second factor and its recovery codes away
}

// User is one user or token.
type User struct {
	Name    string   `json:"name"`
	Version string   `json:"version,omitempty"` // of what the user is and may do; see PUT
	Roles   []string `json:"roles"`
	Senders []string `json:"senders,omitempty"`
	Places  []string `json:"places,omitempty"`
	System  bool     `json:"system"` // a central system: no policy asks for a second person
	// Assumed says that nobody ever said whether it is a system: it has senders from before
	// there were kinds of users, so it counts as one until PUT says which it is.
	Assumed bool   `json:"assumed,omitempty"`
	Revoked bool   `json:"revoked"`
	Token   string `json:"token,omitempty"` // only in the answer that creates it
}
