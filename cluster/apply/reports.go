package apply

import (
	"fmt"

	"almenara/cluster/command"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// report lists what a person reported by a device. The audit says that it came and not what it says, and
// of positions nothing at all: they are many, and nobody's act.
func (a *adoption) report(o *opened, out *command.FactOutcome) error {
	r, err := factbody.DecodeReport(o.fact.Body)
	if err != nil {
		return a.rejected(o, out, "body is not a report")
	}
	out.Outcome = command.Adopted
	if err := factlog.Keep(a.Txn, uint8(o.fact.Kind), a.index, a.n, o.id[:]); err != nil {
		return err
	}
	if r.Kind == factbody.ReportPosition {
		return nil
	}
	return a.line("report taken", fmt.Sprintf("report %s, kind %s, of device %s, alert %q, with a photo: %t, at %d, taken at %d by node %s", r.Report, r.Kind, r.Device, r.Alert, r.Photo != nil, r.At, r.Taken, o.fact.Origin))
}

// moderation lists what a person made of a report, which may still have to come.
func (a *adoption) moderation(o *opened, out *command.FactOutcome) error {
	m, err := factbody.DecodeModeration(o.fact.Body)
	if err != nil {
		return a.rejected(o, out, "body is not a moderation")
	}
	out.Outcome = command.Adopted
	if err := factlog.Keep(a.Txn, uint8(o.fact.Kind), a.index, a.n, o.id[:]); err != nil {
		return err
	}
	return a.line("report moderated", fmt.Sprintf("report %s is %s, by %s, note %q, at %d", m.Report, m.State, m.By, m.Note, m.At))
}
