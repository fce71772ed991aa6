package apply

import (
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

// reported lists what a person reported by a device, or what a person made of that.
func (a *adoption) reported(o *opened, out *command.FactOutcome) error {
	action, text, err := factbody.ReportLine(o.fact.Body, o.fact.Kind == fact.KindModeration)
	if err != nil {
		return a.rejected(o, out, "body is not a report")
	}
	return a.listed(o, out, action, text)
}
