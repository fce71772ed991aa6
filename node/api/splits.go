package api

func (h *Handler) splits(c call) error {
	limit := c.query.limit(20, 1000)
	if c.query.err != nil {
		return c.query.err
	}
	report, err := h.svc.Splits(c.r.Context(), limit)
	return answer(h, c, report, err)
}
