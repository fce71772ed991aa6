// Package heard has several rooms hear what devices say: each is told what it needs, in an order. It
// decides nothing, and never imports api, cluster or another part of node but ability, instep, presence
// and reports.
package heard

import (
	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/ability"
	"almenara/node/instep"
	"almenara/node/presence"
	"almenara/node/reports"
)

// Hooks are those who hear; all must be set.
type Hooks struct {
	*presence.Presence
	InStep  *instep.InStep
	Reports func() *reports.Reports // asked once devices are let in
	Tester  *ability.Tester
}

// Report implements mqtt.Hooks.
func (h Hooks) Report(from channels.Endpoint, r contract.Report, done func(error)) {
	h.Reports().Report(from, r, done)
}

// State implements mqtt.Hooks.
func (h Hooks) State(from channels.Endpoint, s contract.State) {
	h.Presence.State(from, s)
	h.InStep.State(from, s)
	h.Tester.State(from, s)
}

// Session implements mqtt.Hooks.
func (h Hooks) Session(from channels.Endpoint, up bool) {
	h.Presence.Session(from, up)
	h.InStep.Session(from, up)
}
