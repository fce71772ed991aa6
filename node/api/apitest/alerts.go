package apitest

import (
	"context"
	"slices"
	"time"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/caution"
	"almenara/node/wire/reported"
)

// alerts are the alert path, what is read of alerts, approvals and events.
type alerts struct {
	*asked
	Outcome  wire.Outcome
	Alerts   []wire.Alert
	Message  []byte
	Rows     []wire.ReceiptRow
	Report   wire.Report
	From     wire.Source            // of AlertReceipts
	Next     string                 // of ListAlerts and AlertReceipts
	Feed     chan wire.Event        // what Events answers
	Told     reported.PersonReports // what ListReports answers
	Contrary caution.Contradictions
}

// TakeCAP answers Outcome.
func (f *alerts) TakeCAP(_ context.Context, by authority.Caller, raw []byte, selection string, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "TakeCAP %s %q %s", raw, selection, wait)
}

// SendAlert answers Outcome.
func (f *alerts) SendAlert(_ context.Context, by authority.Caller, in wire.SendAlert, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "SendAlert %s %q %s", in.Alert, in.Select, wait)
}

// PreviewCAP answers Outcome as a dry run.
func (f *alerts) PreviewCAP(_ context.Context, by authority.Caller, raw []byte, selection string) (wire.Outcome, error) {
	return f.preview(), f.note(&by, "PreviewCAP %s %q", raw, selection)
}

// PreviewAlert answers Outcome as a dry run.
func (f *alerts) PreviewAlert(_ context.Context, by authority.Caller, in wire.SendAlert) (wire.Outcome, error) {
	return f.preview(), f.note(&by, "PreviewAlert %s %q", in.Alert, in.Select)
}

func (f *alerts) preview() wire.Outcome {
	out := f.Outcome
	out.DryRun, out.Replication = true, ""
	return out
}

// UpdateAlert answers Outcome.
func (f *alerts) UpdateAlert(_ context.Context, by authority.Caller, id string, in wire.UpdateAlert, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "UpdateAlert %s %d %v %q %q %q %t %s", id, len(in.Texts), in.Blanks, in.Severity, in.Select, in.Reason, in.DryRun, wait)
}

// CancelAlert answers Outcome.
func (f *alerts) CancelAlert(_ context.Context, by authority.Caller, id string, in wire.CancelAlert, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "CancelAlert %s %q %s", id, in.Reason, wait)
}

// ListAlerts answers Alerts.
func (f *alerts) ListAlerts(_ context.Context, q wire.AlertQuery) ([]wire.Alert, string, error) {
	return f.Alerts, f.Next, f.note(nil, "ListAlerts %q %d%s", q.After, q.Limit, map[bool]string{true: " waiting"}[q.Waiting]+map[bool]string{true: " open"}[q.Open])
}

// ShowAlert answers the alert of Alerts with the id.
func (f *alerts) ShowAlert(_ context.Context, id string) (wire.Alert, error) {
	err := f.note(nil, "ShowAlert %s", id)
	if i := slices.IndexFunc(f.Alerts, func(a wire.Alert) bool { return a.ID == id }); i >= 0 || err != nil {
		return f.Alerts[max(i, 0)], err
	}
	return wire.Alert{}, wire.Problemf(wire.KindNotFound, "there is no alert %s", id)
}

// Contradictions answers Contrary.
func (f *alerts) Contradictions(context.Context) (caution.Contradictions, error) {
	out := f.Contrary
	out.Contradictions = append([]caution.Contradiction{}, out.Contradictions...)
	return out, f.note(nil, "Contradictions")
}

// AlertMessage answers Message.
func (f *alerts) AlertMessage(_ context.Context, by authority.Caller, id string) ([]byte, error) {
	return f.Message, f.note(&by, "AlertMessage %s", id)
}

// AlertReceipts answers Rows.
func (f *alerts) AlertReceipts(_ context.Context, by authority.Caller, id string, q wire.ReceiptQuery) (wire.ReceiptPage, error) {
	return wire.ReceiptPage{Rows: f.Rows, Next: f.Next, From: f.From}, f.note(&by, "AlertReceipts %s %s %q %t %q %d", id, q.Rung, q.Place, q.Missing, q.After, q.Limit)
}

// AlertReport answers Report.
func (f *alerts) AlertReport(_ context.Context, by authority.Caller, id string) (wire.Report, error) {
	return f.Report, f.note(&by, "AlertReport %s", id)
}

// Events answers Feed.
func (f *alerts) Events(_ context.Context, alert string) (<-chan wire.Event, error) {
	return f.Feed, f.note(nil, "Events %s", alert)
}

// ApproveAlert answers Outcome.
func (f *alerts) ApproveAlert(_ context.Context, by authority.Caller, id string, in wire.Approve, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "ApproveAlert %s %q %q %s", id, in.Digest, in.Reason, wait)
}

// SpokenCode answers a code.
func (f *alerts) SpokenCode(_ context.Context, by authority.Caller, in acts.AskCode) (acts.SpokenCode, error) {
	return acts.SpokenCode{Code: "123456", For: by.Name, Alert: in.Alert, Number: "12345678"}, f.note(&by, "SpokenCode %q %q %q", in.Alert, in.Digest, in.Number)
}

// ApproveSpoken answers Outcome.
func (f *alerts) ApproveSpoken(_ context.Context, by authority.Caller, id string, in acts.TypeApproval, wait wire.Wait) (wire.Outcome, error) {
	return f.Outcome, f.note(&by, "ApproveSpoken %s %q %q %q %q %s", id, in.For, in.Code, in.Digest, in.Reason, wait)
}

