package api

import "almenara/node/authority"

func (h nodeHandlers) splits(c call) error {
	limit := c.query.limit(20, 1000)
	if c.query.err != nil {
		return c.query.err
	}
	report, err := h.parted.Splits(c.r.Context(), limit)
	for i := range report {
		authority.MinimalSplit(c.by, &report[i])
	}
	return answer(h.answers, c, report, err)
}
