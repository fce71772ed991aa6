// Package apitest serves the API from memory, for tests of what talks to the API.
package apitest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"almenara/node/api"
	"almenara/node/authority"
	"almenara/node/wire"
)

// Tokens name callers: the token is "token-" and the role, "token-none" has no role.
const tokenPrefix = "token-"

// Token is the bearer token of a caller with one role; "none" is a caller without.
func Token(role string) string { return tokenPrefix + role }

// Fake answers every method from its fields and notes what was asked. The zero
// value is not usable; New makes one. Fields are set before the first call.
type Fake struct {
	// Err, when set, is what every method but Identify returns.
	Err error
	// Panic, when set, is what every method but Identify panics with.
	Panic any

	Outcome  wire.Outcome
	Alerts   []wire.Alert
	Message  []byte
	Rows     []wire.ReceiptRow
	From     wire.Source // of AlertReceipts
	Next     string      // of ListAlerts and AlertReceipts
	Imported wire.Imported
	Selected wire.Selected
	Places   []wire.Place
	Devices  []wire.Device
	Users    []wire.User
	State    wire.Status
	Parted   []wire.Split
	Audit    []string // lines
	AuditErr error    // comes after the lines
	// Importing, when set, is what Import does between reading the file and its answer.
	Importing func(ctx context.Context, progress func(wire.Progress))
	Feed      chan wire.Event // what Events answers

	mu      sync.Mutex // guards all below
	calls   []string
	by      api.Caller
	revoked bool
}

// New makes a fake with one alert, three devices and a ready node.
func New() *Fake {
	return &Fake{
		Outcome: wire.Outcome{
			Alert: AlertID, Revision: 1_784_540_400_123, MsgType: "Alert", Replication: wire.ReplicationCommitted, State: wire.StateInForce, Effect: wire.EffectWarns, Connected: 208, Reachable: new(uint64(311)),
			Addressed: wire.Counts{Total: 1204, ByKind: []wire.Count{{Name: "phone", Count: 1200}, {Name: "screen", Count: 4}}},
		},
		Alerts:  []wire.Alert{ExampleAlert()},
		Message: []byte("<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"/>"),
		Rows:    []wire.ReceiptRow{{Member: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting", Rung: "presented", RungFrom: wire.SourceDistrict}},
		From:    wire.SourceDistrict,
		Selected: wire.Selected{
			Expression: "kind = screen", Counts: wire.Counts{Total: 1, ByKind: []wire.Count{{Name: "screen", Count: 1}}},
			Members: []wire.Member{{ID: "lift-0042", Name: "安定邨安禮樓大堂", Kind: "screen", Place: "tuen-mun/on-ting"}},
		},
		Places:  []wire.Place{{Path: "tuen-mun", Names: map[string]string{"zh-Hant": "屯門"}}},
		Devices: []wire.Device{{ID: "lift-0042", Member: "lift-0042", Kind: "screen", Place: "tuen-mun/on-ting", Connected: &connected, Node: "n1"}},
		Users:   []wire.User{{Name: "duty", Roles: []string{api.RoleComposer}}},
		Parted:  []wire.Split{{Nodes: []wire.SplitNode{}, Halves: []wire.SplitHalf{}, Alerts: []wire.SplitAlert{}}},
		State:   wire.Status{Node: "n1", Name: "on-ting", District: "tuen-mun", Role: "leader", Quorum: true, Ready: true, Nodes: []wire.NodeInfo{}, MQTT: []string{}},
		Audit:   []string{`{"index":1}`, `{"index":2}`},
		Feed:    make(chan wire.Event, 16),
	}
}

var connected = true

// AlertID is the id of the fake's alert.
const AlertID = "abcdefghijklmnopqrstuvwxyz"

// ExampleAlert is the fake's alert.
func ExampleAlert() wire.Alert {
	return wire.Alert{
		ID: AlertID, Revision: 1, Key: "hko@example.hk,1,2026-07-20T17:40:00+08:00", State: wire.StateInForce, Status: "Exercise",
		MsgType: "Alert", Headline: "演習：洪水警告 Flood warning", Replication: wire.ReplicationCommitted, CountsFrom: wire.SourceDistrict,
		Addressed: wire.Counts{Total: 4}, Rungs: wire.Rungs{Queued: 4, Sent: 4, Delivered: 3, Verified: 3, Presented: 2},
		ByGroup: []wire.GroupRow{{Place: "tuen-mun/on-ting", Kind: "screen", Rungs: wire.Rungs{Queued: 4, Presented: 2}}},
	}
}

// Calls lists what was asked, oldest first, as "Method arguments".
func (f *Fake) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// By is the caller of the latest call that had one.
func (f *Fake) By() api.Caller {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by
}

// note records a call and says how it ends.
func (f *Fake) note(by *api.Caller, format string, args ...any) error {
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	if by != nil {
		f.by = *by
	}
	f.mu.Unlock()
	if f.Panic != nil {
		panic(f.Panic)
	}
	return f.Err
}

// Revoke makes every token unknown.
func (f *Fake) Revoke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revoked = true
}

// Identify knows the tokens of Token. The empty token is a trap: it may everything,
// so that a test sees an API that asks for it.
func (f *Fake) Identify(_ context.Context, token string) (api.Caller, error) {
	role, ok := cut(token)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case token == "":
		return api.Caller{Name: "trap", Roles: []string{api.RoleAdministrator}}, nil
	case !ok || f.revoked:
		return api.Caller{}, wire.Problemf(wire.KindUnauthenticated, "this token is not known")
	case role == "none":
		return api.Caller{Name: "nobody"}, nil
	}
	return api.Caller{Name: role, Roles: []string{role}}, nil
}

func cut(token string) (string, bool) {
	if len(token) <= len(tokenPrefix) || token[:len(tokenPrefix)] != tokenPrefix {
		return "", false
	}
	role := token[len(tokenPrefix):]
	return role, role == "none" || slices.Contains(authority.Roles(), role)
}

// TakeCAP answers Outcome.
func (f *Fake) TakeCAP(_ context.Context, by api.Caller, raw []byte, selection string, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "TakeCAP %s %q %s", raw, selection, wait)
}

