// Package service says what a node can be asked: one small interface for each part that does it.
// The API and the pages of the console ask the same ones. It owns no rule and no route, and never
// imports a room that does the work.
package service

import (
	"context"
	"io"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/acts"
	"almenara/node/wire/caution"
	"almenara/node/wire/notices"
	"almenara/node/wire/personal"
	"almenara/node/wire/places"
	"almenara/node/wire/reported"
	"almenara/node/wire/splits"
	"almenara/node/wire/visits"
)

// Every method of the interfaces below returns *wire.Problem errors for what the
// caller did wrong or must know; any other error is a fault of the node. All may
// be called from any goroutine.

// Identifier finds the caller of a bearer token.
type Identifier interface {
	Identify(ctx context.Context, token string) (authority.Caller, error)
}

// Alerts is the alert path.
type Alerts interface {
	// TakeCAP takes a CAP 1.2 message as a central system sent it; select narrows.
	TakeCAP(ctx context.Context, by authority.Caller, raw []byte, selection string, wait wire.Wait) (wire.Outcome, error)
	SendAlert(ctx context.Context, by authority.Caller, in wire.SendAlert, wait wire.Wait) (wire.Outcome, error)
	// PreviewCAP and PreviewAlert answer and refuse as TakeCAP and SendAlert would now,
	// with DryRun, and record nothing, not even a refusal.
	PreviewCAP(ctx context.Context, by authority.Caller, raw []byte, selection string) (wire.Outcome, error)
	PreviewAlert(ctx context.Context, by authority.Caller, in wire.SendAlert) (wire.Outcome, error)
	// UpdateAlert changes an alert, and corrects it where only words and the end are given; with
	// DryRun it records nothing.
	UpdateAlert(ctx context.Context, by authority.Caller, id string, in wire.UpdateAlert, wait wire.Wait) (wire.Outcome, error)
	CancelAlert(ctx context.Context, by authority.Caller, id string, in wire.CancelAlert, wait wire.Wait) (wire.Outcome, error)
}

// Approvals lets persons stand by alerts that wait for it.
type Approvals interface {
	ApproveAlert(ctx context.Context, by authority.Caller, id string, in wire.Approve, wait wire.Wait) (wire.Outcome, error)
}

// SpokenCodes let persons stand by alerts whose nodes they cannot reach.
type SpokenCodes interface {
	// SpokenCode is the caller's own code for an alert, or for the number of one. It changes nothing.
	SpokenCode(ctx context.Context, by authority.Caller, in acts.AskCode) (acts.SpokenCode, error)
	// ApproveSpoken approves an alert in the name of the person whose code the caller types in.
	ApproveSpoken(ctx context.Context, by authority.Caller, id string, in acts.TypeApproval, wait wire.Wait) (wire.Outcome, error)
}

// FollowUps is what people do about an alert after it was sent.
type FollowUps interface {
	// MarkTold puts on record that a person told members.
	MarkTold(ctx context.Context, by authority.Caller, id string, in acts.MarkTold, wait wire.Wait) (acts.Told, error)
	// Remind has devices present the alert again on which nobody has confirmed it.
	Remind(ctx context.Context, by authority.Caller, id string, in acts.Remind, wait wire.Wait) (acts.Reminded, error)
}

// Reported is what people report by their devices.
type Reported interface {
	// ListReports lists a page of reports, newest first.
	ListReports(ctx context.Context, by authority.Caller, q reported.Query) (reported.PersonReports, error)
	// ShowReport is one report.
	ShowReport(ctx context.Context, by authority.Caller, id string) (reported.PersonReport, error)
	// ReportPhoto is the photo of a report, a JPEG that a node has drawn.
	ReportPhoto(ctx context.Context, by authority.Caller, id string) ([]byte, error)
	// ModerateReport puts on record what a person makes of a report, and answers it as it is then.
	ModerateReport(ctx context.Context, by authority.Caller, id string, in reported.Moderate, wait wire.Wait) (reported.PersonReport, error)
}

// Notices are planned notices, which go through levels before they are sent.
type Notices interface {
	// ListNotices lists those that are not over, overdue ones first; with over also the last that are.
	ListNotices(ctx context.Context, over bool) ([]notices.Notice, error)
	ShowNotice(ctx context.Context, by authority.Caller, id string) (notices.Notice, error)
	// DraftNotice writes one, which waits at the first of its levels.
	DraftNotice(ctx context.Context, by authority.Caller, in notices.DraftNotice) (notices.Notice, error)
	// ReviseNotice writes a new version of the caller's own.
	ReviseNotice(ctx context.Context, by authority.Caller, id string, in notices.DraftNotice) (notices.Notice, error)
	// ActOnNotice comments on one, passes it on, sends it back or withdraws it.
	ActOnNotice(ctx context.Context, by authority.Caller, id string, in notices.ActOnNotice) (notices.Notice, error)
}