// MarkTold answers that one was marked.
func (f *alerts) MarkTold(_ context.Context, by authority.Caller, id string, in acts.MarkTold, wait wire.Wait) (acts.Told, error) {
	return acts.Told{Alert: id, Marked: 1}, f.note(&by, "MarkTold %s %v %q %q %s%s", id, in.Members, in.Place, in.Note, wait, map[bool]string{true: " back"}[in.TakeBack])
}

// Remind answers that one has not confirmed.
func (f *alerts) Remind(_ context.Context, by authority.Caller, id string, in acts.Remind, wait wire.Wait) (acts.Reminded, error) {
	return acts.Reminded{Alert: id, Unread: 1, EveryMinutes: in.EveryMinutes}, f.note(&by, "Remind %s %d %s", id, in.EveryMinutes, wait)
}

// ListReports answers Told.
func (f *alerts) ListReports(_ context.Context, by authority.Caller, q reported.Query) (reported.PersonReports, error) {
	return f.Told, f.note(&by, "ListReports %q %q %q %q %q %d", q.Alert, q.Place, q.Handling, q.Kind, q.After, q.Limit)
}

// ShowReport answers the report of Told with the id, else the first.
func (f *alerts) ShowReport(_ context.Context, by authority.Caller, id string) (reported.PersonReport, error) {
	err := f.note(&by, "ShowReport %s", id)
	i := slices.IndexFunc(f.Told.Reports, func(r reported.PersonReport) bool { return r.ID == id })
	return f.Told.Reports[max(i, 0)], err
}

// ReportPhoto answers the beginning of a JPEG.
func (f *alerts) ReportPhoto(_ context.Context, by authority.Caller, id string) ([]byte, error) {
	return []byte("\xff\xd8\xff"), f.note(&by, "ReportPhoto %s", id)
}

// ModerateReport answers the first report of Told in its new state.
func (f *alerts) ModerateReport(_ context.Context, by authority.Caller, id string, in reported.Moderate, wait wire.Wait) (reported.PersonReport, error) {
	out := f.Told.Reports[0]
	if out.Note, out.By = in.Note, by.Name; in.Handling != "" {
		out.Handling = in.Handling
	}
	return out, f.note(&by, "ModerateReport %s %s %q %s", id, in.Handling, in.Note, wait)
}

// AlertResidents answers one phone that needs help.
func (f *alerts) AlertResidents(_ context.Context, by authority.Caller, id string) (reported.Residents, error) {
	return ExampleResidents(), f.note(&by, "AlertResidents %s", id)
}

// ResidentPhoto answers the beginning of a JPEG.
func (f *alerts) ResidentPhoto(_ context.Context, by authority.Caller, id string) ([]byte, error) {
	return []byte("\xff\xd8\xff"), f.note(&by, "ResidentPhoto %s", id)
}

// HandleResident answers the first answer in its new state.
func (f *alerts) HandleResident(_ context.Context, by authority.Caller, id string, in reported.Moderate, wait wire.Wait) (reported.ResidentsAnswer, error) {
	out := ExampleResidents().Answers[0]
	if out.Note, out.By = in.Note, by.Name; in.Handling != "" {
		out.Handling = in.Handling
	}
	return out, f.note(&by, "HandleResident %s %s %q %s", id, in.Handling, in.Note, wait)
}

// ExampleResidents is what residents answered to the fake's alert.
func ExampleResidents() reported.Residents {
	at := time.Date(2026, 7, 20, 9, 41, 0, 0, time.UTC)
	return reported.Residents{
		Seen: 41, Help: 1, Photos: 1, Blocks: []reported.ResidentsBlock{{Place: "tuen-mun/on-ting/on-lai", Seen: 41, Help: 1, Photos: 1}},
		Answers: []reported.ResidentsAnswer{{
			ID: ReportID, Kind: reported.ResidentHelp, Handling: reported.New, Place: "tuen-mun/on-ting/on-lai", Taken: at, Where: "12/F, B", Text: "煙很大 smoke", Photo: &reported.Picture{Bytes: 30000, Width: 1200, Height: 900},
		}},
	}
}

// ExampleReports is the fake's page of reports.
func ExampleReports() reported.PersonReports {
	at := time.Date(2026, 7, 20, 9, 41, 0, 0, time.UTC)
	return reported.PersonReports{New: 2, NeedHelp: 1, Reports: []reported.PersonReport{
		{
			ID: ReportID, Kind: reported.NeedHelp, Handling: reported.New, Alert: AlertID, Member: "r-0001", Place: "tuen-mun/on-ting", Device: "phone-1", At: at, Taken: at.Add(time.Second),
			Text: "煙很大 The stairs are full of smoke", Where: "12/F", Position: &reported.Spot{Lat: 22.391, Lon: 113.977, AccuracyMeters: 15}, Photo: &reported.Picture{Bytes: 30000, Width: 1200, Height: 900},
		},
		{ID: "bcdefghijklmnopqrstuvwxyz2", Kind: reported.BlockedWay, Handling: reported.New, Device: "phone-2", At: at, Taken: at},
		{ID: "cdefghijklmnopqrstuvwxyz23", Kind: reported.Other, Handling: reported.Forwarded, Device: "phone-3", At: at, Taken: at, Text: "x", By: "amy", Moderated: at.Add(time.Minute), Note: "to the fire brigade"},
	}, Responders: []reported.Responder{{Member: "w-0001", Alert: AlertID, At: at, Position: reported.Spot{Lat: 22.392, Lon: 113.978}}}}
}

// ReportID is the id of the fake's first report.
const ReportID = "zyxwvutsrqponmlkjihgfedcba"
