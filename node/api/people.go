package api

import (
	"errors"

	"almenara/node/api/routing"
	"almenara/node/api/strictjson"
	"almenara/node/authority"
	"almenara/node/wire"
)

func (h audienceHandlers) selectAudience(c routing.Call) error {
	limit := c.Query.Limit(50, 1000)
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	selected, err := h.selections.Select(c.R.Context(), c.Query.Text("expr", ""), c.Query.Text("after", ""), limit)
	if err != nil {
		return err
	}
	return c.Answer(selected, authority.MinimalSelected(c.By, &selected))
}

func (h audienceHandlers) listPlaces(c routing.Call) error {
	places, err := h.places.ListPlaces(c.R.Context())
	return routing.AnswerList(c, places, err)
}

func (h audienceHandlers) putPlaces(c routing.Call) error {
	var in []wire.Place
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	if len(in) == 0 {
		return wire.Problemf(wire.KindMalformed, "the body holds no place")
	}
	shared := c.Query.Flag("shared_codes")
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	return c.Done(h.tree.PutPlaces(c.R.Context(), c.By, in, shared))
}

func (h audienceHandlers) listDevices(c routing.Call) error {
	limit := c.Query.Limit(1000, 10_000)
	if c.Query.Err() != nil {
		return c.Query.Err()
	}
	devices, next, err := h.connected.ListDevices(c.R.Context(), c.Query.Text("after", ""), limit)
	c.NextPage(next)
	return routing.AnswerList(c, devices, err)
}

// enrolDevices answers in the shape of the question: an object or an array.
func (h audienceHandlers) enrolDevices(c routing.Call) error {
	in, array, err := strictjson.ReadOneOrMore[wire.Enrol](c.R.Body)
	c.Decoded()
	if err != nil {
		return err
	}
	if len(in) == 0 || len(in) > maxEnrol {
		return wire.Problemf(wire.KindMalformed, "one request enrols from 1 to %d devices, not %d; nothing was enrolled", maxEnrol, len(in))
	}
	enrolled, err := h.devices.EnrolDevices(c.R.Context(), c.By, in)
	switch {
	case err != nil || array:
		return c.Created(enrolled, err)
	case len(enrolled) == 1:
		return c.Created(enrolled[0], nil)
	}
	return errors.New("enrolling one device: the service answered another number")
}

func (h audienceHandlers) revokeDevice(c routing.Call) error {
	return c.Done(h.devices.RevokeDevice(c.R.Context(), c.By, c.R.PathValue("id")))
}

func (h userHandlers) listUsers(c routing.Call) error {
	users, err := h.users.ListUsers(c.R.Context())
	return routing.AnswerList(c, users, err)
}

func (h userHandlers) addUser(c routing.Call) error {
	var in wire.AddUser
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	user, err := h.users.AddUser(c.R.Context(), c.By, in)
	return c.Created(user, err)
}

func (h userHandlers) setUser(c routing.Call) error {
	var in wire.SetUser
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	return c.Done(h.users.SetUser(c.R.Context(), c.By, c.R.PathValue("name"), in))
}

func (h userHandlers) setPassword(c routing.Call) error {
	var in wire.SetPassword
	if err := c.ReadJSON(&in); err != nil {
		return err
	}
	return c.Done(h.passwords.SetPassword(c.R.Context(), c.By, c.R.PathValue("name"), in.Password, in.WithoutSecondFactor))
}

func (h userHandlers) revokeUser(c routing.Call) error {
	return c.Done(h.users.RevokeUser(c.R.Context(), c.By, c.R.PathValue("name")))
}
