// Package api is the HTTP side of a node: one route table that says who may call
// what, JSON in and out, server-sent events, the OpenAPI file. It holds no rules
// about alerts; the node does.
package api

import (
	"context"
	"io"

	"almenara/node/authority"
	"almenara/node/wire"
)

// Caller is who makes a request, as the bearer token says.
type Caller = authority.Caller

// Wait says how long an answer waits for a fact to get further.
type Wait string

// The values of Wait. WaitLocal answers after the local fsync; the others also
// answer after 3 seconds, with what was reached by then.
const (
	WaitLocal     Wait = "local"
	WaitHeld      Wait = "held" // by another node
	WaitCommitted Wait = "committed"
)

// Every method of the interfaces below returns *wire.Problem errors for what the
// caller did wrong or must know; any other error is a fault of the node. All may
// be called from any goroutine.

// Identifier finds the caller of a bearer token.
type Identifier interface {
	Identify(ctx context.Context, token string) (Caller, error)
}

// Alerts is the alert path.
type Alerts interface {
	// TakeCAP takes a CAP 1.2 message as a central system sent it; select narrows.
	TakeCAP(ctx context.Context, by Caller, raw []byte, selection string, wait Wait) (wire.Outcome, error)
	SendAlert(ctx context.Context, by Caller, in wire.SendAlert, wait Wait) (wire.Outcome, error)
	// PreviewCAP and PreviewAlert answer and refuse as TakeCAP and SendAlert would now,
	// with DryRun, and record nothing, not even a refusal.
	PreviewCAP(ctx context.Context, by Caller, raw []byte, selection string) (wire.Outcome, error)
	PreviewAlert(ctx context.Context, by Caller, in wire.SendAlert) (wire.Outcome, error)
	// CorrectAlert says other words to the same people; with DryRun it records nothing.
	CorrectAlert(ctx context.Context, by Caller, id string, in wire.CorrectAlert, wait Wait) (wire.Outcome, error)
	CancelAlert(ctx context.Context, by Caller, id string, in wire.CancelAlert, wait Wait) (wire.Outcome, error)
}

// Approvals lets persons stand by alerts that wait for it.
type Approvals interface {
	ApproveAlert(ctx context.Context, by Caller, id string, in wire.Approve, wait Wait) (wire.Outcome, error)
}

// Scenarios are prepared alerts.
type Scenarios interface {
	ListScenarios(ctx context.Context) ([]wire.Scenario, error)
	PutScenario(ctx context.Context, by Caller, in wire.Scenario) error
	RemoveScenario(ctx context.Context, by Caller, id string) error
}

// Licences are rights to warn from a node that is alone.
type Licences interface {
	ListLicences(ctx context.Context) ([]wire.Licence, error)
	GrantLicence(ctx context.Context, by Caller, in wire.Licence) (wire.Licence, error)
	RevokeLicence(ctx context.Context, by Caller, id string) error
}

// Policy says which alerts need approvals.
type Policy interface {
	ShowPolicy(ctx context.Context) (wire.Policy, error)
	PutPolicy(ctx context.Context, by Caller, in wire.Policy) error
}

// AlertReader reads alerts and what is known of their receipts.
type AlertReader interface {
	ListAlerts(ctx context.Context, after string, limit int) (page []wire.Alert, next string, err error)
	ShowAlert(ctx context.Context, id string) (wire.Alert, error)
	// AlertMessage is the original bytes of the alert's current message, if the caller may read
	// the addresses in it.
	AlertMessage(ctx context.Context, by Caller, id string) ([]byte, error)
	// AlertReceipts lists a page of addressed members at the rung or above, or below it.
	AlertReceipts(ctx context.Context, by Caller, id string, q wire.ReceiptQuery) (wire.ReceiptPage, error)
}

// ImportOptions say what an import may do. The zero value adds and changes.
type ImportOptions struct {
	DryRun  bool // say what would change, change nothing
	Replace bool // remove the members that the file does not hold
	Yes     bool // also those that devices are enrolled for
}

// Audience reads and changes members and places.
type Audience interface {
	// Import reads a CSV file; nothing is applied when one row is faulty. progress
	// may be nil; it is called often, from one goroutine, and not after the return.
	Import(ctx context.Context, by Caller, csv io.Reader, how ImportOptions, progress func(wire.Progress)) (wire.Imported, error)
	Select(ctx context.Context, expression, after string, limit int) (wire.Selected, error)
}

// Places reads and changes the place tree.
type Places interface {
	PutPlaces(ctx context.Context, by Caller, places []wire.Place) error
	ListPlaces(ctx context.Context) ([]wire.Place, error)
}

// Devices enrols and revokes devices.
type Devices interface {
	EnrolDevices(ctx context.Context, by Caller, in []wire.Enrol) ([]wire.Enrolled, error)
	// ListDevices gives a page in the order of the ids, and after for the following one; "" after
	// the last.
	ListDevices(ctx context.Context, after string, limit int) (page []wire.Device, next string, err error)
	RevokeDevice(ctx context.Context, by Caller, id string) error
}

// Users adds, lists and revokes users and tokens.
type Users interface {
	AddUser(ctx context.Context, by Caller, in wire.AddUser) (wire.User, error)
	// SetUser says of a user that it is a person or a central system; the token stays.
	SetUser(ctx context.Context, by Caller, name string, in wire.SetUser) error
	ListUsers(ctx context.Context) ([]wire.User, error)
	RevokeUser(ctx context.Context, by Caller, name string) error
}

// District is about the nodes.
type District interface {
	Status(ctx context.Context, withHash bool) (wire.Status, error)
	Invite(ctx context.Context, by Caller, in wire.Invite) (wire.Invited, error)
	RemoveNode(ctx context.Context, by Caller, id string) error
	// Backup gives a backup of the district and its size. The caller closes it.
	Backup(ctx context.Context, by Caller) (io.ReadCloser, int64, error)
	// Splits reports what was done while nodes were without a majority, newest first.
	Splits(ctx context.Context, limit int) ([]wire.Split, error)
}

// Reader makes reads of the agreed part linearizable.
type Reader interface {
	// UpToDate returns when this node's copy of the agreed part holds everything that
	// was answered anywhere in the district before the call; it needs a majority.
	UpToDate(ctx context.Context) error
}

// Audit exports the audit chain as JSON lines, oldest first.
type Audit interface {
	ExportAudit(ctx context.Context, w io.Writer, from, to uint64) error
}

// Events is the live feed. The returned slice channel is closed when ctx ends or
// when the reader is too slow.
type Events interface {
	Events(ctx context.Context, alert string) (<-chan wire.Event, error)
}

// Service is all that the API serves.
type Service interface {
	Identifier
	Alerts
	Approvals
	Scenarios
	Licences
	Policy
	AlertReader
	Audience
	Places
	Devices
	Users
	District
	Reader
	Audit
	Events
}
