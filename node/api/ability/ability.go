// Package ability is the routes about which devices would show or sound an alert. It has no rule of its
// own.
package ability

import (
	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/service"
	"almenara/node/wire"
	"almenara/node/wire/able"
)

// bodyMost is the largest body: a list of places.
const bodyMost = 1 << 20

// oneDevice is what asking one device for something may fail with.
var oneDevice = openapi.Fails{
	wire.KindNotFound: "it is not enrolled",
	wire.KindConflict: "it is connected to no node",
	wire.KindNotReady: "it may be connected to a node that does not answer",
	wire.KindBusy:     "several devices are asked already",
}

// Routes are the routes about which devices would show or sound an alert.
func Routes(tests service.Ability) []routing.Route {
	h := handlers{tests}
	return []routing.Route{
		{Action: authority.ReadDevices, Handle: h.ability, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/ability",
			Summary: "How many devices would show or sound an alert, by what each came to when it was last tested silently, which every node does with its own every night from 3 to 5 o'clock. Every node is asked; unanswered names those that did not answer, whose results are missing.",
			Params:  []openapi.Param{{Name: "place", Type: "string", Summary: "only devices at this place or below it"}},
			Answer:  able.Ability{},
		}},
		{Action: authority.TestDevices, Handle: h.testDevices, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/ability/test", MaxBody: bodyMost,
			Summary: "Have all connected devices test themselves silently, or those at places. The nodes do it at 20 devices a second; what it comes to is read at /api/v1/ability.",
			Request: able.TestDevices{}, Answer: able.TestBegun{},
			Fails: openapi.Fails{
				wire.KindNotFound: "no device is enrolled there",
				wire.KindConflict: "a real emergency is in force, or the nodes are testing devices already",
			},
		}},
		{Action: authority.TestDevices, Handle: h.testDevice, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/devices/{id}/test",
			Summary: "Have one device test itself silently, and wait for what it tells, 20 seconds at most.", Answer: able.DeviceTest{}, Fails: oneDevice,
		}},
		{Action: authority.TestDevices, Handle: h.identifyDevice, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/devices/{id}/identify",
			Summary: "Have one device be found: a display shows its id and place for 10 seconds, never over an emergency; a speaker chirps once.", Answer: able.DeviceTest{}, Fails: oneDevice,
		}},
	}
}

type handlers struct{ tests service.Ability }

func (h handlers) ability(c routing.Call) error {
	place := c.Query.Text("place", "")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	out, err := h.tests.Ability(c.R.Context(), place)
	return c.Answer(out, err)
}

func (h handlers) testDevices(c routing.Call) error {
	var in able.TestDevices
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	out, err := h.tests.TestDevices(c.R.Context(), c.By, in)
	return c.Created(out, err)
}

func (h handlers) testDevice(c routing.Call) error {
	out, err := h.tests.TestDevice(c.R.Context(), c.By, c.R.PathValue("id"))
	return c.Created(out, err)
}

func (h handlers) identifyDevice(c routing.Call) error {
	out, err := h.tests.IdentifyDevice(c.R.Context(), c.By, c.R.PathValue("id"))
	return c.Created(out, err)
}
