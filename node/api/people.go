package api

import (
	"errors"
	"net/http"

	"almenara/node/api/strictjson"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/audience"
)

func (h audienceHandlers) selectAudience(c call) error {
	limit := c.query.limit(50, 1000)
	if c.query.err != nil {
		return c.query.err
	}
	selected, err := h.selections.Select(c.r.Context(), c.query.text("expr", ""), c.query.text("after", ""), limit)
	if err != nil {
		return err
	}
	var asked audience.Selection
	if selected.Expression != "" { // in canonical form
		if asked, err = audience.Parse(selected.Expression); err != nil {
			return err
		}
	}
	return answer(h.answers, c, selected, authority.Minimal(c.by, asked, &selected))
}

func (h audienceHandlers) listPlaces(c call) error {
	places, err := h.places.ListPlaces(c.r.Context())
	return answerList(h.answers, c, places, err)
}

func (h audienceHandlers) putPlaces(c call) error {
	var in []wire.Place
	if err := c.readJSON(&in); err != nil {
		return err
	}
	if len(in) == 0 {
		return wire.Problemf(wire.KindMalformed, "the body holds no place")
	}
	return done(c, h.places.PutPlaces(c.r.Context(), c.by, in))
}

func (h audienceHandlers) listDevices(c call) error {
	limit := c.query.limit(1000, 10_000)
	if c.query.err != nil {
		return c.query.err
	}
	devices, next, err := h.connected.ListDevices(c.r.Context(), c.query.text("after", ""), limit)
	nextPage(c, next)
	return answerList(h.answers, c, devices, err)
}

// enrolDevices answers in the shape of the question: an object or an array.
func (h audienceHandlers) enrolDevices(c call) error {
	in, array, err := strictjson.ReadOneOrMore[wire.Enrol](c.r.Body)
	c.work.Decoded()
	if err != nil {
		return err
	}
	if len(in) == 0 || len(in) > maxEnrol {
		return wire.Problemf(wire.KindMalformed, "one request enrols from 1 to %d devices, not %d; nothing was enrolled", maxEnrol, len(in))
	}
	enrolled, err := h.devices.EnrolDevices(c.r.Context(), c.by, in)
	switch {
	case err != nil:
		return err
	case array:
		h.writeJSON(c.w, http.StatusCreated, enrolled)
	case len(enrolled) == 1:
		h.writeJSON(c.w, http.StatusCreated, enrolled[0])
	default:
		return errors.New("enrolling one device: the service answered another number")
	}
	return nil
}

func (h audienceHandlers) revokeDevice(c call) error {
	return done(c, h.devices.RevokeDevice(c.r.Context(), c.by, c.r.PathValue("id")))
}

func (h userHandlers) listUsers(c call) error {
	users, err := h.users.ListUsers(c.r.Context())
	return answerList(h.answers, c, users, err)
}

func (h userHandlers) addUser(c call) error {
	var in wire.AddUser
	if err := c.readJSON(&in); err != nil {
		return err
	}
	user, err := h.users.AddUser(c.r.Context(), c.by, in)
	if err != nil {
		return err
	}
	h.writeJSON(c.w, http.StatusCreated, user)
	return nil
}

func (h userHandlers) setUser(c call) error {
	var in wire.SetUser
	if err := c.readJSON(&in); err != nil {
		return err
	}
	return done(c, h.users.SetUser(c.r.Context(), c.by, c.r.PathValue("name"), in))
}

func (h userHandlers) revokeUser(c call) error {
	return done(c, h.users.RevokeUser(c.r.Context(), c.by, c.r.PathValue("name")))
}
