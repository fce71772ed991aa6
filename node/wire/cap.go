package wire

// CAPAlert is a CAP 1.2 message (§3.2) in JSON: the elements under the standard's
// names, with the same occurrence rules, so that it turns into XML and back
// without loss. It is what SendAlert.Alert holds. Dates are written as CAP writes
// them, for example 2026-07-20T17:40:00+08:00.
type CAPAlert struct {
	Identifier  string    `json:"identifier,omitempty"`
	Sender      string    `json:"sender,omitempty"`
	Sent        string    `json:"sent,omitempty"`
	Status      string    `json:"status,omitempty"`
	MsgType     string    `json:"msgType,omitempty"`
	Source      string    `json:"source,omitempty"`
	Scope       string    `json:"scope,omitempty"`
	Restriction string    `json:"restriction,omitempty"`
	Addresses   string    `json:"addresses,omitempty"` // space-separated, quoted where they hold a space
	Code        []string  `json:"code,omitempty"`
	Note        string    `json:"note,omitempty"`
	References  string    `json:"references,omitempty"` // sender,identifier,sent, space-separated
	Incidents   string    `json:"incidents,omitempty"`
	Info        []CAPInfo `json:"info,omitempty"`
}

// CAPInfo is an info block (§3.2.2): the alert in one language or for one area.
type CAPInfo struct {
	Language     string        `json:"language,omitempty"`
	Category     []string      `json:"category,omitempty"`
	Event        string        `json:"event"`
	ResponseType []string      `json:"responseType,omitempty"`
	Urgency      string        `json:"urgency"`
	Severity     string        `json:"severity"`
	Certainty    string        `json:"certainty"`
	Audience     string        `json:"audience,omitempty"` // CAP's own free text
	EventCode    []Geocode     `json:"eventCode,omitempty"`
	Effective    string        `json:"effective,omitempty"`
	Onset        string        `json:"onset,omitempty"`
	Expires      string        `json:"expires,omitempty"`
	SenderName   string        `json:"senderName,omitempty"`
	Headline     string        `json:"headline,omitempty"`
	Description  string        `json:"description,omitempty"`
	Instruction  string        `json:"instruction,omitempty"`
	Web          string        `json:"web,omitempty"`
	Contact      string        `json:"contact,omitempty"`
	Parameter    []Geocode     `json:"parameter,omitempty"`
	Resource     []CAPResource `json:"resource,omitempty"`
	Area         []CAPArea     `json:"area,omitempty"`
}

// CAPResource is an attached or referenced file (§3.2.3).
type CAPResource struct {
	ResourceDesc string `json:"resourceDesc"`
	MIMEType     string `json:"mimeType"`
	Size         int64  `json:"size,omitempty"` // bytes; 0 is absent
	URI          string `json:"uri,omitempty"`
	DerefURI     string `json:"derefUri,omitempty"` // base64
	Digest       string `json:"digest,omitempty"`   // SHA-1, 40 hex digits
}

// CAPArea is where an info block applies (§3.2.4).
type CAPArea struct {
	AreaDesc string    `json:"areaDesc"`
	Polygon  []string  `json:"polygon,omitempty"` // "lat,lon lat,lon …", closed
	Circle   []string  `json:"circle,omitempty"`  // "lat,lon radius-in-km"
	Geocode  []Geocode `json:"geocode,omitempty"`
	Altitude string    `json:"altitude,omitempty"` // feet
	Ceiling  string    `json:"ceiling,omitempty"`
}