// SendAlert answers Outcome.
func (f *Fake) SendAlert(_ context.Context, by api.Caller, in wire.SendAlert, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "SendAlert %s %q %s", in.Alert, in.Select, wait)
}

// PreviewCAP answers Outcome as a dry run.
func (f *Fake) PreviewCAP(_ context.Context, by api.Caller, raw []byte, selection string) (wire.Outcome, error) {
	return f.preview(), f.note(&by, "PreviewCAP %s %q", raw, selection)
}

// PreviewAlert answers Outcome as a dry run.
func (f *Fake) PreviewAlert(_ context.Context, by api.Caller, in wire.SendAlert) (wire.Outcome, error) {
	return f.preview(), f.note(&by, "PreviewAlert %s %q", in.Alert, in.Select)
}

func (f *Fake) preview() wire.Outcome {
	out := f.Outcome
	out.DryRun, out.Replication = true, ""
	return out
}

// CorrectAlert answers Outcome.
func (f *Fake) CorrectAlert(_ context.Context, by api.Caller, id string, in wire.CorrectAlert, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "CorrectAlert %s %d %v %q %t %s", id, len(in.Texts), in.Blanks, in.Reason, in.DryRun, wait)
}

// CancelAlert answers Outcome.
func (f *Fake) CancelAlert(_ context.Context, by api.Caller, id string, in wire.CancelAlert, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "CancelAlert %s %q %s", id, in.Reason, wait)
}

// ListAlerts answers Alerts.
func (f *Fake) ListAlerts(_ context.Context, q wire.AlertQuery) ([]wire.Alert, string, error) {
	return f.Alerts, f.Next, f.note(nil, "ListAlerts %q %d%s", q.After, q.Limit, map[bool]string{true: " waiting"}[q.Waiting])
}

// ShowAlert answers the alert of Alerts with the id.
func (f *Fake) ShowAlert(_ context.Context, id string) (wire.Alert, error) {
	err := f.note(nil, "ShowAlert %s", id)
	if i := slices.IndexFunc(f.Alerts, func(a wire.Alert) bool { return a.ID == id }); i >= 0 || err != nil {
		return f.Alerts[max(i, 0)], err
	}
	return wire.Alert{}, wire.Problemf(wire.KindNotFound, "there is no alert %s", id)
}

// AlertMessage answers Message.
func (f *Fake) AlertMessage(_ context.Context, by api.Caller, id string) ([]byte, error) {
	return f.Message, f.note(&by, "AlertMessage %s", id)
}

// AlertReceipts answers Rows.
func (f *Fake) AlertReceipts(_ context.Context, by api.Caller, id string, q wire.ReceiptQuery) (wire.ReceiptPage, error) {
	return wire.ReceiptPage{Rows: f.Rows, Next: f.Next, From: f.From}, f.note(&by, "AlertReceipts %s %s %t %q %d", id, q.Rung, q.Missing, q.After, q.Limit)
}

// Import reads all and answers Imported.
func (f *Fake) Import(ctx context.Context, by api.Caller, csv io.Reader, how wire.ImportOptions, progress func(wire.Progress)) (wire.Imported, error) {
	n, err := io.Copy(io.Discard, csv)
	if err != nil {
		return wire.Imported{}, wire.Problemf(wire.KindMalformed, "the file ends early: %v", err) // hides the cause, as a service may
	}
	if progress == nil {
		progress = func(wire.Progress) {}
	}
	if f.Importing != nil {
		f.Importing(ctx, progress)
	}
	return f.Imported, f.note(&by, "Import %d %t %t", n, how.DryRun, how.Replace)
}

// Select answers Selected.
func (f *Fake) Select(_ context.Context, expression, after string, limit int) (wire.Selected, error) {
	return f.Selected, f.note(nil, "Select %q %q %d", expression, after, limit)
}