// CheckIns is about places at which anybody's phone checks in, by the code that hangs there.
type CheckIns interface {
	// PlaceCodes are the codes of places, to print.
	PlaceCodes(ctx context.Context, by authority.Caller, places []string) (visits.PlaceCodes, error)
	// CheckIns counts how often phones checked in, by place.
	CheckIns(ctx context.Context, by authority.Caller, q visits.Query) (visits.CheckIns, error)
}

// Residents is what people without an account answer to alerts.
type Residents interface {
	// AlertResidents is what residents answered to one alert.
	AlertResidents(ctx context.Context, by authority.Caller, id string) (reported.Residents, error)
	// ResidentPhoto is the photo of an answer, a JPEG that a node has drawn.
	ResidentPhoto(ctx context.Context, by authority.Caller, id string) ([]byte, error)
	// HandleResident puts on record what a person makes of an answer, and answers it as it is then.
	HandleResident(ctx context.Context, by authority.Caller, id string, in reported.Moderate, wait wire.Wait) (reported.ResidentsAnswer, error)
}

// Scenarios are prepared alerts.
type Scenarios interface {
	ListScenarios(ctx context.Context) ([]wire.Scenario, error)
	// PutScenario adds or changes one; with dryRun it is only tried.
	PutScenario(ctx context.Context, by authority.Caller, in wire.Scenario, dryRun bool) (wire.PutScenario, error)
	// RemoveScenario removes one; with a revision, only where that is the one that it has.
	RemoveScenario(ctx context.Context, by authority.Caller, id, revision string) error
}

// Licences are rights to warn from a node that is alone.
type Licences interface {
	ListLicences(ctx context.Context) ([]wire.Licence, error)
	GrantLicence(ctx context.Context, by authority.Caller, in wire.Licence) (wire.Licence, error)
	RevokeLicence(ctx context.Context, by authority.Caller, id string) error
}

// Policy says which alerts need approvals.
type Policy interface {
	ShowPolicy(ctx context.Context) (wire.Policy, error)
	PutPolicy(ctx context.Context, by authority.Caller, in wire.Policy) error
}

// Reader reads alerts and what is known of their receipts.
type Reader interface {
	ListAlerts(ctx context.Context, q wire.AlertQuery) (page []wire.Alert, next string, err error)
	ShowAlert(ctx context.Context, id string) (wire.Alert, error)
	// Contradictions are the real alerts in force by which two senders tell the same people contrary things.
	Contradictions(ctx context.Context) (caution.Contradictions, error)
	// AlertMessage is the original bytes of the alert's current message, if the caller may read
	// the addresses in it.
	AlertMessage(ctx context.Context, by authority.Caller, id string) ([]byte, error)
	// AlertReceipts lists a page of addressed members at the rung or above, or below it.
	AlertReceipts(ctx context.Context, by authority.Caller, id string, q wire.ReceiptQuery) (wire.ReceiptPage, error)
}

// Reports say what alerts came to.
type Reports interface {
	// AlertReport is the report of one alert as the caller may see it. It reads all receipts of the alert.
	AlertReport(ctx context.Context, by authority.Caller, id string) (wire.Report, error)
}

// Imports changes members.
type Imports interface {
	// Import reads a CSV file; nothing is applied when one row is faulty. progress may be
	// nil; it is called often, from one goroutine, and not after the return.
	Import(ctx context.Context, by authority.Caller, csv io.Reader, how wire.ImportOptions, progress func(wire.Progress)) (wire.Imported, error)
	// RemoveMember removes one member, also one that devices are enrolled for where yes says so.
	RemoveMember(ctx context.Context, by authority.Caller, id string, yes bool) (wire.RemovedMember, error)
}

// Selections reads members.
type Selections interface {
	Select(ctx context.Context, expression, after string, limit int) (wire.Selected, error)
}

// Places reads the place tree.
type Places interface {
	// ListPlaces lists the places of which something is known, and every block in which members are, by path.
	ListPlaces(ctx context.Context) ([]wire.Place, error)
}

// PlaceTree shows and changes places.
type PlaceTree interface {
	// PutPlaces adds or changes many. sharedCodes says that codes which are added may be those of other places, too.
	PutPlaces(ctx context.Context, by authority.Caller, places []wire.Place, sharedCodes bool) error
	ShowPlace(ctx context.Context, path string) (places.ShownPlace, error)
	// ChangePlace changes, adds or removes one place; with DryRun it records nothing.
	ChangePlace(ctx context.Context, by authority.Caller, in places.ChangePlace) (places.ChangedPlace, error)
}

// Devices enrols and revokes devices.
type Devices interface {
	EnrolDevices(ctx context.Context, by authority.Caller, in []wire.Enrol) ([]wire.Enrolled, error)
	RevokeDevice(ctx context.Context, by authority.Caller, id string) error
}

