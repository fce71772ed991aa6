package alert

// Namespace is the XML name space of CAP 1.2.
const Namespace = "urn:oasis:names:tc:emergency:cap:1.2"

// signatureNamespace is XML Signature, the only foreign name space that the CAP 1.2
// schema has a place for.
const signatureNamespace = "http://www.w3.org/2000/09/xmldsig#"

// olderNamespaces are the versions that look like CAP 1.2 and are not.
var olderNamespaces = map[string]string{
	"urn:oasis:names:tc:emergency:cap:1.1": "CAP 1.1",
	"http://www.incident.com/cap/1.0":      "CAP 1.0",
}

// element is one child in the sequence of a block (CAP 1.2 §3.2 and the schema).
type element struct {
	name     string
	required bool
	many     bool
	block    bool // has children of its own
}

// block is an element with children, in the order of the schema.
type block struct {
	name     string
	children []element
}

// index is the child's place in the sequence; -1 when CAP has no such child.
func (b *block) index(name string) int {
	for i := range b.children {
		if b.children[i].name == name {
			return i
		}
	}
	return -1
}

var alertBlock = block{name: "alert", children: []element{
	{name: "identifier", required: true},
	{name: "sender", required: true},
	{name: "sent", required: true},
	{name: "status", required: true},
	{name: "msgType", required: true},
	{name: "source"},
	{name: "scope", required: true},
	{name: "restriction"},
	{name: "addresses"},
	{name: "code", many: true},
	{name: "note"},
	{name: "references"},
	{name: "incidents"},
	{name: "info", many: true, block: true},
}}

var infoBlock = block{name: "info", children: []element{
	{name: "language"},
	{name: "category", required: true, many: true},
	{name: "event", required: true},
	{name: "responseType", many: true},
	{name: "urgency", required: true},
	{name: "severity", required: true},
	{name: "certainty", required: true},
	{name: "audience"},
	{name: "eventCode", many: true, block: true},
	{name: "effective"},
	{name: "onset"},
	{name: "expires"},
	{name: "senderName"},
	{name: "headline"},
	{name: "description"},
	{name: "instruction"},
	{name: "web"},
	{name: "contact"},
	{name: "parameter", many: true, block: true},
	{name: "resource", many: true, block: true},
	{name: "area", many: true, block: true},
}}

var resourceBlock = block{name: "resource", children: []element{
	{name: "resourceDesc", required: true},
	{name: "mimeType", required: true},
	{name: "size"},
	{name: "uri"},
	{name: "derefUri"},
	{name: "digest"},
}}

var areaBlock = block{name: "area", children: []element{
	{name: "areaDesc", required: true},
	{name: "polygon", many: true},
	{name: "circle", many: true},
	{name: "geocode", many: true, block: true},
	{name: "altitude"},
	{name: "ceiling"},
}}

var namedBlock = block{name: "a valueName/value pair", children: []element{
	{name: "valueName", required: true},
	{name: "value", required: true},
}}

var allBlocks = []*block{&alertBlock, &infoBlock, &resourceBlock, &areaBlock, &namedBlock}

// The code lists of CAP 1.2 §3.2, case-sensitive.
var (
	statusCodes       = []string{"Actual", "Exercise", "System", "Test", "Draft"}
	msgTypeCodes      = []string{"Alert", "Update", "Cancel", "Ack", "Error"}
	scopeCodes        = []string{"Public", "Restricted", "Private"}
	categoryCodes     = []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
	responseTypeCodes = []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}
	urgencyCodes      = []string{"Immediate", "Expected", "Future", "Past", "Unknown"}
	severityCodes     = []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"}
	certaintyCodes    = []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}
)