// PutPlaces notes how many.
func (f *Fake) PutPlaces(_ context.Context, by api.Caller, places []wire.Place) error {
	return f.note(&by, "PutPlaces %d", len(places))
}

// UpToDate answers Err.
func (f *Fake) UpToDate(context.Context) error { return f.note(nil, "UpToDate") }

// ListPlaces answers Places.
func (f *Fake) ListPlaces(context.Context) ([]wire.Place, error) {
	return f.Places, f.note(nil, "ListPlaces")
}

// EnrolDevices makes a secret for each.
func (f *Fake) EnrolDevices(_ context.Context, by api.Caller, in []wire.Enrol) ([]wire.Enrolled, error) {
	err := f.note(&by, "EnrolDevices %d", len(in))
	out := make([]wire.Enrolled, len(in))
	for i, device := range in {
		out[i] = wire.Enrolled{ID: device.ID, Secret: "secret-of-" + device.ID, Servers: []string{"tcp://127.0.0.1:1883"}, RootKey: "root"}
	}
	return out, err
}

// ListDevices answers the page of Devices behind after.
func (f *Fake) ListDevices(_ context.Context, after string, limit int) (page []wire.Device, next string, err error) {
	err = f.note(nil, "ListDevices %q %d", after, limit)
	page = slices.DeleteFunc(slices.Clone(f.Devices), func(d wire.Device) bool { return d.ID <= after })
	if len(page) > limit {
		page, next = page[:limit], page[limit-1].ID
	}
	return page, next, err
}

// RevokeDevice notes the id.
func (f *Fake) RevokeDevice(_ context.Context, by api.Caller, id string) error {
	return f.note(&by, "RevokeDevice %s", id)
}

// AddUser answers a user with a token.
func (f *Fake) AddUser(_ context.Context, by api.Caller, in wire.AddUser) (wire.User, error) {
	return wire.User{Name: in.Name, Roles: append([]string{}, in.Roles...), Senders: in.Senders, Token: "new-token"}, f.note(&by, "AddUser %s", in.Name)
}

// SetUser notes what was said.
func (f *Fake) SetUser(_ context.Context, by api.Caller, name string, in wire.SetUser) error {
	return f.note(&by, "SetUser %s %t", name, in.System)
}

// ListUsers answers Users.
func (f *Fake) ListUsers(context.Context) ([]wire.User, error) {
	return f.Users, f.note(nil, "ListUsers")
}

// RevokeUser notes the name.
func (f *Fake) RevokeUser(_ context.Context, by api.Caller, name string) error {
	return f.note(&by, "RevokeUser %s", name)
}

// Status answers State.
func (f *Fake) Status(_ context.Context, withHash bool) (wire.Status, error) {
	return f.State, f.note(nil, "Status %t", withHash)
}

// Invite answers a token.
func (f *Fake) Invite(_ context.Context, by api.Caller, in wire.Invite) (wire.Invited, error) {
	return wire.Invited{Token: "join-token"}, f.note(&by, "Invite %s %d", in.Name, in.Minutes)
}

// RemoveNode notes the id.
func (f *Fake) RemoveNode(_ context.Context, by api.Caller, id string) error {
	return f.note(&by, "RemoveNode %s", id)
}

// Backup answers a few bytes.
func (f *Fake) Backup(_ context.Context, by api.Caller) (io.ReadCloser, int64, error) {
	return io.NopCloser(strings.NewReader("backup")), 6, f.note(&by, "Backup")
}

// Splits answers Parted.
func (f *Fake) Splits(_ context.Context, limit int) ([]wire.Split, error) {
	return f.Parted, f.note(nil, "Splits %d", limit)
}

// ExportAudit writes Audit and then ends with AuditErr.
func (f *Fake) ExportAudit(_ context.Context, w io.Writer, from, to uint64) error {
	if err := f.note(nil, "ExportAudit %d %d", from, to); err != nil {
		return err
	}
	for _, line := range f.Audit {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("writing audit: %w", err)
		}
	}
	return f.AuditErr
}

// Events answers Feed.
func (f *Fake) Events(_ context.Context, alert string) (<-chan wire.Event, error) {
	return f.Feed, f.note(nil, "Events %s", alert)
}

// All is everything that the API serves, as one type; *Fake is one.
type All interface {
	api.Identifier
	api.Alerts
	api.Approvals
	api.Scenarios
	api.Licences
	api.Policy
	api.Reader
	api.Imports
	api.Selections
	api.Places
	api.Devices
	api.Connected
	api.Users
	api.Status
	api.Nodes
	api.Backups
	api.Splits
	api.Agreed
	api.Audit
	api.Events
}

// Services has the API served by one type.
func Services(all All) api.Services {
	return api.Services{
		Identifier: all, Alerts: all, Approvals: all, Scenarios: all, Licences: all, Policy: all, Reader: all, Imports: all,
		Selections: all, Places: all, Devices: all, Connected: all, Users: all, Status: all, Nodes: all, Backups: all,
		Splits: all, Agreed: all, Audit: all, Events: all,
	}
}
