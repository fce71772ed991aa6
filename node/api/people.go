package api

import (
	"errors"
	"net/http"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/audience"
)

func (h *Handler) selectAudience(c call) error {
	limit := c.query.limit(50, 1000)
	if c.query.err != nil {
		return c.query.err
	}
	selected, err := h.services.Selections.Select(c.r.Context(), c.query.text("expr", ""), c.query.text("after", ""), limit)
	if err != nil {
		return err
	}
	var asked audience.Selection
	if selected.Expression != "" { // in canonical form
		if asked, err = audience.Parse(selected.Expression); err != nil {
			return err
		}
	}
	return answer(h, c, selected, authority.Minimal(c.by, asked, &selected))
}

func (h *Handler) listPlaces(c call) error {
	places, err := h.services.Places.ListPlaces(c.r.Context())
	return answerList(h, c, places, err)
}

func (h *Handler) putPlaces(c call) error {
	var in []wire.Place
	if err := c.readJSON(&in); err != nil {
		return err
	}
	if len(in) == 0 {
		return wire.Problemf(wire.KindMalformed, "the body holds no place")
	}
	return done(c, h.services.Places.PutPlaces(c.r.Context(), c.by, in))
}

func (h *Handler) listDevices(c call) error {
	limit := c.query.limit(1000, 10_000)
	if c.query.err != nil {
		return c.query.err
	}
	devices, next, err := h.services.Connected.ListDevices(c.r.Context(), c.query.text("after", ""), limit)
	nextPage(c, next)
	return answerList(h, c, devices, err)
}

// enrolDevices answers in the shape of the question: an object or an array.
func (h *Handler) enrolDevices(c call) error {
	in, array, err := readOneOrMore[wire.Enrol](c.r.Body)
	c.work.Decoded()
	if err != nil {
		return err
	}
	if len(in) == 0 || len(in) > maxEnrol {
		return wire.Problemf(wire.KindMalformed, "one request enrols from 1 to %d devices, not %d; nothing was enrolled", maxEnrol, len(in))
	}
	enrolled, err := h.services.Devices.EnrolDevices(c.r.Context(), c.by, in)
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

func (h *Handler) revokeDevice(c call) error {
	return done(c, h.services.Devices.RevokeDevice(c.r.Context(), c.by, c.r.PathValue("id")))
}

func (h *Handler) listUsers(c call) error {
	users, err := h.services.Users.ListUsers(c.r.Context())
	return answerList(h, c, users, err)
}

func (h *Handler) addUser(c call) error {
	var in wire.AddUser
	if err := c.readJSON(&in); err != nil {
		return err
	}
	user, err := h.services.Users.AddUser(c.r.Context(), c.by, in)
	if err != nil {
		return err
	}
	h.writeJSON(c.w, http.StatusCreated, user)
	return nil
}

func (h *Handler) setUser(c call) error {
	var in wire.SetUser
	if err := c.readJSON(&in); err != nil {
		return err
	}
	return done(c, h.services.Users.SetUser(c.r.Context(), c.by, c.r.PathValue("name"), in))
}

func (h *Handler) revokeUser(c call) error {
	return done(c, h.services.Users.RevokeUser(c.r.Context(), c.by, c.r.PathValue("name")))
}
