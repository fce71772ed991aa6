// Package alert holds the alert itself: the CAP 1.2 message (OASIS CAP-v1.2-os),
// its identity in a district, what its times come to, and what the findings about it say. Reading
// and writing it is capxml's and capjson's, its rules are check's, what is in force is board's; it
// imports none of them.
//
// The package knows no clock, no network and no storage: every function that
// depends on time is told the time.
package alert

import (
	"encoding/base64"
	"strings"
	"unicode"
)

// Alert is one CAP 1.2 message (§3.2.1). Empty strings and nil slices stand for
// absent elements. Its JSON form has CAP's element names. An Alert is plain data:
// it may be read by many goroutines as long as none changes it.
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
	Language      string     `json:"language,omitempty"` // RFC 3066; "" means en-US, as the standard says
	Categories    []string   `json:"category,omitempty"`
	Event         string     `json:"event,omitempty"`
	ResponseTypes []string   `json:"responseType,omitempty"`
	Urgency       string     `json:"urgency,omitempty"`
	Severity      string     `json:"severity,omitempty"`
	Certainty     string     `json:"certainty,omitempty"`
	AudienceText  string     `json:"audience,omitempty"` // CAP's own free-text audience
	EventCodes    []Named    `json:"eventCode,omitempty"`
	Effective     DateTime   `json:"effective,omitzero"`
	Onset         DateTime   `json:"onset,omitzero"`
	Expires       DateTime   `json:"expires,omitzero"`
	SenderName    string     `json:"senderName,omitempty"`
	Headline      string     `json:"headline,omitempty"`
	Description   string     `json:"description,omitempty"`
	Instruction   string     `json:"instruction,omitempty"`
	Web           string     `json:"web,omitempty"`
	Contact       string     `json:"contact,omitempty"`
	Parameters    []Named    `json:"parameter,omitempty"`
	Resources     []Resource `json:"resource,omitempty"`
	Areas         []Area     `json:"area,omitempty"`
}

// Named is a valueName/value pair of eventCode, parameter and geocode.
type Named struct {
	Name  string `json:"valueName"`
	Value string `json:"value"`
}

// Resource is an attached or referenced file (§3.2.3).
type Resource struct {
	Description string `json:"resourceDesc"`
	MIMEType    string `json:"mimeType"`
	Size        int64  `json:"size,omitempty"` // bytes as stated by the sender; 0 is absent
	URI         string `json:"uri,omitempty"`
	DerefURI    string `json:"derefUri,omitempty"` // base64 content as sent, white space kept out
	Digest      string `json:"digest,omitempty"`   // SHA-1 as 40 hex digits
}

// Area is where an info block applies (§3.2.4): the union of its polygons,
// circles and geocodes.
type Area struct {
	Description string   `json:"areaDesc"`
	Polygons    []string `json:"polygon,omitempty"` // "lat,lon lat,lon …", WGS 84, closed
	Circles     []string `json:"circle,omitempty"`  // "lat,lon radius-in-km"
	Geocodes    []Named  `json:"geocode,omitempty"`
	Altitude    string   `json:"altitude,omitempty"` // feet above mean sea level
	Ceiling     string   `json:"ceiling,omitempty"`
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

// ExcludePolygon is the valueName of a geocode whose value is a polygon that does not
// belong to the area, as Deutscher Wetterdienst writes holes.
const ExcludePolygon = "EXCLUDE_POLYGON"

// Codes are the codes of a geocode value: the value itself and, when it is several codes
// with white space, commas or semicolons between them, each of those.
func (n Named) Codes() []string {
	codes := strings.FieldsFunc(n.Value, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
	if len(codes) < 2 || n.Name == ExcludePolygon {
		return []string{n.Value}
	}
	return append(codes, n.Value)
}

// Content decodes the embedded content; nil when there is none or when it is not
// base64.
func (r *Resource) Content() []byte {
	raw, err := base64.StdEncoding.DecodeString(r.DerefURI)
	if err != nil || len(raw) == 0 {
		return nil
	}
	return raw
}
