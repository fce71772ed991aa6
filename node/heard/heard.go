// Package heard has several rooms hear what devices say: each is told what it needs, in an order. It
// decides nothing, and never imports api, cluster or another part of node but ability, instep, presence,
// reports and residents.
package heard

import (
	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/ability"
	"almenara/node/instep"
	"almenara/node/presence"
	"almenara/node/reports"
	"almenara/node/residents"
)

// Hooks implement mqtt.Hooks. Reports and Residents are asked once devices are let in.
type Hooks struct {
	*presence.Presence
	InStep    *instep.InStep
	Tester    *ability.Tester
	Reports   func() *reports.Reports
	Residents func() *residents.Residents
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
	h.Residents().State(from, s)
}

// Session implements mqtt.Hooks.
func (h Hooks) Session(from channels.Endpoint, up bool) {
	h.Presence.Session(from, up)
	h.InStep.Session(from, up)
	h.Residents().Session(from, up)
}
