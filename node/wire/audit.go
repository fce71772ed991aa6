package wire

import "time"

// AuditAbout is what lines of the audit are about.
type AuditAbout string

// The values of AuditAbout.
const (
	AboutAlerts   AuditAbout = "alerts"   // taken, approved, refused, given to devices
	AboutReceipts AuditAbout = "receipts" // of which there are so many that they are given only when they are asked for
	AboutRules    AuditAbout = "rules"    // scenarios, licences, the policy, how long what is known of people is kept
	AboutPeople   AuditAbout = "people"   // users, passwords, sessions
	AboutAudience AuditAbout = "audience" // members, places, erased persons
	AboutDevices  AuditAbout = "devices"
	AboutNodes    AuditAbout = "nodes" // nodes, invitations, keys, the district
	AboutOther    AuditAbout = "other"
)

// AuditAbouts are all values, in the order in which they are offered.
func AuditAbouts() []AuditAbout {
	return []AuditAbout{AboutAlerts, AboutPeople, AboutRules, AboutAudience, AboutDevices, AboutNodes, AboutReceipts, AboutOther}
}

// AuditQuery asks for lines of the audit, the newest first. What is not given is not asked for.
type AuditQuery struct {
	Who         string     // a part of the name of who did it, or whom it is about, in either case of letters
	About       AuditAbout // "": all but receipts
	Holds       string     // a part of the action or the summary, such as the id of an alert
	Since       time.Time
	Until       time.Time
	Before      uint64 // only lines before this number; 0: from the newest on
	Limit       int    // how many lines at most; 0: 100
	OnlyRefused bool   // only what was refused
}

// AuditLine is one line of the audit.
type AuditLine struct {
	N       uint64
	At      time.Time // by the clock of the node that led
	Actor   string
	Action  string
	About   AuditAbout
	Subject string
	Summary string // for people, in English
	Refused bool
}

// AuditPage is lines of the audit.
type AuditPage struct {
	Lines []AuditLine // the newest first
	Next  uint64      // Before for what is older; 0: there is nothing
	All   uint64      // how many lines the audit has
}