// Connected lists devices by id, with where each is connected; next is "" after the last.
type Connected interface {
	ListDevices(ctx context.Context, after string, limit int) (page []wire.Device, next string, err error)
}

// Ability says which devices would show or sound an alert, and has them try it silently.
type Ability interface {
	// Ability is how the devices at a place stand, or all where it is "".
	Ability(ctx context.Context, place string) (able.Ability, error)
	// TestDevices has every node begin to test its devices; what it comes to is told by Ability.
	TestDevices(ctx context.Context, by authority.Caller, in able.TestDevices) (able.TestBegun, error)
	// TestDevice tests one device and waits for it, 20 seconds at most.
	TestDevice(ctx context.Context, by authority.Caller, device string) (able.DeviceTest, error)
	// IdentifyDevice has one device show or sound where it is.
	IdentifyDevice(ctx context.Context, by authority.Caller, device string) (able.DeviceTest, error)
}

// Personal is what is known of persons: erasing it, and how long it is kept.
type Personal interface {
	// ShowPerson is what erasing a member would take away.
	ShowPerson(ctx context.Context, by authority.Caller, id string) (personal.Person, error)
	// ErasePerson erases a person for good. On return it is agreed; what was recorded may still be searched.
	ErasePerson(ctx context.Context, by authority.Caller, id string, in personal.Erase) (personal.Erasure, error)
	ListErasures(ctx context.Context, by authority.Caller) (personal.Erasures, error)
	ShowRetention(ctx context.Context, by authority.Caller) (personal.Kept, error)
	PutRetention(ctx context.Context, by authority.Caller, in personal.Retention) (personal.Kept, error)
}

// Users adds, lists and revokes users and tokens.
type Users interface {
	AddUser(ctx context.Context, by authority.Caller, in wire.AddUser) (wire.User, error)
	// SetUser changes what a user is and may do. Token and password stay, sessions end.
	SetUser(ctx context.Context, by authority.Caller, name string, in wire.SetUser) error
	ListUsers(ctx context.Context) ([]wire.User, error)
	RevokeUser(ctx context.Context, by authority.Caller, name string) error
}

// Passwords sets how people sign in at pages.
type Passwords interface {
	// SetPassword sets a person's password, takes the second factor away where without says so, and
	// ends all sessions of that person.
	SetPassword(ctx context.Context, by authority.Caller, name, password string, without bool) error
}

// Status says how this node and its district are.
type Status interface {
	Status(ctx context.Context, withHash bool) (wire.Status, error)
}

// Nodes invites and removes nodes.
type Nodes interface {
	Invite(ctx context.Context, by authority.Caller, in wire.Invite) (wire.Invited, error)
	RemoveNode(ctx context.Context, by authority.Caller, id string) error
}

// Backups gives backups of the district, with their sizes. The caller closes them.
type Backups interface {
	Backup(ctx context.Context, by authority.Caller) (io.ReadCloser, int64, error)
}

// Splits reports what was done while nodes were without a majority, newest first.
type Splits interface {
	Splits(ctx context.Context, limit int) ([]splits.Split, error)
}

// Agreed makes reads of the agreed part linearizable.
type Agreed interface {
	// UpToDate returns when this node's copy of the agreed part holds everything that
	// was answered anywhere in the district before the call; it needs a majority.
	UpToDate(ctx context.Context) error
}

// Audit gives the lines of the audit.
type Audit interface {
	// ExportAudit writes the chain as JSON lines, oldest first, which can be verified anywhere.
	ExportAudit(ctx context.Context, w io.Writer, from, to uint64) error
	// AuditLines gives the newest lines that a query is for.
	AuditLines(ctx context.Context, q wire.AuditQuery) (wire.AuditPage, error)
}

// Events is the live feed. The returned slice channel is closed when ctx ends or
// when the reader is too slow.
type Events interface {
	Events(ctx context.Context, alert string) (<-chan wire.Event, error)
}

// All is everything that can be asked, each by the part that does it. None may be nil.
type All struct {
	Identifier Identifier
	Alerts     Alerts
	Approvals  Approvals
	Spoken     SpokenCodes
	FollowUps  FollowUps
	Residents  Residents
	CheckIns   CheckIns
	Reported   Reported
	Notices    Notices
	Scenarios  Scenarios
	Licences   Licences
	Policy     Policy
	Reader     Reader
	Reports    Reports
	Imports    Imports
	Selections Selections
	Places     Places
	PlaceTree  PlaceTree
	Devices    Devices
	Connected  Connected
	Ability    Ability
	Personal   Personal
	Users      Users
	Passwords  Passwords
	Status     Status
	Nodes      Nodes
	Backups    Backups
	Splits     Splits
	Agreed     Agreed
	Audit      Audit
	Events     Events
}
