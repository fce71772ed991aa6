// Package alert holds the alert itself: the CAP 1.2 message (OASIS CAP-v1.2-os),
// its checks, its identity in a district, and the rules that say what is in force.
//
// The package knows no clock, no network and no storage: every function that
// depends on time is told the time.
package alert

// Alert is one CAP 1.2 message (§3.2.1). Empty strings and nil slices stand for
// absent elements.
type Alert struct {
	Identifier  string
	Sender      string
	Sent        DateTime
	Status      Status
	MsgType     MsgType
	Source      string
	Scope       Scope
	Restriction string
	Addresses   []string // §3.2.1 addresses, split as the standard says
	Codes       []string
	Note        string
	References  []Key
	Incidents   []string
	Infos       []Info

	// Signed tells that the message carries an XML signature. Nothing in this
	// package has checked it.
	Signed bool
}

// Info is one info block (§3.2.2): the alert in one language, or for one area.
type Info struct {
	Language      string // RFC 3066; "" means en-US, as the standard says
	Categories    []string
	Event         string
	ResponseTypes []string
	Urgency       string
	Severity      string
	Certainty     string
	AudienceText  string // CAP's own free-text audience
	EventCodes    []Named
	Effective     DateTime
	Onset         DateTime
	Expires       DateTime
	SenderName    string
	Headline      string
	Description   string
	Instruction   string
	Web           string
	Contact       string
	Parameters    []Named
	Resources     []Resource
	Areas         []Area
}

// Named is a valueName/value pair of eventCode, parameter and geocode.
type Named struct {
	Name  string `json:"valueName"`
	Value string `json:"value"`
}

// Resource is an attached or referenced file (§3.2.3).
type Resource struct {
	Description string
	MIMEType    string
	Size        int64 // bytes as stated by the sender; 0 is absent
	URI         string
	DerefURI    string // base64 content as sent, white space kept out
	Digest      string // SHA-1 as 40 hex digits
}

// Area is where an info block applies (§3.2.4): the union of its polygons,
// circles and geocodes.
type Area struct {
	Description string
	Polygons    []string // "lat,lon lat,lon …", WGS 84, closed
	Circles     []string // "lat,lon radius-in-km"
	Geocodes    []Named
	Altitude    string // feet above mean sea level
	Ceiling     string
}

// Status, MsgType and Scope are the enumerations of §3.2.1, case-sensitive.
type (
	Status  string
	MsgType string
	Scope   string
)

// The values of Status.
const (
	StatusActual   Status = "Actual"
	StatusExercise Status = "Exercise"
	StatusSystem   Status = "System"
	StatusTest     Status = "Test"
	StatusDraft    Status = "Draft"
)

// The values of MsgType.
const (
	MsgTypeAlert  MsgType = "Alert"
	MsgTypeUpdate MsgType = "Update"
	MsgTypeCancel MsgType = "Cancel"
	MsgTypeAck    MsgType = "Ack"
	MsgTypeError  MsgType = "Error"
)

// The values of Scope.
const (
	ScopePublic     Scope = "Public"
	ScopeRestricted Scope = "Restricted"
	ScopePrivate    Scope = "Private"
)
